import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Effects } from '../../src/lab/conformance/stage.ts';
import type { Credentials } from './parts.ts';
import type { Running } from './receiver.ts';

// Receivers in other languages. Each is a program that reads its secrets from standard input as JSON, and prints the port that
// it listens on and the one where it tells its effects.

export interface RunningProgram extends Running {
  readonly probe: URL;
}

/** A file of this folder. */
export function here(path: string): string {
  return join(import.meta.dirname, path);
}

/** Whether a command ends well; says loudly what is not tested if it does not. */
export function requireProgram(
  what: string,
  needs: string,
  command: string,
  ...args: readonly string[]
): boolean {
  const runs = spawnSync(command, args).status === 0;
  if (!runs) process.stderr.write(`NOT TESTED: ${what}; there is no ${needs} here.\n`);
  return runs;
}

/** Starts a program as a process of its own. */
export async function startProgram(
  credentials: Credentials,
  command: string,
  ...args: readonly string[]
): Promise<RunningProgram> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(Object.fromEntries(credentials)));
  const [, port = '', probePort = ''] = (await firstLine(child.stdout, command)).split(' ');
  const probe = new URL(`http://127.0.0.1:${probePort}/effects`);
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    probe,
    effects: async () => (await (await fetch(probe)).json()) as Effects, // as each of them writes it
    async stop() {
      child.kill();
      await once(child, 'close');
    },
  };
}

async function firstLine(stream: NodeJS.ReadableStream, command: string): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.includes('\n')) return text.split('\n')[0] ?? '';
  }
  throw new Error(`${command} ended before it listened.`);
}

/** The one of the system, which has Debian's packages: another may come before it. */
const PYTHON = '/usr/bin/python3';

export function requireAiohttp(): boolean {
  return requireProgram('a receiver on aiohttp', 'python3-aiohttp', PYTHON, '-c', 'import aiohttp');
}

export function startAiohttp(credentials: Credentials): Promise<Running> {
  return startProgram(credentials, PYTHON, here('natural/aiohttp_receiver.py'));
}

export function requireJava(): boolean {
  return requireProgram(
    'a receiver in Java',
    'javac of 17 or later',
    'javac',
    '--release',
    '17',
    '--version',
  );
}

/** Java compiles a single file by itself. */
export function startJava(credentials: Credentials): Promise<Running> {
  return startProgram(credentials, 'java', here('natural/Receiver.java'));
}

export function requireGo(): boolean {
  return requireProgram('a receiver in Go', 'go', 'go', 'version');
}

export async function startGo(credentials: Credentials): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'go-'));
  const program = join(folder, 'receiver');
  const env = { ...process.env, GOCACHE: join(folder, 'cache'), GOFLAGS: '-mod=mod', GOPROXY: 'off' };
  await promisify(execFile)('go', ['build', '-o', program, here('natural/receiver.go')], { env });
  const running = await startProgram(credentials, program);
  return {
    ...running,
    async stop() {
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
