import { describe, expect, it } from '@jest/globals';
import type { Entry, Inbox } from '../../../../src/kit/inbox/inbox.ts';
import { createRandom, randomBelow } from '../../../../src/lab/mock/random.ts';
import { itClears } from './clearing.ts';
import { itFollowsUp } from './follow-ups.ts';
import { itHasRoom } from './room.ts';
import { newEntry } from './entries.ts';
import { createInboxUnderTest, LEASE_MS, type InboxUnderTest, type OpenForTest } from './inbox-under-test.ts';

/** What every inbox promises, whatever it keeps its entries in. `open` opens an empty one for each case. */
export function itKeepsTheContract(name: string, open: (options: OpenForTest) => Promise<Inbox>) {
  describe(name, () => {
    const test = createInboxUnderTest(open);
    itStoresAndClaims(test);
    itFollowsUp(test);
    itClears(test);
    itHasRoom(test);
  });
}

/** The way of an entry from its acceptance to its end. */
function itStoresAndClaims(test: InboxUnderTest) {
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

  it('never takes entries without a key for duplicates', async () => {
    expect(new Set(await test.storeAll({}, {}, {})).size).toBe(3);
  });

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

  it('tells whoever renews a lost lease', async () => {
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
  }, 60_000);

  it('lists newest first, by status, source and type, page by page', async () => {
    const dead = await test.deadEntry();
    const [second, third, fourth] = await test.storeAll({}, { source: 'initech' }, { type: 'order.shipped' });
    expect(test.seqsOf(await test.inbox.list({ limit: 10 }))).toEqual([fourth, third, second, dead.seq]);
    expect(test.seqsOf(await test.inbox.list({ limit: 2 }))).toEqual([fourth, third]);
    expect(test.seqsOf(await test.inbox.list({ limit: 2, before: third ?? 0 }))).toEqual([second, dead.seq]);
    expect(test.seqsOf(await test.inbox.list({ status: 'dead', limit: 10 }))).toEqual([dead.seq]);
    expect(test.seqsOf(await test.inbox.list({ status: 'waiting', source: 'initech', limit: 10 }))).toEqual([
      third,
    ]);
    expect(test.seqsOf(await test.inbox.list({ type: 'order.shipped', limit: 10 }))).toEqual([fourth]);
    expect(await test.inbox.list({ status: 'done', limit: 10 })).toEqual([]);
  });

  it('calls back when an entry becomes claimable', async () => {
    const called = new Promise<void>((resolve) => {
      test.inbox.onReady(resolve);
    });
    await test.storeAll({});
    await called;
    expect(await test.claim()).toHaveLength(1);
  });

  it('does nothing when nothing is asked', async () => {
    expect(await test.claim()).toEqual([]);
    expect(await test.inbox.nextDue()).toBeUndefined();
    expect(await test.inbox.list({ limit: 5 })).toEqual([]);
  });
}
