import { setTimeout as pause } from 'node:timers/promises';
import type { Entry } from '../../../src/kit/inbox/inbox.ts';
import { createRandom, randomBelow } from '../../../src/lab/mock/random.ts';
import { deliveriesOf } from './deliveries.ts';
import { openInbox } from '../../../src/kit/inbox/open.ts';
import { drained } from '../../../src/lab/rig/inboxes.ts';
import { readEffects } from './effects.ts';
import type { Engine } from './engine.ts';
import { deathNote, type FaultVariables } from './fault.ts';
import { inNewFolder } from '../../../src/lab/rig/folder.ts';
import type { EngineName } from '../../../src/lab/rig/inboxes.ts';
import { points, type PointName } from './points.ts';
import { effectsFile, environmentOf, startReceiver, type Receiver } from './receiver.ts';
import { sendAll, unsent, type Sent } from './sending.ts';
import { brokenPromises, tally, type Tally } from './verdict.ts';

export interface CrashOptions {
  readonly engine: Engine;
  /** It dies at the first, is started again, dies at the next. */
  readonly points: readonly PointName[];
  readonly seed: number;
  /** Further modules that the receiver loads before it dies. */
  readonly preloads?: readonly string[];
  /** How long it is given to die. */
  readonly patienceMs?: number;
}

/** One run: a receiver that was killed and started again, and what came of all that it was sent. */
export interface Crash extends Tally {
  readonly engine: EngineName;
  readonly points: readonly PointName[];
  readonly seed: number;
  /** How often it really died, and there. */
  readonly killed: number;
  /** Genuine deliveries answered 2xx before it died for the last time. */
  readonly promised: number;
  /** Nothing, if every promise was kept and the receiver really died there. */
  readonly problems: readonly string[];
}

const CONNECTIONS = 4;
const PATIENCE_MS = 120_000;

/** Kills a receiver while it receives and handles, starts it again, and compares. */
export function playCrash(options: CrashOptions): Promise<Crash> {
  return inNewFolder('crash', (folder) => playIn(folder, options));
}

async function playIn(folder: string, options: CrashOptions): Promise<Crash> {
  const { engine, points: wanted, seed } = options;
  const inboxUrl = await engine.newInbox(folder);
  const env = environmentOf(folder, inboxUrl);
  const sent: Sent[] = [];
  const survivals: string[] = [];
  for (const [index, point] of wanted.entries()) {
    sent.push(...(await deliveriesOf(seed + index * SEEDS_APART)).map(unsent));
    survivals.push(...(await sendUntilDead(sent, env, point, options)));
    await engine.quiet(inboxUrl);
    await engine.lapseLeases(inboxUrl);
  }
  const promised = sent.filter(({ promises }) => promises > 0).length;
  const entries = await recover(sent, env, seed);
  const effects = readEffects(effectsFile(folder));
  return {
    ...{ engine: engine.name, points: wanted, seed, promised },
    killed: wanted.length - survivals.length,
    problems: [...survivals, ...brokenPromises({ sent, entries, effects, deaths: wanted.length })],
    ...tally(entries, effects),
  };
}

/** So that runs with neighbouring seeds send different things. */
const SEEDS_APART = 1_000_000;

type Environment = Readonly<Record<string, string>>;

/** Resolves with words when it did not die there: then the run proves nothing. */
async function sendUntilDead(
  sent: readonly Sent[],
  env: Environment,
  point: PointName,
  { seed, preloads = [], patienceMs = PATIENCE_MS }: CrashOptions,
): Promise<string[]> {
  const at = 1 + randomBelow(points[point].latest, createRandom(seed));
  const fault: FaultVariables = { FAULT_POINT: point, FAULT_AT: String(at) };
  const receiver = await startReceiver({
    env: { ...env, ...fault },
    nodeArguments: preloads.flatMap((file) => ['--import', file]),
  });
  const onAnswer = (answers: number) => {
    if (point === 'outside' && answers === at) receiver.kill();
  };
  await sendAll(receiver.address, sent, { connections: CONNECTIONS, onAnswer });
  const died = await endedWithin(receiver, patienceMs);
  receiver.kill();
  await receiver.ended;
  const there = point === 'outside' || receiver.output().includes(deathNote(point));
  return died && there ? [] : [`the receiver did not die at ${point}, time ${at}:\n${receiver.output()}`];
}

async function endedWithin(receiver: Receiver, ms: number): Promise<boolean> {
  const patience = new AbortController();
  const late = pause(ms, false, { signal: patience.signal }).catch(() => false);
  const died = await Promise.race([receiver.ended.then(({ signal }) => signal === 'SIGKILL'), late]);
  patience.abort();
  return died;
}

/** So many of the deliveries that were answered come once more, as if the answer had been lost on its way. */
const LOST_ANSWERS = 5;

/** Starts it again, sends what has no answer, and resolves with all entries when nothing is left to do. */
async function recover(sent: readonly Sent[], env: Environment, seed: number): Promise<Entry[]> {
  const receiver = await startReceiver({ env });
  try {
    const answered = sent.filter((one) => one.answered);
    const first = randomBelow(Math.max(1, answered.length - LOST_ANSWERS), createRandom(seed));
    for (const one of answered.slice(first, first + LOST_ANSWERS)) one.answered = false;
    await sendAll(receiver.address, sent, { connections: CONNECTIONS });
    return await entriesWhenDrained(env['INBOX_URL'] ?? '');
  } finally {
    receiver.kill();
    await receiver.ended;
  }
}

/** As the command line sees it, beside the running receiver. In the order of acceptance. */
export async function entriesWhenDrained(inboxUrl: string): Promise<Entry[]> {
  const inbox = await openInbox(inboxUrl, { maxWaiting: 1, owner: false });
  try {
    await drained(inbox, PATIENCE_MS);
    return (await inbox.list({ limit: 1_000_000 })).reverse();
  } finally {
    await inbox.close();
  }
}
