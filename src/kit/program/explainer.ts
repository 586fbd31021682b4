import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import { readAddress } from '../inbox/address.ts';
import type { Kept } from '../tape/tape.ts';
import type { Environment } from './reader.ts';

const PROJECT = new URL('../../../', import.meta.url);
const COMMAND = fileURLToPath(new URL('scripts/explain.ts', PROJECT));
const PATIENCE_MS = 30_000;

/**
 * `npm run explain`, in a process of its own: it tries thousands of changes, and no delivery is to wait for that. One at a
 * time. `undefined` where it cannot be run: its tape is in our memory, or the command is not installed here.
 */
export function explainer(
  folder: string,
  inboxUrl: string,
  environment: () => Environment,
): ((kept: Kept) => Promise<string>) | undefined {
  if (readAddress(inboxUrl)?.engine === 'memory' || !existsSync(COMMAND)) return undefined;
  const running = new Map<number, Promise<string>>();
  return async ({ number }) => {
    const asked = running.get(number);
    if (asked !== undefined) return asked;
    if (running.size > 0) return 'Another one is being explained just now: ask again in a moment.';
    const explained = run(number, { ...environment(), KIT_APP: folder });
    running.set(number, explained);
    return explained.finally(() => running.delete(number));
  };
}

/** What it prints. Never rejects. */
async function run(number: number, env: Environment): Promise<string> {
  const child = spawn(process.execPath, [COMMAND, String(number)], {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE_MS,
  });
  const failed = new Promise<string>((resolve) => {
    child.on('error', (error) => {
      resolve(`It could not be run: ${error.message}`);
    });
  });
  const printed = Promise.all([text(child.stdout), text(child.stderr)]).then(([out, err]) => {
    const said = out.trim();
    return said === '' ? err.trim() || 'It said nothing in time.' : said;
  });
  return Promise.race([printed, failed]);
}
