import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DeadLetter } from '../../../../src/kit/errors.ts';
import type { Attempted } from '../../../../src/kit/inbox/worker/attempt.ts';
import type { Entry, Inbox } from '../../../../src/kit/inbox/inbox.ts';
import { createMemoryInbox } from '../../../../src/kit/inbox/memory/inbox.ts';
import { openSqliteInbox } from '../../../../src/kit/inbox/sqlite/inbox.ts';
import { createWorker, type Worker, type WorkerOptions } from '../../../../src/kit/inbox/worker/worker.ts';
import { createClock, newEntry } from '../contract/entries.ts';
import { newFolder } from '../../../support/fixtures.ts';

const HOUR_MS = 3_600_000;

let clock: ReturnType<typeof createClock>;
let inbox: Inbox;
let attempts: (Attempted & { readonly seq: number })[];
let workers: Worker[];
beforeEach(() => {
  clock = createClock();
  inbox = createMemoryInbox({ maxWaiting: 1_000, now: clock.now });
  attempts = [];
  workers = [];
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.stop(0)));
});

/** A handler that says a few words, or nothing. */
type Run = (entry: Entry, signal: AbortSignal) => Promise<string | undefined | void>;

function startWorker(run: Run, options: Partial<WorkerOptions> = {}): Worker {
  const worker = createWorker({
    inbox,
    run: async (entry, signal) => ({ note: (await run(entry, signal)) ?? undefined }),
    concurrency: 4,
    maxAttempts: 3,
    handlerTimeoutMs: 10_000,
    graceMs: 20,
    now: clock.now,
    onAttempt: ({ seq }, attempted) => attempts.push({ ...attempted, seq }),
    ...options,
  });
  workers.push(worker);
  worker.start();
  return worker;
}

async function stored(members: Parameters<typeof newEntry>[0] = {}): Promise<number> {
  return (await inbox.store(newEntry(members))).entry.seq;
}

/** A handler that runs until it is told to end, or until its signal aborts. */
function createSlowHandler() {
  const started: Entry[] = [];
  const end = new AbortController();
  return {
    started,
    end: () => end.abort(),
    run: async (entry: Entry, signal: AbortSignal) => {
      started.push(entry);
      const over = AbortSignal.any([signal, end.signal]);
      if (!over.aborted) await once(over, 'abort');
      signal.throwIfAborted();
    },
  };
}

describe('a worker', () => {
  it('runs what waits, and what comes later, and keeps the words of the handler', async () => {
    const early = await stored();
    const worker = startWorker(async ({ seq }) => `handled ${seq}`);
    const late = await stored();
    await worker.idle();

    expect(await inbox.find(early)).toMatchObject({ status: 'done', note: `handled ${early}` });
    expect(await inbox.find(late)).toMatchObject({ status: 'done', note: `handled ${late}` });
    expect(attempts).toContainEqual({
      seq: early,
      outcome: 'done',
      note: `handled ${early}`,
      ms: expect.any(Number),
    });
  });

  it('takes up a new entry without being asked, and at once', async () => {
    const handled = new Promise<Entry>((resolve) => {
      startWorker(async (entry) => resolve(entry));
    });
    const seq = await stored();
    expect((await handled).seq).toBe(seq);
  });

  it('runs alone what was interrupted, and the rest at the same time again', async () => {
    const interrupted = [await stored(), await stored()];
    await inbox.claim({ limit: 2, leaseMs: 1_000 });
    clock.move(1_000);
    for (let count = 0; count < 3; count++) await stored();
    let now = 0;
    const beside = new Map<number, number>();
    const worker = startWorker(async ({ seq }) => {
      now += 1;
      await turns();
      beside.set(seq, now);
      await turns();
      now -= 1;
    });
    await worker.idle();
    expect(interrupted.map((seq) => beside.get(seq))).toEqual([1, 1]);
    expect(Math.max(...beside.values())).toBeGreaterThan(1);
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done', 'done', 'done']);
  });

  it('does not give up what waits behind the one that ends the process each time', async () => {
    const seqs = [await stored(), await stored(), await stored()];
    for (const expected of [seqs, seqs.toReversed()]) {
      await inbox.claim({ limit: 3, leaseMs: 1_000 });
      clock.move(1_000);
      const slow = createSlowHandler();
      const worker = startWorker(slow.run);
      await turns();
      expect(slow.started.map(({ seq }) => seq)).toEqual(expected.slice(0, 1));
      await worker.stop(0);
    }
  });

  it('gives back what waits to run alone when it stops', async () => {
    const [first, second] = [await stored(), await stored()];
    await inbox.claim({ limit: 2, leaseMs: 1_000 });
    clock.move(1_000);
    const slow = createSlowHandler();
    const worker = startWorker(slow.run);
    await turns();
    expect(slow.started.map(({ seq }) => seq)).toEqual([first]);
    await worker.stop(0);
    expect(await inbox.find(second)).toMatchObject({ status: 'waiting', attempts: 1 });
  });

  it('runs so many handlers at the same time and no more', async () => {
    const slow = createSlowHandler();
    const worker = startWorker(slow.run, { concurrency: 3 });
    for (let count = 0; count < 5; count++) await stored();
    await turns();
    expect(slow.started).toHaveLength(3);
    slow.end();
    await worker.idle();
    expect(slow.started).toHaveLength(5);
  });

  it('begins the next handler when one has ended, though its outcome is not recorded yet', async () => {
    const recording = heldBack();
    const engine = inbox;
    inbox = { ...engine, done: recording.after((claimed, result) => engine.done(claimed, result)) };
    for (let count = 0; count < 9; count++) await stored();
    const begun: number[] = [];
    const worker = startWorker(async ({ seq }) => void begun.push(seq), { concurrency: 2 });
    await turns();
    // And no more than four times as many: a process that ends now has all of them run once more.
    expect(begun).toHaveLength(8);
    expect(attempts).toEqual([]);
    recording.goOn();
    await worker.idle();
    expect(begun).toHaveLength(9);
    expect(attempts.map(({ outcome }) => outcome)).toEqual(Array(9).fill('done'));
  });

  it('asks for more before what it handed over in this turn is committed', async () => {
    const asked: string[] = [];
    const engine = inbox;
    inbox = {
      ...engine,
      async claim(options) {
        asked.push('claim');
        return engine.claim(options);
      },
      async done(claimed, result) {
        asked.push('done');
        await new Promise((resolve) => setImmediate(resolve));
        asked.push('commit');
        await engine.done(claimed, result);
      },
    };
    for (let count = 0; count < 4; count++) await stored();
    await startWorker(() => Promise.resolve(), { concurrency: 2 }).idle();
    const cycle = ['claim', 'done', 'done'];
    expect(asked.slice(0, 6)).toEqual([...cycle, ...cycle]);
  });

  it('never runs two entries of one subject at the same time', async () => {
    const slow = createSlowHandler();
    const worker = startWorker(slow.run);
    const [first, second] = [await stored({ subject: 's' }), await stored({ subject: 's' })];
    await turns();
    expect(slow.started.map(({ seq }) => seq)).toEqual([first]);
    slow.end();
    await worker.idle();
    expect(slow.started.map(({ seq }) => seq)).toEqual([first, second]);
  });

  it('tries again after the backoff, and buries the entry after its last attempt', async () => {
    const seq = await stored();
    const worker = startWorker(() => Promise.reject(new Error('no connection')), { random: () => 0 });

    await worker.idle();
    expect(await inbox.find(seq)).toMatchObject({
      status: 'waiting',
      dueAt: clock.now() + 1_000,
      note: expect.stringContaining('handler_failed: no connection'),
    });
    clock.move(1_000);
    await worker.idle();
    expect(await inbox.find(seq)).toMatchObject({ status: 'waiting', dueAt: clock.now() + 5_000 });
    clock.move(5_000);
    await worker.idle();
    expect(await inbox.find(seq)).toMatchObject({
      status: 'dead',
      note: expect.stringContaining('handler_failed: no connection'),
    });
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['retry', 'retry', 'dead']);
  });

  it('buries at once what its handler gives up', async () => {
    const seq = await stored();
    await startWorker(() => Promise.reject(new DeadLetter('payload_invalid', 'id: invalid_type'))).idle();
    expect(await inbox.find(seq)).toMatchObject({
      status: 'dead',
      note: 'payload_invalid: id: invalid_type',
    });
  });

  it('survives handlers that throw at once, throw no error, or say too much', async () => {
    const runs: Run[] = [
      () => {
        throw new Error('at once');
      },
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- handlers may throw anything
      () => Promise.reject('a text'),
      () => Promise.reject(new Error('x'.repeat(100_000))),
    ];
    for (const run of runs) {
      const seq = await stored();
      await startWorker(run, { maxAttempts: 1 }).idle();
      const entry = await inbox.find(seq);
      expect(entry?.status).toBe('dead');
      expect(entry?.note?.length).toBeLessThan(1_200);
      await workers.pop()?.stop(0);
    }
  });

  it('lets one bad entry hold up nobody else', async () => {
    const bad = await stored({ subject: 'bad' });
    const good = [await stored(), await stored({ subject: 'good' })];
    await startWorker(
      ({ subject }) => (subject === 'bad' ? Promise.reject(new Error('no')) : Promise.resolve()),
      {
        concurrency: 1,
      },
    ).idle();
    expect((await inbox.find(bad))?.status).toBe('waiting');
    for (const seq of good) expect((await inbox.find(seq))?.status).toBe('done');
  });

  it('ends an attempt whose handler is late, and tells the handler by its signal', async () => {
    const seq = await stored();
    const slow = createSlowHandler();
    await startWorker(slow.run, { handlerTimeoutMs: 20 }).idle();
    expect(await inbox.find(seq)).toMatchObject({
      status: 'waiting',
      note: 'handler_late: not done within 20 ms',
    });
  });

  it('goes on without a handler that does not listen to its signal', async () => {
    const seq = await stored();
    const deaf = () => new Promise<void>(() => undefined);
    await startWorker(deaf, { handlerTimeoutMs: 10, graceMs: 10, maxAttempts: 1 }).idle();
    expect(await inbox.find(seq)).toMatchObject({
      status: 'dead',
      note: 'handler_late: not done within 10 ms',
    });
  });

  it('counts a handler as done that was late but ends its work within the grace', async () => {
    const seq = await stored();
    await startWorker(
      async (_entry, signal) => {
        await once(signal, 'abort');
        return 'just made it';
      },
      { handlerTimeoutMs: 10, graceMs: 5_000 },
    ).idle();
    expect(await inbox.find(seq)).toMatchObject({ status: 'done', note: 'just made it' });
  });

  it('keeps its lease while a handler runs', async () => {
    const seq = await stored();
    const slow = createSlowHandler();
    const worker = startWorker(slow.run, { leaseMs: 30 });
    await until(async () => ((await inbox.find(seq))?.leaseUntil ?? 0) > clock.now());
    clock.move(25);
    await until(async () => ((await inbox.find(seq))?.leaseUntil ?? 0) === clock.now() + 30);
    slow.end();
    await worker.idle();
    expect(slow.started).toHaveLength(1);
  });

  it('stops a handler whose lease was lost, and leaves the entry to whoever has it', async () => {
    const seq = await stored();
    const slow = createSlowHandler();
    const worker = startWorker(slow.run, { leaseMs: 60, concurrency: 1 });
    await until(async () => (await inbox.find(seq))?.status === 'running');
    clock.move(HOUR_MS);
    const [held] = await inbox.claim({ limit: 1, leaseMs: HOUR_MS });
    await worker.idle();
    expect(attempts).toMatchObject([{ outcome: 'retry', note: expect.stringContaining('lease was lost') }]);
    expect(await inbox.find(seq)).toEqual(held);
  });

  it('buries an entry, without running it, when even its last attempt was interrupted', async () => {
    const seq = await stored();
    for (let attempt = 1; attempt <= 3; attempt++) {
      await inbox.claim({ limit: 1, leaseMs: 1 });
      clock.move(1);
    }
    const slow = createSlowHandler();
    await startWorker(slow.run).idle();
    expect(slow.started).toEqual([]);
    expect(await inbox.find(seq)).toMatchObject({
      status: 'dead',
      note: expect.stringMatching(/^handler_failed: the last attempt was interrupted/),
    });
  });
});

describe('a worker that is stopped', () => {
  it('gives back in time what does not stop, even if handlers usually have longer for it', async () => {
    const seq = await stored();
    let started = false;
    const worker = startWorker(
      () => {
        started = true;
        return new Promise(() => undefined);
      },
      { graceMs: 60_000 },
    );
    await until(async () => started);
    await worker.stop(40);
    expect(await inbox.find(seq)).toMatchObject({ status: 'waiting', attempts: 0 });
  });

  it('waits for the handlers that run, and takes nothing new', async () => {
    const [first, second] = [await stored({ subject: 's' }), await stored({ subject: 's' })];
    const slow = createSlowHandler();
    const worker = startWorker(slow.run);
    await until(async () => slow.started.length === 1);
    const stopped = worker.stop(10_000);
    slow.end();
    await stopped;
    expect((await inbox.find(first))?.status).toBe('done');
    expect(await inbox.find(second)).toMatchObject({ status: 'waiting', attempts: 0 });
  });

  it('aborts the handlers that do not end in time and gives their entries back, the attempt uncounted', async () => {
    const seq = await stored();
    const slow = createSlowHandler();
    const worker = startWorker(slow.run);
    await until(async () => slow.started.length === 1);
    await worker.stop(10);
    expect(await inbox.find(seq)).toMatchObject({ status: 'waiting', attempts: 0, claims: 1 });
    expect(attempts).toMatchObject([
      { outcome: 'retry', note: 'interrupted: the receiver is shutting down' },
    ]);
  });

  it('does not wait for ever for a handler that is deaf', async () => {
    const seq = await stored();
    const worker = startWorker(() => new Promise<void>(() => undefined));
    await until(async () => (await inbox.find(seq))?.status === 'running');
    await worker.stop(10);
    expect(await inbox.find(seq)).toMatchObject({ status: 'waiting', attempts: 0 });
  });
});

describe('a worker on a file', () => {
  let file: string;
  beforeEach(() => {
    file = join(newFolder(), 'inbox.db');
    inbox = openSqliteInbox(file, { maxWaiting: 1_000, now: clock.now });
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop(0)));
    await inbox.close();
  });

  it('notices what another process replays', async () => {
    const seq = await stored();
    await inbox.bury(await claimed(), 'no');
    startWorker(() => Promise.resolve());
    await turns();

    const beside = openSqliteInbox(file, { maxWaiting: 1_000, now: clock.now, owner: false });
    await beside.replay(seq);
    await beside.close();

    await until(async () => (await inbox.find(seq))?.status === 'done');
  });

  it('says once that the inbox does not work, and goes on when it does', async () => {
    const seq = await stored();
    const troubles: unknown[] = [];
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    startWorker(() => Promise.resolve(), { onTrouble: (error) => troubles.push(error) });
    await until(async () => troubles.length > 0);
    other.exec('ROLLBACK');
    other.close();

    await until(async () => (await inbox.find(seq))?.status === 'done');
    expect(troubles).toMatchObject([{ code: 'inbox_unavailable' }]);
  });

  it('writes down what a handler did when the inbox works again, instead of doing it again', async () => {
    const seq = await stored();
    let runs = 0;
    const other = new DatabaseSync(file);
    const worker = startWorker(
      async () => {
        runs += 1;
        other.exec('BEGIN IMMEDIATE');
      },
      {
        onTrouble: () => other.exec('ROLLBACK'),
      },
    );
    await until(async () => (await inbox.find(seq))?.status === 'done');
    await worker.idle();
    other.close();
    expect(runs).toBe(1);
  });

  async function claimed(): Promise<Entry> {
    const [entry] = await inbox.claim({ limit: 1, leaseMs: 1_000 });
    if (!entry) throw new Error('nothing to claim');
    return entry;
  }
});

/** Lets nothing through that it stands before until it is told to. */
function heldBack() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    goOn: resolve,
    after:
      (step: Inbox['done']): Inbox['done'] =>
      async (...args) => {
        await promise;
        await step(...args);
      },
  };
}

/** Lets everything happen that needs no time. */
async function turns(): Promise<void> {
  for (let count = 0; count < 20; count++) await new Promise((resolve) => setImmediate(resolve));
}

/** For what comes from timers or another process: looks until it is so, the test's own limit is the deadline. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
}
