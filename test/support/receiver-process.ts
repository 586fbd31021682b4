import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './until.ts';

/** The receiver as the process that `npm start` makes of it. */
export interface ReceiverProcess {
  /** Everything it has written so far, to both streams. */
  output(): string;
  /** Resolves with its address, and rejects if it ends without ever listening. */
  url(): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ending>;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessOptions {
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Where it runs: its `.env` and `data` are there. */
  readonly folder: string;
  /** A file that exports createHandlers and createSteps, in place of the handlers folder. */
  readonly handlers?: string;
}

const project = join(import.meta.dirname, '..', '..');

export function startProcess({ env, folder, handlers }: ProcessOptions): ReceiverProcess {
  const preload =
    handlers === undefined ? [] : ['--import', join(import.meta.dirname, 'child-own-handlers.ts')];
  const child = spawn(process.execPath, [...preload, ...startArguments()], {
    cwd: folder,
    env: { ADMIN_PORT: 'off', ...env, ...(handlers === undefined ? {} : { OWN_HANDLERS: handlers }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let over = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = new Promise<Ending>((resolve) => {
    child.on('close', (code, signal) => {
      over = true;
      resolve({ code, signal });
    });
  });
  const address = () => /^Listening on (\S+)$/m.exec(output)?.[1];
  return {
    output: () => output,
    async url() {
      await until('the receiver listens', () => over || address() !== undefined);
      const url = address();
      if (url === undefined) throw new Error(`The receiver did not start:\n${output}`);
      return url;
    },
    kill: (signal) => void child.kill(signal),
    ended,
  };
}

/** What `npm start` gives to Node, with the program's whole path: a test runs it in another folder. */
function startArguments(): string[] {
  // package.json is ours.
  const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  const [, ...args] = scripts.start.split(' ');
  return args.map((arg) => (arg === 'src/main.ts' ? join(project, arg) : arg));
}
