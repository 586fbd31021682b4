import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Readable } from 'node:stream';
import { compiled } from '../../src/lab/rig/program.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export type Running = ChildProcessByStdio<null, Readable, Readable>;

/** Starts a script as npm would, about the reference receiver: src/app is the integrator's. No other environment than this. */
export function startScript(
  script: string,
  args: readonly string[],
  env: Record<string, string>,
  cwd = root,
): Running {
  return spawn(process.execPath, [join(root, `scripts/${script}.ts`), ...args], {
    cwd,
    env: { KIT_APP: 'src/example', ...compiled, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs a script to its end. */
export async function runScript(
  script: string,
  args: readonly string[],
  env: Record<string, string> = {},
  cwd?: string,
): Promise<Ended> {
  return ended(startScript(script, args, env, cwd));
}

export async function ended(child: Running): Promise<Ended> {
  const [out, err] = [gather(child.stdout), gather(child.stderr)];
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out: out(), err: err() };
}

/** Resolves with what was printed so far as soon as it matches. */
export async function printed(child: Running, pattern: RegExp): Promise<string> {
  const out = gather(child.stdout);
  while (!pattern.test(out())) await once(child.stdout, 'data');
  return out();
}

function gather(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString();
}
