import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { hash } from 'node:crypto';
import { join } from 'node:path';
import type { Environment } from '../../../src/kit/program/config.ts';
import { credentialVariable, endpointsOf } from '../../../src/kit/endpoints.ts';
import type { Source } from '../../../src/kit/source.ts';
import { sources } from '../../../src/kit/sources/index.ts';

/** The real program in a process of its own, with the handlers of child-handlers.ts. */
export interface Program {
  /** Everything it wrote. */
  output(): string;
  kill(): void;
  /** The signal that ended it, once it has. */
  readonly ended: Promise<NodeJS.Signals | null>;
}

export interface Receiver extends Program {
  readonly url: URL;
}

export interface ProgramOptions {
  readonly env: Environment;
  /** Further modules to load before it. */
  readonly preloads?: readonly string[];
  /** A program to run it under, with its arguments. */
  readonly under?: readonly string[];
}

/** Starts it and waits until it listens. @throws if it ends before, with what it said */
export async function startReceiver(options: ProgramOptions): Promise<Receiver> {
  const program = launch(options);
  return { ...program, url: new URL(await program.said(/^Listening on (\S+)$/m)) };
}

/** Starts it in the role of a worker. @throws if it ends before it works, with what it said */
export async function startWorker({ env, ...options }: ProgramOptions): Promise<Program> {
  const program = launch({ ...options, env: { ...env, ROLE: 'worker' } });
  await program.said(/^Working on (\S+)/m);
  return program;
}

function launch({ env, preloads = [], under = [] }: ProgramOptions) {
  const imports = [pathOf('child-preload.ts'), ...preloads].flatMap((file) => ['--import', file]);
  const words = [...under, process.execPath, ...imports, pathOf('../../../src/main.ts')];
  const [program = '', ...args] = words;
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  let output = '';
  const hear = (text: string) => (output += text);
  child.stdout.setEncoding('utf8').on('data', hear);
  child.stderr.setEncoding('utf8').on('data', hear);
  const ended = once(child, 'close').then(() => {
    process.removeListener('exit', kill);
    return child.signalCode;
  });

  /** Resolves with what the pattern catches as soon as it is printed. */
  function said(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(output)?.[1];
        if (found !== undefined) resolve(found);
      };
      child.stderr.on('data', look);
      void ended.then(() => {
        reject(new Error(`The program did not start:\n${output}`));
      });
    });
  }

  return { output: () => output, kill, ended, said };
}

/** What a receiver is set to whose files are in one folder; every endpoint is open. */
export function environmentOf(folder: string, inboxUrl: string): Record<string, string> {
  return {
    PORT: '0',
    ADMIN_PORT: '0',
    LOG_LEVEL: 'error',
    INBOX_URL: inboxUrl,
    RECORDS_FILE: ':memory:',
    ARCHIVE_DIR: join(folder, 'archive'),
    EFFECTS: effectsFile(folder),
    ...secrets,
  };
}

export function effectsFile(folder: string): string {
  return join(folder, 'effects.db');
}

/** The same for every run: nothing of it is secret. */
export function secretOf(path: string): string {
  return hash('sha256', `of a run ${path}`);
}

const secrets = Object.fromEntries(
  sources.flatMap((source: Source) =>
    endpointsOf(source).map((definition) => [
      credentialVariable({ definition, source }),
      secretOf(definition.path),
    ]),
  ),
);

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
