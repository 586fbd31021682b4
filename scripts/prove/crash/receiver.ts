import { hash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sources } from '../../../src/kit/sources/index.ts';
import { secretsFor } from '../../../src/lab/rig/secrets.ts';
import { startProgram, type ProgramOptions, type ProgramProcess } from '../../../src/lab/rig/program.ts';

type Options = Omit<ProgramOptions, 'main'>;

export interface Receiver extends ProgramProcess {
  readonly address: URL;
}

/** The program on the handlers of child-main.ts. Resolves when it listens. @throws if it ends before, with what it said */
export async function startReceiver(options: Options): Promise<Receiver> {
  const program = launch(options);
  return { ...program, address: new URL(await program.url()) };
}

/** The same in the role of a worker. @throws if it ends before it works, with what it said */
export async function startWorker({ env, ...options }: Options): Promise<ProgramProcess> {
  const program = launch({ ...options, env: { ...env, ROLE: 'worker' } });
  await program.said(/^Working on (\S+)/m);
  return program;
}

/** Its faults are loaded first: what a test loads besides comes before them in each call. */
function launch({ nodeArguments = [], ...options }: Options): ProgramProcess {
  const faults = ['--import', pathOf('child-faults.ts')];
  return startProgram({
    main: pathOf('child-main.ts'),
    ...options,
    nodeArguments: [...faults, ...nodeArguments],
  });
}

/** What a receiver is set to whose files are in one folder; every endpoint is open. */
export function environmentOf(folder: string, inboxUrl: string): Record<string, string> {
  return {
    PORT: '0',
    ADMIN_PORT: '0',
    LOG_LEVEL: 'error',
    INBOX_URL: inboxUrl,
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

const secrets = secretsFor({ sources }, secretOf);

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
