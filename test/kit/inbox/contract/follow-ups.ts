import { expect, it } from '@jest/globals';
import type { Entry } from '../../../../src/kit/inbox/inbox.ts';
import { newEntry } from './entries.ts';
import { LEASE_MS, MAX_WAITING, MAX_WAITING_BYTES, type InboxUnderTest } from './inbox-under-test.ts';

/** The work that a successful attempt leaves behind. */
export function itFollowsUp(test: InboxUnderTest) {
  const followUp = (name: string, subject?: string) =>
    newEntry({ endpoint: '#archive', type: 'archive', content: Buffer.from(name), subject });
  const names = (entries: readonly Entry[]) => entries.map(({ content }) => content.toString());

  it('stores the follow-up work of an attempt with its being done, to be claimed in that order', async () => {
    await test.storeAll({});
    const entry = await test.claimOne();
    expect(await test.claim()).toEqual([]);

    await test.inbox.done(entry, { note: 'made it', followUps: [followUp('a'), followUp('b')] });

    expect(await test.inbox.find(entry.seq)).toMatchObject({ status: 'done', note: 'made it' });
    const claimed = await test.claim();
    expect(names(claimed)).toEqual(['a', 'b']);
    expect(claimed[0]).toMatchObject({ ...followUp('a'), status: 'running', attempts: 1 });
    expect(claimed[0]?.seq).toBeGreaterThan(entry.seq);
  });

  it('calls back when follow-up work became claimable', async () => {
    await test.storeAll({});
    const entry = await test.claimOne();
    const called = new Promise<void>((resolve) => test.inbox.onReady(resolve));
    await test.inbox.done(entry, { followUps: [followUp('a')] });
    await called;
    expect(names(await test.claim())).toEqual(['a']);
  });

  it('puts follow-up work at the end of the line of its subject', async () => {
    const [, later] = await test.storeAll({ subject: 's' }, { subject: 's' });
    const entry = await test.claimOne();
    await test.inbox.done(entry, { followUps: [followUp('a', 's'), followUp('b', 's')] });
    const order: string[] = [];
    for (let round = 0; round < 3; round++) {
      const next = await test.claimOne();
      order.push(next.seq === later ? 'later' : next.content.toString());
      await test.inbox.done(next);
    }
    expect(order).toEqual(['later', 'a', 'b']);
  });

  it('runs follow-up work of a subject that has nothing else', async () => {
    await test.storeAll({ subject: 's' });
    await test.inbox.done(await test.claimOne(), { followUps: [followUp('a', 's'), followUp('b', 't')] });
    expect(names(await test.claim())).toEqual(['a', 'b']);
  });

  it('stores no follow-up work of an attempt that lost its lease', async () => {
    await test.storeAll({});
    const lost = await test.claimOne();
    test.clock.move(LEASE_MS);
    const held = await test.claimOne();
    await test.inbox.done(lost, { followUps: [followUp('a')] });
    expect(await test.claim()).toEqual([]);
    await test.inbox.done(held, { followUps: [followUp('b')] });
    await test.inbox.done(held, { followUps: [followUp('c')] });
    expect(names(await test.claim())).toEqual(['b']);
  });

  it('makes no second entry of follow-up work whose key it knows', async () => {
    await test.storeAll({});
    const keyed = { ...followUp('a'), key: 'k' };
    await test.inbox.done(await test.claimOne(), { followUps: [keyed, keyed, followUp('b')] });
    const [a, b, ...others] = await test.claim();
    if (!a || !b) throw new Error('not claimed');
    expect(names([a, b, ...others])).toEqual(['a', 'b']);
    await test.inbox.done(a);
    await test.inbox.done(b, { followUps: [keyed] });
    expect(await test.claim()).toEqual([]);
    expect(await test.inbox.find(b.seq)).toMatchObject({ status: 'done' });
  });

  it('has room for follow-up work however full it is', async () => {
    await test.storeAll({ content: Buffer.alloc(MAX_WAITING_BYTES) });
    const [held] = await test.claim(1);
    if (!held) throw new Error('not claimed');
    const bytes = MAX_WAITING_BYTES / MAX_WAITING;
    await test.storeTogether(
      Array.from({ length: MAX_WAITING }, () => ({ content: Buffer.alloc(bytes, 'x') })),
    );
    await expect(test.inbox.store(newEntry())).rejects.toMatchObject({ code: 'inbox_full' });
    await test.inbox.done(held, { followUps: [followUp('a'), followUp('b')] });
    expect(await test.inbox.stats()).toMatchObject({
      waiting: MAX_WAITING + 2,
      waitingBytes: MAX_WAITING_BYTES + 2,
    });
  });
}
