import { expect, it } from '@jest/globals';
import type { Entry } from '../../../../src/kit/inbox/inbox.ts';
import { LEASE_MS, type InboxUnderTest } from './inbox-under-test.ts';

/** How a claim can end without its entry ending: by a retry, a lapsed lease, a release. */
export function itTriesAgain(test: InboxUnderTest) {
  it('tries again when the retry is due, and not before', async () => {
    const [seq] = await test.storeAll({});
    await test.inbox.retry(await test.claimOne(), 'timed out', test.clock.now() + 5_000);
    expect(await test.inbox.find(seq ?? 0)).toMatchObject({
      status: 'waiting',
      attempts: 1,
      note: 'timed out',
    });
    expect(await test.inbox.nextDue()).toBe(test.clock.now() + 5_000);
    test.clock.move(4_999);
    expect(await test.claim()).toEqual([]);
    test.clock.move(1);
    expect(await test.claimOne()).toMatchObject({ seq, attempts: 2 });
  });

  it('lets new entries pass one that waits for its retry', async () => {
    await test.storeAll({});
    await test.inbox.retry(await test.claimOne(), 'no', test.clock.now() + 5_000);
    const [second] = await test.storeAll({});
    expect((await test.claimOne()).seq).toBe(second);
  });

  it('gives an entry back when its lease lapses, the attempt counted', async () => {
    const [seq] = await test.storeAll({});
    await test.claim();
    expect(await test.inbox.nextDue()).toBe(test.clock.now() + LEASE_MS);
    test.clock.move(LEASE_MS - 1);
    expect(await test.claim()).toEqual([]);
    test.clock.move(1);
    expect(await test.claimOne()).toMatchObject({ seq, attempts: 2, claims: 2 });
  });

  it('keeps an entry as long as its lease is renewed', async () => {
    await test.storeAll({});
    const entry = await test.claimOne();
    test.clock.move(LEASE_MS - 1);
    expect(await test.inbox.renew(entry, LEASE_MS)).toBe(true);
    test.clock.move(LEASE_MS - 1);
    expect(await test.claim()).toEqual([]);
  });

  it.each<[string, (lost: Entry) => Promise<unknown>]>([
    ['done', (lost) => test.inbox.done(lost)],
    ['retry', (lost) => test.inbox.retry(lost, 'late', 0)],
    ['bury', (lost) => test.inbox.bury(lost, 'late')],
    ['release', (lost) => test.inbox.release(lost)],
    ['renew', (lost) => test.inbox.renew(lost, 60_000)],
  ])('ignores %s of a claim that was lost to another worker', async (_, use) => {
    await test.storeAll({ subject: 's' }, { subject: 's' });
    const lost = await test.claimOne();
    test.clock.move(LEASE_MS);
    const held = await test.claimOne();
    await use(lost);
    expect(await test.inbox.find(held.seq)).toEqual(held);
    expect(await test.claim()).toEqual([]);
  });

  it('ignores a lost claim even after replay has set the attempts back to its number', async () => {
    await test.storeAll({});
    const lost = await test.claimOne();
    test.clock.move(LEASE_MS);
    await test.inbox.bury(await test.claimOne(), 'no');
    await test.inbox.replay(lost.seq);
    const held = await test.claimOne();
    expect(held.attempts).toBe(lost.attempts);
    await test.inbox.done(lost);
    expect(await test.inbox.find(held.seq)).toEqual(held);
  });

  it('tells a worker that renews a lost lease', async () => {
    await test.storeAll({});
    const lost = await test.claimOne();
    test.clock.move(LEASE_MS);
    await test.claim();
    expect(await test.inbox.renew(lost, LEASE_MS)).toBe(false);
  });

  it('gives a released entry back without counting the attempt', async () => {
    const [seq] = await test.storeAll({ subject: 's' }, { subject: 's' });
    await test.inbox.release(await test.claimOne());
    expect(await test.inbox.find(seq ?? 0)).toMatchObject({ status: 'waiting', attempts: 0 });
    expect(await test.claimOne()).toMatchObject({ seq, attempts: 1 });
  });
}
