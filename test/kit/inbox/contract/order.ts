import { expect, it } from '@jest/globals';
import type { Entry } from '../../../../src/kit/inbox/inbox.ts';
import { createRandom, randomBelow } from '../../../../src/lab/mock/random.ts';
import { newEntry } from './entries.ts';
import { LEASE_MS, type InboxUnderTest } from './inbox-under-test.ts';

/** Which entry may run next. */
export function itKeepsOrder(test: InboxUnderTest) {
  it('claims in the order of acceptance, and no more than asked', async () => {
    const seqs = await test.storeAll({}, {}, {});
    expect(test.seqsOf(await test.claim(2))).toEqual(seqs.slice(0, 2));
    expect(test.seqsOf(await test.claim(2))).toEqual(seqs.slice(2));
    expect(await test.claim(2)).toEqual([]);
  });

  it('runs the entries of one subject one after the other, in the order of acceptance', async () => {
    const seqs = await test.storeAll({ subject: 's' }, { subject: 's' }, { subject: 's' });
    const order: number[] = [];
    for (let round = 0; round < 3; round++) {
      const entry = await test.claimOne();
      order.push(entry.seq);
      await test.inbox.done(entry);
    }
    expect(order).toEqual(seqs);
  });

  it('runs entries of other subjects, or of none, meanwhile', async () => {
    const seqs = await test.storeAll({ subject: 'a' }, { subject: 'b' }, {}, {}, { subject: 'a' });
    expect(test.seqsOf(await test.claim())).toEqual(seqs.slice(0, 4));
  });

  it('takes the same subject of another source for another subject', async () => {
    const seqs = await test.storeAll({ subject: 's' }, { subject: 's', source: 'initech' });
    expect(test.seqsOf(await test.claim())).toEqual(seqs);
  });

  it('keeps a subject waiting until the retry of its first entry is over', async () => {
    const [first] = await test.storeAll({ subject: 's' }, { subject: 's' });
    await test.inbox.retry(await test.claimOne(), 'no', test.clock.now() + 60_000);
    expect(await test.claim()).toEqual([]);
    test.clock.move(60_000);
    expect((await test.claimOne()).seq).toBe(first);
  });

  it('goes on with a subject when its first entry is a dead letter', async () => {
    const [, second] = await test.storeAll({ subject: 's' }, { subject: 's' });
    await test.inbox.bury(await test.claimOne(), 'no');
    expect((await test.claimOne()).seq).toBe(second);
  });

  it('keeps the order in which entries of one subject are handed over, even at once', async () => {
    const seqs = await test.storeTogether(Array.from({ length: 20 }, () => ({ subject: 's' })));
    const order: number[] = [];
    while (order.length < seqs.length) {
      const entry = await test.claimOne();
      order.push(entry.seq);
      await test.inbox.done(entry);
    }
    expect(order).toEqual(seqs);
  });

  it('keeps one at a time and the order of acceptance through any sequence of endings', async () => {
    const random = createRandom(7);
    const subject = () => `s${randomBelow(3, random)}`;
    const seqs: number[] = [];
    const held: Entry[] = [];
    const anySeq = () => seqs[randomBelow(seqs.length, random)] ?? 0;
    const store = async () => seqs.push(...(await test.storeAll({ subject: subject() })));
    const end = async (ending: (entry: Entry) => Promise<void>) => {
      const [entry] = held.splice(randomBelow(held.length, random), 1);
      if (entry) await ending(entry);
    };
    const steps: readonly (() => Promise<unknown>)[] = [
      store,
      store,
      async () => held.push(...(await test.claim(2))),
      () => test.inbox.replay(anySeq()),
      () => test.inbox.discard(anySeq(), 'not wanted'),
      () => test.inbox.prune({ finishedBefore: test.clock.now() - 200, limit: 2 }),
      () => end((entry) => test.inbox.done(entry)),
      () => end((entry) => test.inbox.done(entry, { followUps: [newEntry({ subject: subject() })] })),
      () => end((entry) => test.inbox.retry(entry, 'no', test.clock.now() + 10)),
      () => end((entry) => test.inbox.bury(entry, 'no')),
      () => end((entry) => test.inbox.release(entry)),
    ];

    for (let count = 0; count < 500; count++) {
      await steps[randomBelow(steps.length, random)]?.();
      test.clock.move(5);
      for (const entry of held) await test.inbox.renew(entry, LEASE_MS);
      expect(new Set(held.map((entry) => entry.subject)).size).toBe(held.length);
    }

    for (const entry of held) await test.inbox.release(entry);
    test.clock.move(10);
    const lastOf = new Map<string | undefined, number>();
    for (let claimed = await test.claim(); claimed.length > 0; claimed = await test.claim()) {
      for (const entry of claimed) {
        expect(entry.seq).toBeGreaterThan(lastOf.get(entry.subject) ?? 0);
        lastOf.set(entry.subject, entry.seq);
        await test.inbox.done(entry);
      }
    }
    expect(await test.inbox.stats()).toMatchObject({ waiting: 0, running: 0, waitingBytes: 0 });
  });
}
