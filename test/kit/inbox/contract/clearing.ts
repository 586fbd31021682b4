import { expect, it } from '@jest/globals';
import type { NewEntry } from '../../../../src/kit/inbox/inbox.ts';
import { newEntry } from './entries.ts';
import { LEASE_MS, type InboxUnderTest } from './inbox-under-test.ts';

/** How entries are got rid of: before they run, and after. */
export function itClears(test: InboxUnderTest) {
  async function doneEntry(members: Partial<NewEntry> = {}): Promise<number> {
    await test.storeAll(members);
    const entry = await test.claimOne();
    await test.inbox.done(entry);
    return entry.seq;
  }

  async function expectGone(...seqs: number[]): Promise<void> {
    for (const seq of seqs) expect(await test.inbox.find(seq)).toBeNull();
  }

  it('discards a waiting entry: it is done, and never runs', async () => {
    const [seq = 0, other] = await test.storeAll({}, {});
    const discarded = await test.inbox.discard(seq, 'discarded: a test');
    expect(discarded).toMatchObject({
      ...{ seq, status: 'done', attempts: 0, note: 'discarded: a test' },
      finishedAt: test.clock.now(),
    });
    expect(await test.inbox.find(seq)).toEqual(discarded);
    expect((await test.claimOne()).seq).toBe(other);
  });

  it('goes on with a subject at once when its first entry, waiting for a retry, is discarded', async () => {
    const [first = 0, second] = await test.storeAll({ subject: 's' }, { subject: 's' });
    await test.inbox.retry(await test.claimOne(), 'no', test.clock.now() + 60_000);
    await test.inbox.discard(first, 'not wanted');
    expect(await test.inbox.nextDue()).toBeLessThanOrEqual(test.clock.now());
    expect((await test.claimOne()).seq).toBe(second);
  });

  it('calls back when the discarded entry was in the way of another', async () => {
    const [first = 0] = await test.storeAll({ subject: 's' }, { subject: 's' });
    await test.inbox.retry(await test.claimOne(), 'no', test.clock.now() + 60_000);
    const called = new Promise<void>((resolve) => test.inbox.onReady(resolve));
    await test.inbox.discard(first, 'not wanted');
    await called;
    expect(await test.claim()).toHaveLength(1);
  });

  it('keeps the order of a subject when one in its middle is discarded, and replayed later', async () => {
    const s = { subject: 's' };
    const [first, second = 0, third = 0, fourth] = await test.storeAll(s, s, s, s);
    await test.inbox.discard(second, 'not wanted');
    await test.inbox.discard(third, 'not wanted');
    const running = await test.claimOne();
    await test.inbox.replay(third);
    await test.inbox.done(running);
    const order = [running.seq];
    for (let round = 0; round < 2; round++) {
      const next = await test.claimOne();
      order.push(next.seq);
      await test.inbox.done(next);
    }
    expect(order).toEqual([first, third, fourth]);
    expect(await test.claim()).toEqual([]);
  });

  it('never runs an entry that was discarded, replayed and discarded again behind another', async () => {
    const [first, second = 0, third] = await test.storeAll(
      { subject: 's' },
      { subject: 's' },
      { subject: 's' },
    );
    await test.inbox.discard(second, 'not wanted');
    await test.inbox.replay(second);
    await test.inbox.discard(second, 'not wanted');
    const running = await test.claimOne();
    await test.inbox.done(running);
    expect([running.seq, (await test.claimOne()).seq]).toEqual([first, third]);
  });

  it('discards a dead letter, and knows its key', async () => {
    const dead = await test.deadEntry({ key: 'k', subject: 's' });
    await test.inbox.discard(dead.seq, 'not wanted');
    expect(await test.inbox.find(dead.seq)).toMatchObject({ status: 'done', note: 'not wanted' });
    expect(await test.inbox.stats()).toMatchObject({ waiting: 0, running: 0, done: 1, dead: 0 });
    const again = await test.inbox.store(newEntry({ key: 'k', subject: 's' }), { claimForMs: LEASE_MS });
    expect(again).toMatchObject({ duplicate: true, claimed: false });
  });

  it('lets the running entry of a subject end in peace when a dead one of it is discarded', async () => {
    const dead = await test.deadEntry({ subject: 's' });
    const [, third] = await test.storeAll({ subject: 's' }, { subject: 's' });
    const running = await test.claimOne();
    await test.inbox.discard(dead.seq, 'not wanted');
    expect(await test.claim()).toEqual([]);
    await test.inbox.done(running);
    expect((await test.claimOne()).seq).toBe(third);
  });

  it('leaves a running entry alone when it is to be discarded', async () => {
    await test.storeAll({});
    const entry = await test.claimOne();
    expect(await test.inbox.discard(entry.seq, 'not wanted')).toEqual(entry);
    await test.inbox.done(entry, { note: 'made it' });
    expect(await test.inbox.find(entry.seq)).toMatchObject({ status: 'done', note: 'made it' });
  });

  it('keeps that an event changed nothing, until a replay ends otherwise', async () => {
    const [seq = 0] = await test.storeAll({});
    await test.inbox.done(await test.claimOne(), { note: 'newer already', unchanged: true });
    expect(await test.inbox.find(seq)).toMatchObject({ note: 'newer already', unchanged: true });
    await test.inbox.replay(seq);
    await test.inbox.retry(await test.claimOne(), 'not yet', 0);
    expect(await test.inbox.find(seq)).toMatchObject({ note: 'not yet', unchanged: false });
    await test.inbox.done(await test.claimOne(), { note: 'kept' });
    expect(await test.inbox.find(seq)).toMatchObject({ note: 'kept', unchanged: false });
  });

  it('leaves an entry alone that is done, and says when there is none to discard', async () => {
    const seq = await doneEntry();
    const before = await test.inbox.find(seq);
    test.clock.move(1_000);
    expect(await test.inbox.discard(seq, 'not wanted')).toEqual(before);
    expect(await test.inbox.discard(4711, 'not wanted')).toBeNull();
  });

  it('replays a discarded entry', async () => {
    const [seq = 0] = await test.storeAll({ subject: 's' });
    await test.inbox.discard(seq, 'not wanted');
    await test.inbox.replay(seq);
    expect(await test.claimOne()).toMatchObject({ seq, attempts: 1, finishedAt: undefined });
  });

  it('forgets what was done before a time, and keeps all else', async () => {
    const old = [await doneEntry(), await doneEntry({ subject: 's' })];
    const dead = await test.deadEntry();
    const [discarded = 0] = await test.storeAll({});
    await test.inbox.discard(discarded, 'not wanted');
    test.clock.move(1_000);
    const recent = await doneEntry();
    const [running, waiting] = await test.storeAll({}, {});
    await test.claim(1);

    expect(await test.inbox.prune({ finishedBefore: test.clock.now(), limit: 100 })).toBe(3);

    await expectGone(...old, discarded);
    expect(test.seqsOf(await test.inbox.list({ limit: 10 }))).toEqual([waiting, running, recent, dead.seq]);
    expect(await test.inbox.stats()).toMatchObject({ waiting: 1, running: 1, done: 1, dead: 1 });
    expect(await test.inbox.prune({ finishedBefore: test.clock.now(), limit: 100 })).toBe(0);
  });

  it('forgets what was done first, first, and no more than asked', async () => {
    const [slow, quick = 0] = await test.storeAll({}, {});
    const [first, second] = await test.claim(2);
    if (!first || !second) throw new Error('not claimed');
    await test.inbox.done(second);
    test.clock.move(1_000);
    await test.inbox.done(first);
    test.clock.move(1_000);
    const last = await doneEntry();
    test.clock.move(1_000);

    expect(await test.inbox.prune({ finishedBefore: test.clock.now(), limit: 1 })).toBe(1);
    await expectGone(quick);
    expect(test.seqsOf(await test.inbox.list({ limit: 10 }))).toEqual([last, slow]);
    expect(await test.inbox.prune({ finishedBefore: test.clock.now(), limit: 0 })).toBe(0);
    expect(await test.inbox.prune({ finishedBefore: test.clock.now(), limit: 5 })).toBe(2);
  });

  it('takes the redelivery of a forgotten event for a new one, with a new number', async () => {
    const seq = await doneEntry({ key: 'k' });
    expect(await test.inbox.store(newEntry({ key: 'k' }))).toMatchObject({ duplicate: true });
    await test.inbox.prune({ finishedBefore: test.clock.now() + 1, limit: 10 });
    const again = await test.inbox.store(newEntry({ key: 'k' }));
    expect(again).toMatchObject({ duplicate: false });
    expect(again.entry.seq).toBeGreaterThan(seq);
    expect((await test.claimOne()).seq).toBe(again.entry.seq);
  });

  it('does not forget an entry that waits again, nor one that was done again since', async () => {
    const seq = await doneEntry();
    test.clock.move(1_000);
    await test.inbox.replay(seq);
    expect(await test.inbox.prune({ finishedBefore: test.clock.now(), limit: 10 })).toBe(0);
    await test.inbox.done(await test.claimOne());
    expect(await test.inbox.prune({ finishedBefore: test.clock.now(), limit: 10 })).toBe(0);
    test.clock.move(1);
    expect(await test.inbox.prune({ finishedBefore: test.clock.now(), limit: 10 })).toBe(1);
    expect(await test.inbox.replay(seq)).toBeNull();
  });
}
