import type { Contestant } from '../bench/contestant.ts';
import type { Workplace } from '../bench/workplace.ts';
import { ofAllSources, type Deliveries } from './deliveries.ts';
import { createLedger, type Settled } from './ledger.ts';
import { handledFile, startReceiver } from './receiver.ts';
import { isAccepted, sendAll } from './sending.ts';
import { drained, type EngineName } from '../../../src/lab/rig/inboxes.ts';
import { openStore, tidyUpOften, type Store } from './store.ts';

export interface DayOptions extends Workplace {
  readonly engine: EngineName;
  readonly deliveries: number;
  /** No faster than this, and slower if they are not handled as fast. */
  readonly perSecond: number;
  /** Told what to print at every twentieth part of the day. */
  readonly onPart: (sample: Sample) => void;
}

/** How it was at one moment. */
export interface Sample {
  /** Deliveries accepted, duplicates included. */
  readonly delivered: number;
  /** Since the last sample. */
  readonly perSecond: number;
  /** Of the receiver. */
  readonly residentMegabytes: number;
  readonly inboxMegabytes: number;
  readonly waiting: number;
  readonly done: number;
}

export interface Day extends Settled {
  /** From beginning to end, at equal distances. */
  readonly samples: readonly Sample[];
  /** Replies other than 2xx, and requests without any. */
  readonly refused: number;
  /** Whether all was handled in the end. */
  readonly drained: boolean;
  readonly seconds: number;
}

const SAMPLES = 100;
const PARTS = 20;
/** More than the handlers take in a moment: they are never idle, and the inbox does not grow. */
const MOST_WAITING = 2_000;
const DRAIN_MS = 120_000;

/** Delivers a day's events to one receiver, evenly, and looks at it a hundred times. */
export async function liveDay(options: DayOptions): Promise<Day> {
  const { engine, deliveries, perSecond, directory, inboxes, onPart } = options;
  const inboxUrl = await inboxes.urlOf(engine, 'inbox');
  if (engine === 'postgres') await tidyUpOften(inboxUrl);
  const receiver = await startReceiver({ directory, inboxUrl, retentionMs: retentionMs(deliveries) });
  const store = await openStore(inboxUrl);
  const ledger = createLedger(handledFile(directory), deliveries);
  const began = performance.now();
  const sampled = sampling(deliveries, onPart, { receiver, store });
  let refused = 0;
  await sendAll(numbersOf(deliveries, ofAllSources), {
    ...{ port: receiver.port, deliveries: ofAllSources, ledger },
    holds: () => sampled.isEarly(perSecond) || ledger.promised() - ledger.runs() > MOST_WAITING,
    onReply(status) {
      if (isAccepted(status)) sampled.accepted();
      else refused += 1;
    },
  });
  await sampled.settled();
  const isDrained = await drained(store, DRAIN_MS);
  const seconds = (performance.now() - began) / 1000;
  await store.close();
  await receiver.kill();
  return { ...ledger.settle(), samples: sampled.samples, refused, drained: isDrained, seconds };
}

/** A tenth of a day or less, and long enough for a duplicate to be known for one. */
function retentionMs(deliveries: number): number {
  return Math.max(5_000, deliveries / 40);
}

const REPEATED = 20;
/** So many numbers later; no multiple of the above, or it would be the repeated ones that are repeated. */
const LATER = 99;

/** Every twentieth is one that was delivered before. */
function* numbersOf(deliveries: number, events: Deliveries): Generator<number> {
  for (let number = 0; number < deliveries; number += 1) {
    const before = number - LATER;
    yield number % REPEATED === 0 && before >= 0 && events.hasId(before) ? before : number;
  }
}

interface Watched {
  readonly receiver: Contestant;
  readonly store: Store;
}

/** Takes a sample after each hundredth of all deliveries, one after the other. */
function sampling(deliveries: number, onPart: DayOptions['onPart'], watched: Watched) {
  const samples: Sample[] = [];
  let accepted = 0;
  let asked = 0;
  let last = { at: performance.now(), accepted: 0 };
  let taking = Promise.resolve();
  const began = performance.now();

  async function take(): Promise<void> {
    const now = { at: performance.now(), accepted };
    const perSecond = ((now.accepted - last.accepted) * 1000) / (now.at - last.at);
    last = now;
    samples.push({ delivered: now.accepted, perSecond, ...(await look(watched)) });
    const sample = samples.at(-1);
    if (sample && samples.length % (SAMPLES / PARTS) === 0) onPart(sample);
  }

  return {
    samples,
    accepted() {
      accepted += 1;
      if (accepted >= ((asked + 1) * deliveries) / SAMPLES) {
        asked += 1;
        taking = taking.then(take);
        taking.catch(() => undefined); // told by `settled`
      }
    },
    /** Whether more is accepted than should be by now. */
    isEarly: (perSecond: number) => accepted > ((performance.now() - began) * perSecond) / 1000,
    settled: async () => taking,
  };
}

async function look({ receiver, store }: Watched): Promise<Omit<Sample, 'delivered' | 'perSecond'>> {
  const { waiting, running, done } = await store.stats();
  return {
    residentMegabytes: receiver.residentMegabytes(),
    inboxMegabytes: await store.megabytes(),
    waiting: waiting + running,
    done,
  };
}
