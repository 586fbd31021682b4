import { expect, it } from '@jest/globals';
import { newEntry } from './entries.ts';
import { LEASE_MS, type InboxUnderTest } from './inbox-under-test.ts';

/** The first delivery of an event makes an entry. */
export function itStores(test: InboxUnderTest) {
  it('returns every member of an entry as it was stored', async () => {
    const fresh = newEntry({
      installation: 'north',
      eventId: 'evt_1',
      key: 'evt_1',
      subject: 'order 1',
      secret: 2,
      content: Buffer.from([0, 255, 128, 10]),
    });

    const { entry } = await test.inbox.store(fresh);

    expect(await test.inbox.find(entry.seq)).toEqual({
      ...fresh,
      seq: entry.seq,
      status: 'waiting',
      attempts: 0,
      claims: 0,
      dueAt: test.clock.now(),
      leaseUntil: undefined,
      finishedAt: undefined,
      note: undefined,
      unchanged: false,
      answer: undefined,
    });
    expect(await test.inbox.find(entry.seq)).toEqual(entry);
  });

  it('finds nothing under a number that it never gave', async () => {
    expect(await test.inbox.find(4711)).toBeNull();
    expect(await test.inbox.replay(4711)).toBeNull();
  });

  it('numbers entries in the order of acceptance', async () => {
    const seqs = await test.storeAll({}, {}, {});
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect(new Set(seqs).size).toBe(3);
  });

  it('makes one entry of the same delivery coming fifty times at once', async () => {
    const stored = await Promise.all(
      Array.from({ length: 50 }, () => test.inbox.store(newEntry({ key: 'evt_1' }))),
    );
    expect(stored.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(new Set(stored.map(({ entry }) => entry.seq)).size).toBe(1);
    expect((await test.inbox.stats()).waiting).toBe(1);
  });

  it('knows a key again after its entry is done, and hands out the answer that it got', async () => {
    await test.inbox.store(newEntry({ key: 'evt_1' }), { claimForMs: LEASE_MS });
    const [entry] = await test.inbox.list({ limit: 1 });
    if (!entry) throw new Error('not stored');
    await test.inbox.done(entry, { note: 'made it', answer: Buffer.from('{"a":1}') });

    const again = await test.inbox.store(newEntry({ key: 'evt_1' }), { claimForMs: LEASE_MS });

    expect(again).toMatchObject({ duplicate: true, claimed: false });
    expect(again.entry).toMatchObject({ status: 'done', note: 'made it' });
    expect(again.entry.answer?.toString()).toBe('{"a":1}');
  });

  it('takes the same key at another endpoint or installation for another event', async () => {
    const seqs = await test.storeAll(
      { key: 'k' },
      { key: 'k', endpoint: '/acme/order.shipped' },
      { key: 'k', installation: 'north' },
      { key: 'k', installation: 'south' },
    );
    expect(new Set(seqs).size).toBe(4);
  });

  it('tells keys apart however long they are and whatever is in them', async () => {
    const long = 'x'.repeat(10_000);
    const seqs = await test.storeAll(
      ...[`${long}a`, `${long}b`, '', '__proto__', 'a\0b', 'a', '\ud800', '\ud801'].map((key) => ({ key })),
    );
    expect(new Set(seqs).size).toBe(8);
    const [again] = await test.storeAll({ key: `${long}a` });
    expect(again).toBe(seqs[0]);
  });

  it('never takes entries without a key for duplicates', async () =>
    expect(new Set(await test.storeAll({}, {}, {})).size).toBe(3));
}
