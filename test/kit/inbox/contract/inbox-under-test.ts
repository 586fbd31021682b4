import { afterEach, beforeEach } from '@jest/globals';
import type { Entry, Inbox, NewEntry, Room } from '../../../../src/kit/inbox/inbox.ts';
import { createClock, newEntry } from './entries.ts';

export interface OpenForTest extends Required<Room> {
  /** Every time in the inbox comes from here. */
  readonly now: () => number;
}

export const LEASE_MS = 1_000;
export const MAX_WAITING = 200;
export const MAX_WAITING_BYTES = 10_000;

/** A database of its own for each case takes its time on a slow machine. */
const OPENING_MS = 60_000;

/** The inbox of the case that runs, empty at first, and what the cases do with it again and again. */
export interface InboxUnderTest {
  readonly inbox: Inbox;
  readonly clock: ReturnType<typeof createClock>;
  claim(limit?: number): Promise<Entry[]>;
  /** @throws if another number of them can be claimed */
  claimOne(): Promise<Entry>;
  /** One after the other; returns their numbers. */
  storeAll(...entries: readonly Partial<NewEntry>[]): Promise<number[]>;
  /** Without waiting for one before the next is handed over. */
  storeTogether(entries: readonly Partial<NewEntry>[]): Promise<number[]>;
  deadEntry(members?: Partial<NewEntry>): Promise<Entry>;
  seqsOf(entries: readonly Entry[]): number[];
}

export function createInboxUnderTest(open: (options: OpenForTest) => Promise<Inbox>): InboxUnderTest {
  let clock: ReturnType<typeof createClock>;
  let inbox: Inbox;
  beforeEach(async () => {
    clock = createClock();
    const { now } = clock;
    inbox = await open({ maxWaiting: MAX_WAITING, maxWaitingBytes: MAX_WAITING_BYTES, now });
  }, OPENING_MS);
  afterEach(() => inbox.close());

  const claim = (limit = 100) => inbox.claim({ limit, leaseMs: LEASE_MS });

  async function claimOne(): Promise<Entry> {
    const [entry, ...others] = await claim();
    if (!entry) throw new Error('nothing could be claimed');
    if (others.length > 0) throw new Error(`${others.length + 1} entries claimed, expected one`);
    return entry;
  }

  async function storeOne(members: Partial<NewEntry>): Promise<number> {
    const { entry } = await inbox.store(newEntry(members));
    return entry.seq;
  }

  async function storeAll(...entries: readonly Partial<NewEntry>[]): Promise<number[]> {
    const seqs: number[] = [];
    for (const members of entries) seqs.push(await storeOne(members));
    return seqs;
  }

  async function deadEntry(members: Partial<NewEntry> = {}): Promise<Entry> {
    await storeOne(members);
    const entry = await claimOne();
    await inbox.bury(entry, 'handler_failed: no');
    return entry;
  }

  return {
    get inbox() {
      return inbox;
    },
    get clock() {
      return clock;
    },
    ...{ claim, claimOne, storeAll, deadEntry },
    storeTogether: (entries) => Promise.all(entries.map(storeOne)),
    seqsOf: (entries) => entries.map(({ seq }) => seq),
  };
}
