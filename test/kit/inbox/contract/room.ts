import { expect, it } from '@jest/globals';
import { newEntry } from './entries.ts';
import { LEASE_MS, MAX_WAITING, MAX_WAITING_BYTES, type InboxUnderTest } from './inbox-under-test.ts';

const full = { code: 'inbox_full', name: 'InboxUnavailable' };
const content = (bytes: number) => ({ content: Buffer.alloc(bytes, 'x') });

/** How much may wait, and what is counted. */
export function itHasRoom(test: InboxUnderTest) {
  const waitingBytes = async () => (await test.inbox.stats()).waitingBytes;

  it('refuses to hold more waiting entries than it may, and has room again when some are done', async () => {
    await test.storeTogether(Array.from({ length: MAX_WAITING }, (_, index) => ({ key: `k${index}` })));
    await expect(test.inbox.store(newEntry())).rejects.toMatchObject(full);
    await expect(test.inbox.store(newEntry(), { claimForMs: LEASE_MS })).rejects.toMatchObject(full);
    await test.claim(1);
    expect(await test.inbox.store(newEntry())).toMatchObject({ duplicate: false });
  });

  it('still knows a duplicate when it is full', async () => {
    await test.storeTogether(Array.from({ length: MAX_WAITING }, (_, index) => ({ key: `k${index}` })));
    expect(await test.inbox.store(newEntry({ key: 'k7' }))).toMatchObject({ duplicate: true });
  });

  it('refuses only what is too much when many come at once', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: MAX_WAITING + 5 }, () => test.inbox.store(newEntry())),
    );
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(5);
    expect((await test.inbox.stats()).waiting).toBe(MAX_WAITING);
  });

  it('refuses content beyond the bytes that may wait, and has room again when some is claimed', async () => {
    await test.storeAll({ key: 'k', ...content(1_000) }, content(MAX_WAITING_BYTES - 1_500));
    await expect(test.inbox.store(newEntry(content(501)))).rejects.toMatchObject(full);
    expect(await test.inbox.store(newEntry(content(500)))).toMatchObject({ duplicate: false });
    await expect(test.inbox.store(newEntry(content(1)))).rejects.toMatchObject(full);
    expect(await test.inbox.store(newEntry({ key: 'k' }))).toMatchObject({ duplicate: true });
    await test.claim(1);
    expect(await test.inbox.store(newEntry(content(1_000)))).toMatchObject({ duplicate: false });
  });

  it('refuses only the bytes that are too much when many come at once', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 12 }, () => test.inbox.store(newEntry(content(MAX_WAITING_BYTES / 10)))),
    );
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(2);
    expect(await waitingBytes()).toBe(MAX_WAITING_BYTES);
  });

  it('takes content that never fits while nothing waits, so that it is not refused for ever', async () => {
    expect(await test.inbox.store(newEntry(content(MAX_WAITING_BYTES + 1)))).toMatchObject({
      duplicate: false,
    });
    await expect(test.inbox.store(newEntry(content(1)))).rejects.toMatchObject(full);
  });

  it('counts entries by status and knows since when the oldest waits', async () => {
    expect(await test.inbox.stats()).toEqual({
      ...{ waiting: 0, running: 0, done: 0, dead: 0 },
      oldestWaitingAt: undefined,
      waitingBytes: 0,
    });
    await test.storeAll(...[1, 2, 3, 4, 5].map((receivedAt) => ({ receivedAt, ...content(receivedAt) })));
    const [first, second] = await test.claim(3);
    if (!first || !second) throw new Error('not claimed');
    await test.inbox.done(first);
    await test.inbox.bury(second, 'no');
    expect(await test.inbox.stats()).toEqual({
      ...{ waiting: 2, running: 1, done: 1, dead: 1 },
      oldestWaitingAt: 4,
      waitingBytes: 9,
    });
  });

  it('counts the bytes of an entry whenever it waits, and only then', async () => {
    const [seq = 0] = await test.storeAll(content(1_000));
    expect(await waitingBytes()).toBe(1_000);
    const expectBytes = async (step: Promise<unknown>, bytes: number) => {
      await step;
      expect(await waitingBytes()).toBe(bytes);
    };
    await expectBytes(test.claim(), 0);
    test.clock.move(LEASE_MS);
    const again = await test.claimOne(); // lapsed, and taken again
    expect(await waitingBytes()).toBe(0);
    await expectBytes(test.inbox.release(again), 1_000);
    await expectBytes(
      test.claimOne().then((held) => test.inbox.retry(held, 'no', 0)),
      1_000,
    );
    await expectBytes(test.inbox.replay(seq), 1_000);
    await expectBytes(
      test.claimOne().then((held) => test.inbox.bury(held, 'no')),
      0,
    );
    await expectBytes(test.inbox.replay(seq), 1_000);
    await expectBytes(
      test.claimOne().then((held) => test.inbox.done(held)),
      0,
    );
    await expectBytes(test.inbox.replay(seq), 1_000);
    await expectBytes(test.inbox.discard(seq, 'not wanted'), 0);
    await expectBytes(test.inbox.store(newEntry(content(10)), { claimForMs: LEASE_MS }), 0);
    await expectBytes(test.inbox.store(newEntry(content(20))), 20);
  });

  it('counts the bytes that it holds, whatever content a claim is handed back with', async () => {
    await test.storeAll(content(1_000));
    const held = await test.claimOne();
    await test.inbox.retry({ ...held, ...content(10) }, 'no', test.clock.now());
    expect(await waitingBytes()).toBe(1_000);
    const again = await test.claimOne();
    await test.inbox.release({ ...again, ...content(10) });
    expect(await waitingBytes()).toBe(1_000);
    expect((await test.claimOne()).content).toHaveLength(1_000);
    expect(await waitingBytes()).toBe(0);
  });
}
