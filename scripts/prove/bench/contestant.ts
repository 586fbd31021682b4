import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ContestantFailed } from './load.ts';
import { secrets } from './requests.ts';
import { residentMegabytes } from './resident.ts';

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
  kill(): Promise<void>;
}

/** The kit with handlers that wait (contestants/held.ts). */
export interface HeldContestant extends Contestant {
  obey(order: HeldOrder): Promise<HeldAnswer>;
  /** Lets the handlers go until nothing is left, and then holds them again. */
  drain(): Promise<void>;
}

export interface HeldOrder {
  /** So many entries, without deliveries. */
  readonly store?: number;
  readonly handlers?: 'wait' | 'go';
}

export interface HeldAnswer {
  /** Entries waiting or running. */
  readonly left: number;
}

type Environment = Readonly<Record<string, string>>;

const alive = new Set<ChildProcess>();

/** For the end of this process, however it ends: a paused child would otherwise stay for ever. */
export function killAll(): void {
  for (const child of alive) child.kill('SIGKILL');
}

/** Starts a file of this folder and waits until it listens. */
export async function startContestant(
  name: string,
  file: string,
  env: Environment = {},
): Promise<Contestant> {
  const child = launch(file, env);
  return contestant(name, child, await portOf(child, name));
}

const A_DAY_MS = '86400000';

/** What piles up in memory is handled after each turn; a file does not mind, and would take too long. */
export async function startHeld(
  name: string,
  env: Environment & { readonly INBOX_URL: string },
): Promise<HeldContestant> {
  const child = launch('contestants/held.ts', { ...env, HANDLER_TIMEOUT_MS: A_DAY_MS });
  const common = contestant(name, child, await portOf(child, name));
  const obey = async (order: HeldOrder) => {
    child.send(order);
    // It answers every order with this, and says nothing else.
    const [answer] = (await once(child, 'message')) as [HeldAnswer];
    return answer;
  };
  const afterTurn = env.INBOX_URL === 'memory:' ? () => drain(obey) : common.afterTurn;
  return { ...common, obey, drain: () => drain(obey), afterTurn };
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
function launch(file: string, env: Environment): ChildProcess {
  const child = spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url))], {
    env: { ...secrets, PORT: '0', ADMIN_PORT: 'off', LOG_LEVEL: 'info', RECORDS_FILE: ':memory:', ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  alive.add(child);
  child.once('exit', () => alive.delete(child));
  return child;
}

function contestant(name: string, child: ChildProcess, port: number): Contestant {
  return {
    name,
    port,
    afterTurn: async () => undefined,
    pause: () => signal(child, 'SIGSTOP'),
    resume: () => signal(child, 'SIGCONT'),
    residentMegabytes: () => residentMegabytes(child.pid ?? 0),
    kill: async () => {
      if (!alive.has(child)) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** Windows knows neither; there what one has left to do disturbs the next. */
function signal(child: ChildProcess, name: 'SIGSTOP' | 'SIGCONT'): void {
  if (process.platform !== 'win32') child.kill(name);
}

function portOf(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    child.once('error', reject);
    child.once('exit', () =>
      reject(new ContestantFailed([`${name} ended before it was measured:`, ...said].join('\n'))),
    );
    if (child.stderr === null) throw new Error('Contestants are started with a pipe for what they say.');
    // Read to the end: a full pipe would stop the contestant.
    createInterface(child.stderr).on('line', (line) => {
      said.push(line);
      const port = /^Listening on http:\/\/127\.0\.0\.1:(\d+)$/.exec(line)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });
}
