import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../kit/program/reader.ts';

/** The program, as the process that a person or a supervisor starts. */
export interface ProgramProcess {
  readonly child: ChildProcess;
  /** Everything it has written so far, to both streams. */
  output(): string;
  /** Resolves with what the pattern catches as soon as it is printed, and rejects if the process ends before. */
  said(pattern: RegExp): Promise<string>;
  /** Its address. Rejects if it ends without ever listening. */
  url(): Promise<string>;
  kill(signal?: NodeJS.Signals): void;
  readonly ended: Promise<Ending>;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProgramOptions {
  /** The whole environment. */
  readonly env: Environment;
  /** The file that it runs. */
  readonly main: string;
  /** Where it runs. */
  readonly folder?: string;
  /** For Node, before the program. */
  readonly nodeArguments?: readonly string[];
  /** A program to run it under, with its arguments. */
  readonly under?: readonly string[];
  /** Throws away what it logs, and lets orders be sent to it: nothing of it is to cost time while it is measured. */
  readonly measured?: boolean;
  /** A file descriptor in place of a pipe that is read: what goes there is not in `output`. */
  readonly stdout?: number;
}

const alive = new Set<ChildProcess>();

/** For the end of this process, however it ends: a paused one would otherwise stay for ever. */
export function killAll(): void {
  for (const child of alive) child.kill('SIGKILL');
}

process.on('exit', killAll);

/** Programs of the lab start again and again: what Node has compiled of them once, it need not compile again. */
export const compiled = {
  NODE_COMPILE_CACHE: projectFile('node_modules/.cache/compiled'),
  NODE_COMPILE_CACHE_PORTABLE: '1',
};

/** A file of the project, by its path from the top: `src/example/main.ts`. */
export function projectFile(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}

/** Starts it; killed with this process, if it has not ended by then. */
export function startProgram(options: ProgramOptions): ProgramProcess {
  const { env, main, folder, nodeArguments = [], under = [], measured = false, stdout = 'pipe' } = options;
  const [command, ...args] = [...under, process.execPath, ...nodeArguments, main];
  const child = spawn(command, args, {
    env: { ...compiled, ...env },
    ...(folder !== undefined && { cwd: folder }),
    stdio: measured ? ['ignore', 'ignore', 'pipe', 'ipc'] : ['ignore', stdout, 'pipe'],
    // In a group of its own: Ctrl-C is for the tool that started it, which then stops it.
    detached: true,
  });
  const kill = (signal?: NodeJS.Signals) => void child.kill(signal ?? 'SIGKILL');
  alive.add(child);
  let output = '';
  const hear = (text: string) => (output += text);
  const streams = [child.stdout, child.stderr];
  for (const stream of streams) stream?.setEncoding('utf8').on('data', hear);
  const ended = once(child, 'close').then(() => {
    alive.delete(child);
    return { code: child.exitCode, signal: child.signalCode };
  });

  function said(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(output)?.[1];
        if (found !== undefined) resolve(found);
      };
      for (const stream of streams) stream?.on('data', look);
      look();
      void ended.then(() =>
        reject(new Error(`The program ended before it said ${String(pattern)}:\n${output}`)),
      );
    });
  }

  return { child, output: () => output, said, url: () => said(/^Listening on (\S+)$/m), kill, ended };
}

/** Memory of the process; NaN where the operating system does not say. */
export function residentMegabytes({ child }: ProgramProcess): number {
  const file = `/proc/${child.pid ?? 0}/status`;
  if (!existsSync(file)) return NaN;
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(file, 'utf8'))?.[1]) / 1024;
}
