import { setTimeout as pause } from 'node:timers/promises';
import type { Entry, Inbox } from '../../../src/kit/inbox/inbox.ts';
import { openInbox } from '../../../src/kit/inbox/open.ts';
import { createRandom, randomBelow, type Random } from '../../../src/lab/mock/random.ts';
import { deliveriesOf } from './deliveries.ts';
import { readEffects } from './effects.ts';
import type { Engine } from './engine.ts';
import { inNewFolder } from '../../../src/lab/rig/folder.ts';
import type { ProgramProcess } from '../../../src/lab/rig/program.ts';
import { effectsFile, environmentOf, startReceiver, startWorker } from './receiver.ts';
import { sendToAny, unsent } from './sending.ts';
import { brokenPromises, tally, type Tally } from './verdict.ts';

export interface MachinesOptions {
  /** PostgreSQL: the machines have an inbox in common. */
  readonly engine: Engine;
  readonly deliveries: number;
  /** So often a receiver and a worker are killed. */
  readonly kills: number;
  readonly seed: number;
  /** What the dead hold is waited for, a minute at most, or lapses as soon as nothing else is left to do. */
  readonly leases: 'wait' | 'lapse';
}

/** What came of two receivers and two workers, of which one each was killed again and again. */
export interface Machines extends Tally {
  readonly seed: number;
  /** Of processes, receivers and workers together. */
  readonly kills: number;
  readonly sent: number;
  readonly promised: number;
  readonly seconds: number;
  readonly problems: readonly string[];
}

const CONNECTIONS = 16;

/** Starts four processes on one inbox, kills half of them again and again, and compares. */
export function playMachines(options: MachinesOptions): Promise<Machines> {
  return inNewFolder('crash', (folder) => playIn(folder, options));
}

async function playIn(folder: string, options: MachinesOptions): Promise<Machines> {
  const { engine, deliveries, kills, seed } = options;
  const begun = performance.now();
  const inboxUrl = await engine.newInbox(folder);
  const env = environmentOf(folder, inboxUrl);
  const receivers = await startPair(() => startReceiver({ env: { ...env, ROLE: 'receiver' } }));
  const workers = await startPair(() => startWorker({ env }));
  try {
    const sent = (await deliveriesOf(seed, deliveries)).map(unsent);
    const disasters = planKills(options, [receivers, workers]);
    const urls = () => receivers.running().map(({ address }) => address);
    await sendToAny(urls, sent, { connections: CONNECTIONS, onAnswer: disasters.strike });
    const died = await disasters.over();
    const entries = await entriesInTheEnd(inboxUrl, options);
    const effects = readEffects(effectsFile(folder));
    return {
      ...{ seed, kills: died, sent: sent.length },
      promised: sent.filter(({ promises }) => promises > 0).length,
      ...tally(entries, effects),
      seconds: Math.round((performance.now() - begun) / 1_000),
      problems: [
        ...(died < 2 * kills ? [`only ${died} of ${2 * kills} processes were killed`] : []),
        ...brokenPromises({ sent, entries, effects, deaths: died }),
      ],
    };
  } finally {
    await Promise.all([receivers.killAll(), workers.killAll()]);
  }
}

/** Two of a kind, of which one at a time may be dead. */
interface Pair<Kind extends ProgramProcess> {
  running(): readonly Kind[];
  killOne(random: Random): Promise<void>;
  killAll(): Promise<void>;
}

async function startPair<Kind extends ProgramProcess>(start: () => Promise<Kind>): Promise<Pair<Kind>> {
  let alive: readonly Kind[] = await Promise.all<Kind>([start(), start()]);
  return {
    running: () => alive,
    async killOne(random) {
      const victim = alive[randomBelow(alive.length, random)];
      victim?.kill();
      await victim?.ended;
      alive = alive.filter((one) => one !== victim);
      const next = await start();
      alive = [...alive, next];
    },
    async killAll() {
      for (const one of alive) one.kill();
      await Promise.all(alive.map(({ ended }) => ended));
    },
  };
}

/** Kills one of each pair after so many answers, at moments that the seed says, and not before the last one is back. */
function planKills({ deliveries, kills, seed }: MachinesOptions, pairs: readonly Pair<ProgramProcess>[]) {
  const random = createRandom(seed);
  const part = deliveries / (kills + 1);
  const moments = Array.from({ length: kills }, (_, index) => Math.round(part * (index + 0.5 + random())));
  let last = Promise.resolve();
  let died = 0;
  const strike = async () => {
    await Promise.all(pairs.map((pair) => pair.killOne(random)));
    died += pairs.length;
  };
  return {
    strike: (answers: number): void => {
      if (!moments.includes(answers)) return;
      last = last.then(strike);
      last.catch(() => undefined); // is heard of when all is over
    },
    /** Resolves with how many died. */
    over: () => last.then(() => died),
  };
}

const POLL_MS = 100;
/** When nothing has changed for so long, all that still runs is what the dead held. */
const STILL_MS = 1_000;
const PATIENCE_MS = 180_000;

async function entriesInTheEnd(inboxUrl: string, { engine, leases }: MachinesOptions): Promise<Entry[]> {
  const inbox = await openInbox(inboxUrl, { maxWaiting: 1, owner: false });
  try {
    const stillSince = createStillness(inbox);
    const begun = performance.now();
    while (performance.now() - begun < PATIENCE_MS) {
      const { waiting, running } = await inbox.stats();
      if (waiting + running === 0) break;
      if (leases === 'lapse' && (await stillSince()) > STILL_MS) await engine.lapseLeases(inboxUrl);
      await pause(POLL_MS);
    }
    return (await inbox.list({ limit: 1_000_000 })).reverse();
  } finally {
    await inbox.close();
  }
}

/** For how many milliseconds the same claims have been all that runs. */
function createStillness(inbox: Inbox): () => Promise<number> {
  let before = '';
  let since = performance.now();
  return async () => {
    const running = await inbox.list({ status: 'running', limit: 1_000 });
    const now = running.map(({ seq, claims }) => `${seq}/${claims}`).join();
    if (now !== before) since = performance.now();
    before = now;
    return performance.now() - since;
  };
}
