import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { residentMegabytes, startProgram, type ProgramProcess } from '../../../src/lab/rig/program.ts';
import { ContestantFailed } from './load.ts';
import { processorSeconds } from './processor.ts';
import { secrets } from './requests.ts';

/** A server under measurement, in a process of its own. */
export interface Contestant {
  readonly name: string;
  readonly port: number;
  /** Gets rid of what would slow its next turn down. */
  afterTurn: () => Promise<void>;
  /** Stops it in its tracks, so that what it has left to do takes no time from another one. */
  pause(): void;
  resume(): void;
  /** NaN where the operating system does not say. */
  residentMegabytes(): number;
  /** Spent since it began, with the servers that it keeps its deliveries in; NaN likewise. */
  readonly processorSeconds: () => number;
  kill(): Promise<void>;
}

/** The kit with handlers that wait (contestants/held.ts). */
export interface HeldContestant extends Contestant {
  readonly inboxUrl: string;
  readonly obey: (order: HeldOrder) => Promise<HeldAnswer>;
  /** Lets the handlers go until nothing is left, and then holds them again. */
  drain(): Promise<void>;
}

export interface HeldOrder {
  /** So many entries, without deliveries. */
  readonly store?: number;
  readonly handlers?: 'wait' | 'go';
  /** Without looking into the inbox, which takes its time where much is kept. */
  readonly only?: 'handled';
}

export interface HeldAnswer {
  /** Entries waiting or running; what was asked for was only how many were handled: NaN. */
  readonly left: number;
  /** By this process, ever. */
  readonly handled: number;
}

type Environment = Readonly<Record<string, string>>;

/** Starts a file of this folder and waits until it listens. */
export async function startContestant(
  name: string,
  file: string,
  env: Environment = {},
  servers: readonly number[] = [],
): Promise<Contestant> {
  const program = launch(new URL(file, import.meta.url), env);
  return contestant(name, program, await portOf(program, name), servers);
}

/** The example in the role of a worker, which no delivery reaches. */
export async function startWorker(name: string, env: Environment): Promise<Contestant> {
  const program = launch(new URL('../../../src/example/main.ts', import.meta.url), {
    ...env,
    ROLE: 'worker',
  });
  await program.said(/^Working on (\S+)/m);
  return contestant(name, program, 0, []);
}

const A_DAY_MS = '86400000';

export interface HeldOptions {
  /** The folder of another version of the kit. */
  readonly checkout?: string | undefined;
  /** Processes whose time is its time. */
  readonly servers?: readonly number[];
}

/** What piles up in memory is handled after each turn; a file does not mind, and would take too long. */
export async function startHeld(
  name: string,
  env: Environment & { readonly INBOX_URL: string },
  { checkout, servers = [] }: HeldOptions = {},
): Promise<HeldContestant> {
  const program = launch(heldFile(checkout), { ...env, HANDLER_TIMEOUT_MS: A_DAY_MS });
  const common = contestant(name, program, await portOf(program, name), servers);
  const obey = async (order: HeldOrder) => {
    program.child.send(order);
    // It answers every order with this, and says nothing else.
    const [answer] = (await once(program.child, 'message')) as [HeldAnswer];
    return answer;
  };
  const afterTurn = env.INBOX_URL === 'memory:' ? () => drain(obey) : common.afterTurn;
  return { ...common, inboxUrl: env.INBOX_URL, obey, drain: () => drain(obey), afterTurn };
}

/** Every version of the kit has one, and is given the same orders. */
function heldFile(checkout: string | undefined): URL {
  const here = new URL('contestants/held.ts', import.meta.url);
  if (checkout === undefined) return here;
  const there = ['scripts/prove/bench', 'scripts/bench'].map(
    (folder) => `${checkout}/${folder}/contestants/held.ts`,
  );
  const found = there.find((file) => existsSync(file));
  if (found === undefined)
    throw new ContestantFailed('That version of the kit has no bench to be measured with.');
  return pathToFileURL(found);
}

const POLL_MS = 20;

async function drain(obey: HeldContestant['obey']): Promise<void> {
  let { left } = await obey({ handlers: 'go' });
  while (left > 0) {
    await sleep(POLL_MS);
    ({ left } = await obey({}));
  }
  await obey({ handlers: 'wait' });
}

/** What it logs goes to /dev/null, of all alike. */
function launch(file: URL, env: Environment): ProgramProcess {
  return startProgram({
    main: fileURLToPath(file),
    env: { ...secrets, PORT: '0', ADMIN_PORT: 'off', LOG_LEVEL: 'info', RECORDS_FILE: ':memory:', ...env },
    measured: true,
  });
}

function contestant(
  name: string,
  program: ProgramProcess,
  port: number,
  servers: readonly number[],
): Contestant {
  return {
    name,
    port,
    afterTurn: async () => undefined,
    pause: () => signal(program, 'SIGSTOP'),
    resume: () => signal(program, 'SIGCONT'),
    residentMegabytes: () => residentMegabytes(program),
    processorSeconds: () => processorSeconds([program.child.pid ?? 0, ...servers]),
    kill: async () => {
      program.kill();
      await program.ended;
    },
  };
}

/** Windows knows neither; there what one has left to do disturbs the next. */
function signal(program: ProgramProcess, name: 'SIGSTOP' | 'SIGCONT'): void {
  if (process.platform !== 'win32') program.kill(name);
}

async function portOf(program: ProgramProcess, name: string): Promise<number> {
  const url = await program.url().catch(() => {
    throw new ContestantFailed(`${name} ended before it was measured:\n${program.output()}`);
  });
  return Number(new URL(url).port);
}
