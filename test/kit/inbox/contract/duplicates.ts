import { expect, it } from '@jest/globals';
import { newEntry } from './entries.ts';
import { LEASE_MS, type InboxUnderTest } from './inbox-under-test.ts';

/** An entry can be claimed as it is stored, and its duplicate too. */
export function itClaimsWhatItStores(test: InboxUnderTest) {
  it('claims an entry in the same step as it is stored', async () => {
    const stored = await test.inbox.store(newEntry(), { claimForMs: LEASE_MS });
    expect(stored).toMatchObject({ claimed: true, duplicate: false });
    expect(stored.entry).toMatchObject({ status: 'running', attempts: 1, claims: 1 });
    expect(await test.claim()).toEqual([]);
  });

  it('stores, but does not claim, an entry whose subject has an earlier one', async () => {
    await test.storeAll({ subject: 's' });
    const stored = await test.inbox.store(newEntry({ subject: 's' }), { claimForMs: LEASE_MS });
    expect(stored).toMatchObject({ claimed: false, duplicate: false });
    expect(stored.entry.status).toBe('waiting');
  });

  it('does not claim a duplicate while its first is running', async () => {
    await test.inbox.store(newEntry({ key: 'k' }), { claimForMs: LEASE_MS });
    const again = await test.inbox.store(newEntry({ key: 'k' }), { claimForMs: LEASE_MS });
    expect(again).toMatchObject({ claimed: false, duplicate: true });
  });

  it('claims a duplicate whose first attempt failed and waits for its next', async () => {
    const { entry } = await test.inbox.store(newEntry({ key: 'k' }), { claimForMs: LEASE_MS });
    await test.inbox.retry(entry, 'no', test.clock.now() + 60_000);
    const again = await test.inbox.store(newEntry({ key: 'k' }), { claimForMs: LEASE_MS });
    expect(again).toMatchObject({ claimed: true, duplicate: true });
    expect(again.entry).toMatchObject({ seq: entry.seq, status: 'running', attempts: 2 });
  });

  it('claims a duplicate of a dead letter with a fresh count of attempts', async () => {
    const dead = await test.deadEntry({ key: 'k', subject: 's' });
    const again = await test.inbox.store(newEntry({ key: 'k', subject: 's' }), { claimForMs: LEASE_MS });
    expect(again).toMatchObject({ claimed: true, duplicate: true });
    expect(again.entry).toMatchObject({ seq: dead.seq, attempts: 1, claims: 2, finishedAt: undefined });
  });

  it('leaves the duplicate of a dead letter alone while its subject is running', async () => {
    await test.deadEntry({ key: 'k', subject: 's' });
    await test.inbox.store(newEntry({ subject: 's' }), { claimForMs: LEASE_MS });
    const again = await test.inbox.store(newEntry({ key: 'k', subject: 's' }), { claimForMs: LEASE_MS });
    expect(again).toMatchObject({ claimed: false, duplicate: true });
    expect(again.entry.status).toBe('dead');
  });

  it('leaves the duplicate of a dead letter alone while an earlier entry of its subject waits', async () => {
    const earlier = await test.deadEntry({ subject: 's' });
    await test.deadEntry({ key: 'k', subject: 's' });
    await test.inbox.replay(earlier.seq);
    const again = await test.inbox.store(newEntry({ key: 'k', subject: 's' }), { claimForMs: LEASE_MS });
    expect(again).toMatchObject({ claimed: false, duplicate: true });
    expect((await test.claimOne()).seq).toBe(earlier.seq);
  });

  it('is not held up by an entry whose duplicate was claimed and now waits for its retry', async () => {
    await test.storeAll({ key: 'k' });
    const { entry } = await test.inbox.store(newEntry({ key: 'k' }), { claimForMs: LEASE_MS });
    await test.inbox.retry(entry, 'no', test.clock.now() + 60_000);
    const [other] = await test.storeAll({});
    expect((await test.claimOne()).seq).toBe(other);
  });

  it('lets a later entry of the subject wait while the duplicate of a dead letter runs', async () => {
    await test.deadEntry({ key: 'k', subject: 's' });
    const [later] = await test.storeAll({ subject: 's' });
    const again = await test.inbox.store(newEntry({ key: 'k', subject: 's' }), { claimForMs: LEASE_MS });
    expect(again.claimed).toBe(true);
    expect(await test.claim()).toEqual([]);
    await test.inbox.done(again.entry);
    expect((await test.claimOne()).seq).toBe(later);
  });
}
