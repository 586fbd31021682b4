import { expect, it } from '@jest/globals';
import type { NewEntry } from '../../../../src/kit/inbox/inbox.ts';
import { newEntry } from './entries.ts';
import { LEASE_MS, MAX_WAITING, type InboxUnderTest } from './inbox-under-test.ts';

/** What an inbox still knows of entries that it has forgotten. */
export function itKeepsKeys(test: InboxUnderTest) {
  /** Done at this moment, and forgotten a moment later. */
  async function forgottenEntry(members: Partial<NewEntry>, keysBefore = 0): Promise<number> {
    await test.storeAll(members);
    const entry = await test.claimOne();
    await test.inbox.done(entry, { note: 'made it', answer: Buffer.from('{}') });
    test.clock.move(1);
    await test.inbox.prune({ finishedBefore: test.clock.now(), limit: 10, keysBefore });
    expect(await test.inbox.find(entry.seq)).toBeNull();
    return entry.seq;
  }

  it('knows the redelivery of a forgotten event, of which it has no more than the key', async () => {
    const seq = await forgottenEntry({ key: 'k', subject: 's' });
    const fresh = newEntry({ key: 'k', subject: 's', content: Buffer.from('{"again":true}') });
    for (const claiming of [undefined, { claimForMs: LEASE_MS }]) {
      const again = await test.inbox.store(fresh, claiming);
      expect(again).toMatchObject({ duplicate: true, claimed: false });
      expect(again.entry).toMatchObject({ ...fresh, seq, status: 'done', answer: undefined });
    }
    expect(await test.claim()).toEqual([]);
    expect(await test.inbox.list({ limit: 10 })).toEqual([]);
    expect(await test.inbox.stats()).toMatchObject({ waiting: 0, running: 0, done: 0, dead: 0 });
    expect(await test.inbox.replay(seq)).toBeNull();
    expect(await test.inbox.nextDue()).toBeUndefined();
  });

  it('knows it by endpoint and installation as well, and a key of any length', async () => {
    const long = 'k'.repeat(10_000);
    await forgottenEntry({ key: long, endpoint: '/a', installation: 'north' });
    const store = async (members: Partial<NewEntry>) =>
      (await test.inbox.store(newEntry({ key: long, endpoint: '/a', installation: 'north', ...members })))
        .duplicate;
    expect(await store({})).toBe(true);
    expect(await store({ endpoint: '/b' })).toBe(false);
    expect(await store({ installation: undefined })).toBe(false);
    expect(await store({ installation: 'south' })).toBe(false);
    expect(await store({ key: `${long}k` })).toBe(false);
    expect(await store({ key: undefined })).toBe(false);
  });

  it('takes it for a new one when its entry was done before the time of keys, and with its own key again', async () => {
    const seq = await forgottenEntry({ key: 'k' });
    const finishedAt = test.clock.now() - 1;
    await test.inbox.prune({ finishedBefore: 0, limit: 10, keysBefore: finishedAt });
    expect(await test.inbox.store(newEntry({ key: 'k' }))).toMatchObject({ duplicate: true });
    expect(await test.inbox.prune({ finishedBefore: 0, limit: 10, keysBefore: finishedAt + 1 })).toBe(0);
    const again = await test.inbox.store(newEntry({ key: 'k' }));
    expect(again).toMatchObject({ duplicate: false });
    expect(again.entry.seq).toBeGreaterThan(seq);
    await test.inbox.done(await test.claimOne());
    expect(await test.inbox.store(newEntry({ key: 'k' }))).toMatchObject({
      duplicate: true,
      entry: { seq: again.entry.seq },
    });
  });

  it('keeps no key of what was done before the time of keys as it is forgotten', async () => {
    await forgottenEntry({ key: 'k' }, test.clock.now() + 1);
    expect(await test.inbox.store(newEntry({ key: 'k' }))).toMatchObject({ duplicate: false });
  });

  it('knows it however full it is: a duplicate takes no room', async () => {
    await forgottenEntry({ key: 'k' });
    await test.storeTogether(Array.from({ length: MAX_WAITING }, () => ({})));
    await expect(test.inbox.store(newEntry({ key: 'other' }))).rejects.toThrow();
    expect(await test.inbox.store(newEntry({ key: 'k' }))).toMatchObject({ duplicate: true });
  });
}
