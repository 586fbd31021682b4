import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../../src/kit/program/config.ts';
import type { Effects } from '../../src/lab/conformance/stage.ts';
import { credentialVariable, endpointsOf } from '../../src/kit/endpoints.ts';
import { openInbox } from '../../src/kit/inbox/open.ts';
import type { EndpointDefinition, Source } from '../../src/kit/source.ts';
import { createEffects } from './inbox-effects.ts';

/** The receiver of this kit as a process of its own, with everything that a run of level 3 needs. */
export interface Kit {
  readonly url: URL;
  /** Its secrets, made on the spot. */
  readonly env: Environment;
  readonly hooks: {
    readonly probe: () => Promise<Effects>;
    /** Kills it without warning, and starts it on the same port and files. */
    readonly restart: () => Promise<void>;
  };
  stop(): Promise<void>;
}

/** Starts it in a folder that is gone afterwards. @throws with what it said if it does not start */
export async function startKit(
  sources: readonly Source[],
  further: readonly EndpointDefinition[],
): Promise<Kit> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-kit-'));
  const inboxUrl = `sqlite:${join(folder, 'inbox.db')}`;
  const secrets = secretsFor(sources, further);
  const env = { ...settingsFor(folder, inboxUrl), ...secrets };
  let running: Running | undefined;
  const clean = () => {
    running?.child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', clean);

  running = await start(env, folder);
  const { url } = running;
  const inbox = await openInbox(inboxUrl, { maxWaiting: Infinity, owner: false });
  return {
    url,
    env: secrets,
    hooks: {
      probe: createEffects(inbox),
      restart: async () => {
        await kill(running?.child);
        running = await start({ ...env, PORT: url.port }, folder);
      },
    },
    async stop() {
      await inbox.close();
      await kill(running?.child);
      clean();
      process.removeListener('exit', clean);
    },
  };
}

function settingsFor(folder: string, inboxUrl: string): Record<string, string> {
  return {
    PORT: '0',
    ADMIN_PORT: 'off',
    LOG_LEVEL: 'error',
    INBOX_URL: inboxUrl,
    RECORDS_FILE: join(folder, 'records.db'),
    ARCHIVE_DIR: join(folder, 'archive'),
    // Hundreds of failed proofs are the purpose here, and each is to be refused for what is wrong with it.
    FAILED_PROOF_LIMIT: '1000000',
  };
}

function secretsFor(
  sources: readonly Source[],
  further: readonly EndpointDefinition[],
): Record<string, string> {
  const variables = sources.flatMap((source) =>
    [...endpointsOf(source), ...further.filter((endpoint) => endpoint.source === source.name)].map(
      (definition) => credentialVariable({ definition, source }),
    ),
  );
  return Object.fromEntries(variables.map((variable) => [variable, randomBytes(32).toString('hex')]));
}

interface Running {
  readonly child: ChildProcess;
  readonly url: URL;
}

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

async function start(env: Record<string, string>, folder: string): Promise<Running> {
  const child = spawn(process.execPath, [MAIN], {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    // In a group of its own: Ctrl-C is for the run, which then stops it.
    detached: true,
  });
  let said = '';
  const address = new Promise<string>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const found = /^Listening on (\S+)$/m.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', () => {
      reject(new Error(`The receiver did not start:\n${said}`));
    });
  });
  return { child, url: new URL(await address) };
}

async function kill(child: ChildProcess | undefined): Promise<void> {
  if (child?.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
