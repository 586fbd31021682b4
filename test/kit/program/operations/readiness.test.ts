import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it, jest } from '@jest/globals';
import { InboxUnavailable, type Inbox } from '../../../../src/kit/inbox/inbox.ts';
import { createMemoryInbox } from '../../../../src/kit/inbox/memory/inbox.ts';
import { createReadiness, type Readiness } from '../../../../src/kit/program/operations/readiness.ts';
import { createClock, newEntry } from '../../inbox/contract/entries.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

interface Trouble {
  store: boolean;
  claim: boolean;
  read: boolean;
}

/** Readiness over an inbox that fails as told. */
function create(): {
  readonly readiness: Readiness;
  readonly fails: Trouble;
  readonly moveMs: (ms: number) => void;
} {
  const clock = createClock();
  const room = { maxWaiting: 2, maxWaitingBytes: 1_000 };
  const works = createMemoryInbox({ ...room, now: clock.now });
  const fails: Trouble = { store: false, claim: false, read: false };
  const orFail = (what: keyof Trouble) => {
    if (fails[what]) throw new InboxUnavailable('inbox_unavailable', 'as told');
  };
  const inbox: Inbox = {
    ...works,
    store: async (...entry) => {
      orFail('store');
      return works.store(...entry);
    },
    claim: async (options) => {
      orFail('claim');
      return works.claim(options);
    },
    stats: async () => {
      orFail('read');
      return works.stats();
    },
  };
  const readiness = createReadiness({ inbox, room, now: clock.now });
  return {
    readiness,
    fails,
    moveMs: (ms) => clock.move(ms),
  };
}

function store({ inbox }: Readiness, bytes = 10): Promise<unknown> {
  return inbox.store(newEntry({ content: Buffer.alloc(bytes) }));
}

it('is not ready before it is open', async () => {
  const { readiness } = create();
  expect(await readiness.reasons()).toEqual(['starting']);
  readiness.enter('open');
  expect(await readiness.reasons()).toEqual([]);
  readiness.enter('draining');
  expect(await readiness.reasons()).toEqual(['draining']);
});

it('is not ready while the inbox cannot be read', async () => {
  const { readiness, fails } = create();
  readiness.enter('open');
  fails.read = true;
  expect(await readiness.reasons()).toEqual(['inbox_unavailable']);
  fails.read = false;
  expect(await readiness.reasons()).toEqual([]);
});

it('is not ready after a delivery could not be stored, as long as a write would fail', async () => {
  const { readiness, fails, moveMs } = create();
  readiness.enter('open');
  fails.store = fails.claim = true;
  await expect(store(readiness)).rejects.toThrow('as told');
  expect(await readiness.reasons()).toEqual(['inbox_unavailable']);
  moveMs(60_000);
  expect(await readiness.reasons()).toEqual(['inbox_unavailable']);
  fails.claim = false;
  expect(await readiness.reasons()).toEqual([]);
});

it('stays not ready for a moment where only storing fails, and lets the next delivery try', async () => {
  const { readiness, fails, moveMs } = create();
  readiness.enter('open');
  fails.store = true;
  await expect(store(readiness)).rejects.toThrow('as told');
  expect(await readiness.reasons()).toEqual(['inbox_unavailable']);
  moveMs(2_000);
  expect(await readiness.reasons()).toEqual([]);
  await expect(store(readiness)).rejects.toThrow('as told');
  expect(await readiness.reasons()).toEqual(['inbox_unavailable']);
});

it('is ready as soon as a delivery was stored again', async () => {
  const { readiness, fails } = create();
  readiness.enter('open');
  fails.store = true;
  await expect(store(readiness)).rejects.toThrow('as told');
  fails.store = false;
  await store(readiness);
  expect(await readiness.reasons()).toEqual([]);
});

it('is not ready while as many wait as may, or as much', async () => {
  const { readiness } = create();
  readiness.enter('open');
  await store(readiness, 1_000);
  expect(await readiness.reasons()).toEqual(['inbox_full']);
  const other = create().readiness;
  other.enter('open');
  await store(other);
  await store(other);
  expect(await other.reasons()).toEqual(['inbox_full']);
});

it('asks the inbox once, however many ask at the same time', async () => {
  const { readiness } = create();
  readiness.enter('open');
  const [first, second] = [readiness.reasons(), readiness.reasons()];
  expect(await first).toBe(await second);
});

it('is ready again in time though the clock of the system was set back', async () => {
  const works = createMemoryInbox({ maxWaiting: 2 });
  const store = () => Promise.reject(new InboxUnavailable('inbox_unavailable', 'as told'));
  const readiness = createReadiness({ inbox: { ...works, store }, room: undefined });
  readiness.enter('open');
  await expect(readiness.inbox.store(newEntry())).rejects.toThrow('as told');
  const real = Date.now;
  jest.spyOn(Date, 'now').mockImplementation(() => real.call(Date) - 3_600_000);
  await sleep(2_100); // more than the time for which it is not tried again
  expect(await readiness.reasons()).toEqual([]);
});
