import { expect, it } from '@jest/globals';
import type { InboxUnderTest } from './inbox-under-test.ts';

/** What runs again because a person wants it. */
export function itReplays(test: InboxUnderTest) {
  it('replays a dead letter at once, with a fresh count of attempts', async () => {
    const { seq } = await test.deadEntry();
    expect(await test.inbox.replay(seq)).toMatchObject({
      status: 'waiting',
      attempts: 0,
      finishedAt: undefined,
    });
    expect(await test.claimOne()).toMatchObject({ seq, attempts: 1 });
  });

  it('replays an entry that is done', async () => {
    await test.storeAll({ key: 'k' });
    const entry = await test.claimOne();
    await test.inbox.done(entry);
    await test.inbox.replay(entry.seq);
    expect((await test.claimOne()).seq).toBe(entry.seq);
  });

  it('replays an entry that waits for a distant retry', async () => {
    await test.storeAll({ subject: 's' });
    const entry = await test.claimOne();
    await test.inbox.retry(entry, 'no', test.clock.now() + 3_600_000);
    expect(await test.inbox.replay(entry.seq)).toMatchObject({ attempts: 0, dueAt: test.clock.now() });
    expect((await test.claimOne()).seq).toBe(entry.seq);
  });

  it('leaves a running entry alone when it is to be replayed', async () => {
    await test.storeAll({});
    const entry = await test.claimOne();
    expect(await test.inbox.replay(entry.seq)).toEqual(entry);
    expect(await test.claim()).toEqual([]);
  });

  it('puts a replayed entry before the later ones of its subject', async () => {
    const dead = await test.deadEntry({ subject: 's' });
    const [later] = await test.storeAll({ subject: 's' });
    await test.inbox.replay(dead.seq);
    const first = await test.claimOne();
    expect(first.seq).toBe(dead.seq);
    await test.inbox.done(first);
    expect((await test.claimOne()).seq).toBe(later);
  });

  it('lets a running entry of the subject end before the replayed one, even across its retry', async () => {
    const dead = await test.deadEntry({ subject: 's' });
    await test.storeAll({ subject: 's' });
    const running = await test.claimOne();
    await test.inbox.replay(dead.seq);
    expect(await test.claim()).toEqual([]);
    await test.inbox.retry(running, 'no', test.clock.now());
    const first = await test.claimOne();
    expect(first.seq).toBe(dead.seq);
    await test.inbox.done(first);
    expect((await test.claimOne()).seq).toBe(running.seq);
  });
}
