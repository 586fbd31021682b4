import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Inbox } from '../../../../src/kit/inbox/inbox.ts';
import { createMemoryInbox } from '../../../../src/kit/inbox/memory/inbox.ts';
import { createPruner, type Pruner, type PrunerOptions } from '../../../../src/kit/inbox/worker/pruner.ts';
import { until } from '../../../support/until.ts';
import { createClock, newEntry } from '../contract/entries.ts';

const RETENTION_MS = 1_000;
const NEVER_MS = 1_000_000_000;

let clock: ReturnType<typeof createClock>;
let inbox: Inbox;
let pruned: number[];
let troubles: unknown[];
let pruner: Pruner | undefined;
beforeEach(() => {
  clock = createClock();
  inbox = createMemoryInbox({ maxWaiting: 1_000, now: clock.now });
  pruned = [];
  troubles = [];
});
afterEach(async () => {
  await pruner?.stop();
  await inbox.close();
});

function start(options: Partial<PrunerOptions> = {}): Pruner {
  pruner = createPruner({
    inbox,
    retentionMs: RETENTION_MS,
    everyMs: NEVER_MS,
    now: clock.now,
    onPruned: (count) => pruned.push(count),
    onTrouble: (error) => troubles.push(error),
    ...options,
  });
  return pruner;
}

async function finish(count: number): Promise<void> {
  for (let each = 0; each < count; each++) {
    const { entry } = await inbox.store(newEntry(), { claimForMs: 1_000 });
    await inbox.done(entry);
  }
}

describe('a pruner', () => {
  it('forgets at start what was done before the retention, few at a time, and nothing else', async () => {
    await finish(450);
    const { entry } = await inbox.store(newEntry(), { claimForMs: 1_000 });
    await inbox.bury(entry, 'no');
    clock.move(RETENTION_MS + 1);
    await finish(3);
    await inbox.store(newEntry());
    const limits: number[] = [];

    start({
      inbox: {
        ...inbox,
        prune(options) {
          limits.push(options.limit);
          return inbox.prune(options);
        },
      },
    });
    await until('it is done', () => pruned.length > 0);

    expect(pruned).toEqual([450]);
    expect(limits).toEqual([200, 200, 200]);
    expect(await inbox.stats()).toMatchObject({ waiting: 1, done: 3, dead: 1 });
  });

  it('looks again and again', async () => {
    await finish(1);
    start({ everyMs: 1 });
    clock.move(RETENTION_MS + 1);
    await until('the first is forgotten', () => pruned.length === 1);
    await finish(2);
    clock.move(RETENTION_MS + 1);
    await until('the others are forgotten', () => (pruned[1] ?? 0) + (pruned[2] ?? 0) === 2);
    expect(await inbox.stats()).toMatchObject({ done: 0 });
  });

  it('forgets nothing by a clock far ahead before it has run for a day, whenever it was set', async () => {
    const day = 86_400_000;
    let running = 0;
    const doubts: number[] = [];
    await finish(2);
    clock.move(400 * day);
    const looks = { everyMs: 1, running: () => running, onDoubt: (days: number) => doubts.push(days) };
    start(looks);
    await until('it is doubted', () => doubts.length > 0);
    running += day - 1;
    clock.move(day - 1);
    let looked = 0;
    await pruner?.stop();
    expect(pruned).toEqual([]);

    // Another start with it, and then the day passes.
    running = 0;
    start({ ...looks, running: () => (looked++, running) });
    await until('it has looked again', () => looked > 3);
    expect(pruned).toEqual([]);
    expect(doubts).toEqual([400, 401]);
    running += day;
    await until('they are forgotten', () => pruned[0] === 2);

    await finish(1);
    clock.move(31 * day);
    await until('it is doubted', () => doubts.length === 3);
    expect(await inbox.stats()).toMatchObject({ done: 1 });
    clock.move(-31 * day + RETENTION_MS + 1);
    await until('it goes on with the right time', () => pruned[1] === 1);
  });

  it('goes on after trouble, and has told of it', async () => {
    await finish(1);
    clock.move(RETENTION_MS + 1);
    const away = new Error('the database is away');
    let calls = 0;
    start({
      everyMs: 1,
      inbox: {
        ...inbox,
        prune(options) {
          calls += 1;
          return calls === 1 ? Promise.reject(away) : inbox.prune(options);
        },
      },
    });
    await until('it has pruned', () => pruned.length > 0);
    expect(troubles).toEqual([away]);
  });

  it('tells how many it forgot before trouble came', async () => {
    await finish(200);
    clock.move(RETENTION_MS + 1);
    let calls = 0;
    start({
      inbox: {
        ...inbox,
        prune(options) {
          calls += 1;
          return calls === 2 ? Promise.reject(new Error('away')) : inbox.prune(options);
        },
      },
    });
    await until('there was trouble', () => troubles.length > 0);
    expect(pruned).toEqual([200]);
  });

  it('stops between two looks at once', async () => {
    await start().stop();
    await finish(1);
    clock.move(RETENTION_MS + 1);
    expect(pruned).toEqual([]);
    expect(await inbox.stats()).toMatchObject({ done: 1 });
  });

  it('stops between two steps, when the one under way is over', async () => {
    await finish(400);
    clock.move(RETENTION_MS + 1);
    const { promise: asked, resolve: ask } = Promise.withResolvers<undefined>();
    const { promise: allowed, resolve: allow } = Promise.withResolvers<undefined>();
    const running = start({
      inbox: {
        ...inbox,
        async prune(options) {
          ask(undefined);
          await allowed;
          return inbox.prune(options);
        },
      },
    });
    await asked;
    const stopped = running.stop();
    allow(undefined);
    await stopped;
    expect(pruned).toEqual([200]);
    expect(await inbox.stats()).toMatchObject({ done: 200 });
  });
});
