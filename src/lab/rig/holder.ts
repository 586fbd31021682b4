import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Environment } from '../../kit/program/reader.ts';
import { listenOn } from './ports.ts';
import { compiled } from './program.ts';

/** Keeps a listening socket as systemd does for a `.socket` unit, and runs the program on it. */
export interface Holder {
  readonly url: string;
  /** All that its programs have written so far, to both streams. */
  output(): string;
  /** Starts one, and resolves with its process id when it listens. */
  start(): Promise<number>;
  /** Starts the next when this one has ended, as systemd does. */
  restart(pid: number): Promise<number>;
  /** Starts the next while this one still ends. */
  replace(pid: number): Promise<number>;
  /** Kills what runs, and lets go of the socket. */
  close(): Promise<void>;
}

/**
 * A shell has no event loop that would accept connections. Each line that it reads starts a program; with the last one it
 * ends, and all that it started.
 */
const SHELL = `while read -r line; do
  (sh -c 'LISTEN_PID=$$ LISTEN_FDS=1; export LISTEN_PID LISTEN_FDS; echo "began $$"; exec "$@"' held "$@" </dev/null; echo "ended $?") &
done; kill -9 0`;

const POLL_MS = 5;

export interface HolderOptions {
  readonly main: string;
  readonly folder: string;
  /** The whole environment. */
  readonly env: Environment;
}

export async function startHolder({ main, folder, env }: HolderOptions): Promise<Holder> {
  const server = createServer();
  const port = await listenOn(server);
  // Node has no public name for the descriptor of a server.
  const { _handle: handle } = server as unknown as { readonly _handle: { readonly fd: number } };
  const shell = spawn('sh', ['-c', SHELL, 'holder', process.execPath, main], {
    env: { ...compiled, PATH: process.env['PATH'], ...env },
    cwd: folder,
    stdio: ['pipe', 'pipe', 'pipe', handle.fd],
    detached: true,
  });
  await once(shell, 'spawn');
  server.close(); // ours: the shell has its own of the same socket
  const closed = once(shell, 'close');
  let output = '';
  for (const stream of [shell.stdout, shell.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));

  async function nth(pattern: RegExp, index: number): Promise<string> {
    for (;;) {
      const found = [...output.matchAll(pattern)][index]?.[1];
      if (found !== undefined) return found;
      if (shell.exitCode !== null || /^ended [1-9]/m.test(output))
        throw new Error(`A program failed:\n${output}`);
      await pause(POLL_MS);
    }
  }

  let started = 0;
  let ended = 0;
  async function start(): Promise<number> {
    const index = started++;
    shell.stdin?.write('start\n');
    const pid = Number(await nth(/^began (\d+)/gm, index));
    await nth(/^Listening on (\S+)/gm, index);
    return pid;
  }
  const end = async (pid: number) => {
    process.kill(pid, 'SIGTERM');
    await nth(/^ended (\d+)/gm, ended++);
  };

  return {
    url: `http://127.0.0.1:${port}`,
    output: () => output,
    start,
    async restart(pid) {
      await end(pid);
      return start();
    },
    async replace(pid) {
      const [, next] = await Promise.all([end(pid), start()]);
      return next;
    },
    async close() {
      shell.stdin?.end();
      await closed;
    },
  };
}
