import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Entry, Inbox, NewEntry } from '../../src/inbox/inbox.ts';
import { createClock, newEntry } from './entries.ts';

export interface OpenForTest {
  readonly maxWaiting: number;
  readonly now: () => number;
}

const LEASE_MS = 1_000;
const MAX_WAITING = 200;

/** What every inbox promises, whatever it keeps its entries in. */
export function itKeepsTheContract(name: string, open: (options: OpenForTest) => Inbox) {
  describe(name, () => {
    let clock: ReturnType<typeof createClock>;
    let inbox: Inbox;
    beforeEach(() => {
      clock = createClock();
      inbox = open({ maxWaiting: MAX_WAITING, now: clock.now });
    });
    afterEach(() => inbox.close());

    const claim = (limit = 100) => inbox.claim({ limit, leaseMs: LEASE_MS });
    const seqsOf = (entries: readonly Entry[]) => entries.map(({ seq }) => seq);
    async function storeAll(...entries: Partial<NewEntry>[]): Promise<number[]> {
      const stored = await Promise.all(entries.map((members) => inbox.store(newEntry(members))));
      return stored.map(({ entry }) => entry.seq);
    }
    async function claimOne(): Promise<Entry> {
      const [entry, ...others] = await claim();
      if (!entry || others.length > 0) throw new Error(`${others.length + 1} entries claimed, expected one`);
      return entry;
    }
    async function deadEntry(members: Partial<NewEntry> = {}): Promise<Entry> {
      await inbox.store(newEntry(members));
      const entry = await claimOne();
      await inbox.bury(entry, 'handler_failed: no');
      return entry;
    }

    it('returns every member of an entry as it was stored', async () => {
      const fresh = newEntry({
        installation: 'north',
        eventId: 'evt_1',
        key: 'evt_1',
        subject: 'order 1',
        secret: 2,
        content: Buffer.from([0, 255, 128, 10]),
      });

      const { entry } = await inbox.store(fresh);

      expect(await inbox.find(entry.seq)).toEqual({
        ...fresh,
        seq: entry.seq,
        status: 'waiting',
        attempts: 0,
        claims: 0,
        dueAt: clock.now(),
        leaseUntil: undefined,
        finishedAt: undefined,
        note: undefined,
        answer: undefined,
      });
      expect(await inbox.find(entry.seq)).toEqual(entry);
    });

    it('finds nothing under a number that it never gave', async () => {
      expect(await inbox.find(4711)).toBeNull();
      expect(await inbox.replay(4711)).toBeNull();
    });

    it('numbers entries in the order of acceptance', async () => {
      const seqs = await storeAll({}, {}, {});
      expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
      expect(new Set(seqs).size).toBe(3);
    });

    it('makes one entry of the same delivery coming fifty times at once', async () => {
      const stored = await Promise.all(
        Array.from({ length: 50 }, () => inbox.store(newEntry({ key: 'evt_1' }))),
      );
      expect(stored.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
      expect(new Set(stored.map(({ entry }) => entry.seq)).size).toBe(1);
      expect((await inbox.stats()).waiting).toBe(1);
    });

    it('knows a key again after its entry is done, and hands out the answer that it got', async () => {
      await inbox.store(newEntry({ key: 'evt_1' }), { claimForMs: LEASE_MS });
      const [entry] = await inbox.list({ limit: 1 });
      if (!entry) throw new Error('not stored');
      await inbox.done(entry, { note: 'made it', answer: Buffer.from('{"a":1}') });

      const again = await inbox.store(newEntry({ key: 'evt_1' }), { claimForMs: LEASE_MS });

      expect(again).toMatchObject({ duplicate: true, claimed: false });
      expect(again.entry).toMatchObject({ status: 'done', note: 'made it' });
      expect(again.entry.answer?.toString()).toBe('{"a":1}');
    });

    it('takes the same key at another endpoint or installation for another event', async () => {
      const seqs = await storeAll(
        { key: 'k' },
        { key: 'k', endpoint: '/acme/order.shipped' },
        { key: 'k', installation: 'north' },
        { key: 'k', installation: 'south' },
      );
      expect(new Set(seqs).size).toBe(4);
    });

    it('tells keys apart however long they are and whatever is in them', async () => {
      const long = 'x'.repeat(10_000);
      const seqs = await storeAll(
        ...[`${long}a`, `${long}b`, '', '__proto__', 'a\0b', 'a', '\ud800', '\ud801'].map((key) => ({ key })),
      );
      expect(new Set(seqs).size).toBe(8);
      const [again] = await storeAll({ key: `${long}a` });
      expect(again).toBe(seqs[0]);
    });

    it('never takes entries without a key for duplicates', async () => {
      expect(new Set(await storeAll({}, {}, {})).size).toBe(3);
    });

    it('claims an entry in the same step as it is stored', async () => {
      const stored = await inbox.store(newEntry(), { claimForMs: LEASE_MS });
      expect(stored).toMatchObject({ claimed: true, duplicate: false });
      expect(stored.entry).toMatchObject({ status: 'running', attempts: 1, claims: 1 });
      expect(await claim()).toEqual([]);
    });

    it('stores, but does not claim, an entry whose subject has an earlier one', async () => {
      await storeAll({ subject: 's' });
      const stored = await inbox.store(newEntry({ subject: 's' }), { claimForMs: LEASE_MS });
      expect(stored).toMatchObject({ claimed: false, duplicate: false });
      expect(stored.entry.status).toBe('waiting');
    });

    it('does not claim a duplicate while its first is running', async () => {
      await inbox.store(newEntry({ key: 'k' }), { claimForMs: LEASE_MS });
      const again = await inbox.store(newEntry({ key: 'k' }), { claimForMs: LEASE_MS });
      expect(again).toMatchObject({ claimed: false, duplicate: true });
    });

    it('claims a duplicate whose first attempt failed and waits for its next', async () => {
      const { entry } = await inbox.store(newEntry({ key: 'k' }), { claimForMs: LEASE_MS });
      await inbox.retry(entry, 'no', clock.now() + 60_000);
      const again = await inbox.store(newEntry({ key: 'k' }), { claimForMs: LEASE_MS });
      expect(again).toMatchObject({ claimed: true, duplicate: true });
      expect(again.entry).toMatchObject({ seq: entry.seq, status: 'running', attempts: 2 });
    });

    it('claims a duplicate of a dead letter with a fresh count of attempts', async () => {
      const dead = await deadEntry({ key: 'k', subject: 's' });
      const again = await inbox.store(newEntry({ key: 'k', subject: 's' }), { claimForMs: LEASE_MS });
      expect(again).toMatchObject({ claimed: true, duplicate: true });
      expect(again.entry).toMatchObject({ seq: dead.seq, attempts: 1, claims: 2, finishedAt: undefined });
    });

    it('leaves the duplicate of a dead letter alone while its subject is running', async () => {
      await deadEntry({ key: 'k', subject: 's' });
      await inbox.store(newEntry({ subject: 's' }), { claimForMs: LEASE_MS });
      const again = await inbox.store(newEntry({ key: 'k', subject: 's' }), { claimForMs: LEASE_MS });
      expect(again).toMatchObject({ claimed: false, duplicate: true });
      expect(again.entry.status).toBe('dead');
    });

    it('leaves the duplicate of a dead letter alone while an earlier entry of its subject waits', async () => {
      const earlier = await deadEntry({ subject: 's' });
      await deadEntry({ key: 'k', subject: 's' });
      await inbox.replay(earlier.seq);
      const again = await inbox.store(newEntry({ key: 'k', subject: 's' }), { claimForMs: LEASE_MS });
      expect(again).toMatchObject({ claimed: false, duplicate: true });
      expect((await claimOne()).seq).toBe(earlier.seq);
    });

    it('is not held up by an entry whose duplicate was claimed and now waits for its retry', async () => {
      await storeAll({ key: 'k' });
      const { entry } = await inbox.store(newEntry({ key: 'k' }), { claimForMs: LEASE_MS });
      await inbox.retry(entry, 'no', clock.now() + 60_000);
      const [other] = await storeAll({});
      expect((await claimOne()).seq).toBe(other);
    });

    it('lets a later entry of the subject wait while the duplicate of a dead letter runs', async () => {
      await deadEntry({ key: 'k', subject: 's' });
      const [later] = await storeAll({ subject: 's' });
      const again = await inbox.store(newEntry({ key: 'k', subject: 's' }), { claimForMs: LEASE_MS });
      expect(again.claimed).toBe(true);
      expect(await claim()).toEqual([]);
      await inbox.done(again.entry);
      expect((await claimOne()).seq).toBe(later);
    });

    it('claims in the order of acceptance, and no more than asked', async () => {
      const seqs = await storeAll({}, {}, {});
      expect(seqsOf(await claim(2))).toEqual(seqs.slice(0, 2));
      expect(seqsOf(await claim(2))).toEqual(seqs.slice(2));
      expect(await claim(2)).toEqual([]);
    });

    it('runs the entries of one subject one after the other, in the order of acceptance', async () => {
      const seqs = await storeAll({ subject: 's' }, { subject: 's' }, { subject: 's' });
      const order: number[] = [];
      for (let round = 0; round < 3; round++) {
        const entry = await claimOne();
        order.push(entry.seq);
        await inbox.done(entry);
      }
      expect(order).toEqual(seqs);
    });

    it('runs entries of other subjects, or of none, meanwhile', async () => {
      const seqs = await storeAll({ subject: 'a' }, { subject: 'b' }, {}, {}, { subject: 'a' });
      expect(seqsOf(await claim())).toEqual(seqs.slice(0, 4));
    });

    it('takes the same subject of another source for another subject', async () => {
      const seqs = await storeAll({ subject: 's' }, { subject: 's', source: 'initech' });
      expect(seqsOf(await claim())).toEqual(seqs);
    });

    it('keeps a subject waiting until the retry of its first entry is over', async () => {
      const [first] = await storeAll({ subject: 's' }, { subject: 's' });
      await inbox.retry(await claimOne(), 'no', clock.now() + 60_000);
      expect(await claim()).toEqual([]);
      clock.move(60_000);
      expect((await claimOne()).seq).toBe(first);
    });

    it('goes on with a subject when its first entry is a dead letter', async () => {
      const [, second] = await storeAll({ subject: 's' }, { subject: 's' });
      await inbox.bury(await claimOne(), 'no');
      expect((await claimOne()).seq).toBe(second);
    });

    it('tries again when the retry is due, and not before', async () => {
      const [seq] = await storeAll({});
      await inbox.retry(await claimOne(), 'timed out', clock.now() + 5_000);
      expect(await inbox.find(seq ?? 0)).toMatchObject({ status: 'waiting', attempts: 1, note: 'timed out' });
      expect(await inbox.nextDue()).toBe(clock.now() + 5_000);
      clock.move(4_999);
      expect(await claim()).toEqual([]);
      clock.move(1);
      expect(await claimOne()).toMatchObject({ seq, attempts: 2 });
    });

    it('lets new entries pass one that waits for its retry', async () => {
      await storeAll({});
      await inbox.retry(await claimOne(), 'no', clock.now() + 5_000);
      const [second] = await storeAll({});
      expect((await claimOne()).seq).toBe(second);
    });

    it('gives an entry back when its lease lapses, the attempt counted', async () => {
      const [seq] = await storeAll({});
      await claim();
      expect(await inbox.nextDue()).toBe(clock.now() + LEASE_MS);
      clock.move(LEASE_MS - 1);
      expect(await claim()).toEqual([]);
      clock.move(1);
      expect(await claimOne()).toMatchObject({ seq, attempts: 2, claims: 2 });
    });

    it('keeps an entry as long as its lease is renewed', async () => {
      await storeAll({});
      const entry = await claimOne();
      clock.move(LEASE_MS - 1);
      expect(await inbox.renew(entry, LEASE_MS)).toBe(true);
      clock.move(LEASE_MS - 1);
      expect(await claim()).toEqual([]);
    });

    it.each<[string, (lost: Entry) => Promise<unknown>]>([
      ['done', (lost) => inbox.done(lost)],
      ['retry', (lost) => inbox.retry(lost, 'late', 0)],
      ['bury', (lost) => inbox.bury(lost, 'late')],
      ['release', (lost) => inbox.release(lost)],
      ['renew', (lost) => inbox.renew(lost, 60_000)],
    ])('ignores %s of a claim that was lost to another worker', async (_, use) => {
      await storeAll({ subject: 's' }, { subject: 's' });
      const lost = await claimOne();
      clock.move(LEASE_MS);
      const held = await claimOne();
      await use(lost);
      expect(await inbox.find(held.seq)).toEqual(held);
      expect(await claim()).toEqual([]);
    });

    it('ignores a lost claim even after replay has set the attempts back to its number', async () => {
      await storeAll({});
      const lost = await claimOne();
      clock.move(LEASE_MS);
      await inbox.bury(await claimOne(), 'no');
      await inbox.replay(lost.seq);
      const held = await claimOne();
      expect(held.attempts).toBe(lost.attempts);
      await inbox.done(lost);
      expect(await inbox.find(held.seq)).toEqual(held);
    });

    it('tells whoever renews a lost lease', async () => {
      await storeAll({});
      const lost = await claimOne();
      clock.move(LEASE_MS);
      await claim();
      expect(await inbox.renew(lost, LEASE_MS)).toBe(false);
    });

    it('gives a released entry back without counting the attempt', async () => {
      const [seq] = await storeAll({ subject: 's' }, { subject: 's' });
      await inbox.release(await claimOne());
      expect(await inbox.find(seq ?? 0)).toMatchObject({ status: 'waiting', attempts: 0 });
      expect(await claimOne()).toMatchObject({ seq, attempts: 1 });
    });

    it('replays a dead letter at once, with a fresh count of attempts', async () => {
      const { seq } = await deadEntry();
      expect(await inbox.replay(seq)).toMatchObject({
        status: 'waiting',
        attempts: 0,
        finishedAt: undefined,
      });
      expect(await claimOne()).toMatchObject({ seq, attempts: 1 });
    });

    it('replays an entry that is done', async () => {
      await storeAll({ key: 'k' });
      const entry = await claimOne();
      await inbox.done(entry);
      await inbox.replay(entry.seq);
      expect((await claimOne()).seq).toBe(entry.seq);
    });

    it('replays an entry that waits for a distant retry', async () => {
      await storeAll({ subject: 's' });
      const entry = await claimOne();
      await inbox.retry(entry, 'no', clock.now() + 3_600_000);
      expect(await inbox.replay(entry.seq)).toMatchObject({ attempts: 0, dueAt: clock.now() });
      expect((await claimOne()).seq).toBe(entry.seq);
    });

    it('leaves a running entry alone when it is to be replayed', async () => {
      await storeAll({});
      const entry = await claimOne();
      expect(await inbox.replay(entry.seq)).toEqual(entry);
      expect(await claim()).toEqual([]);
    });

    it('puts a replayed entry before the later ones of its subject', async () => {
      const dead = await deadEntry({ subject: 's' });
      const [later] = await storeAll({ subject: 's' });
      await inbox.replay(dead.seq);
      const first = await claimOne();
      expect(first.seq).toBe(dead.seq);
      await inbox.done(first);
      expect((await claimOne()).seq).toBe(later);
    });

    it('lets a running entry of the subject end before the replayed one, even across its retry', async () => {
      const dead = await deadEntry({ subject: 's' });
      await storeAll({ subject: 's' });
      const running = await claimOne();
      await inbox.replay(dead.seq);
      expect(await claim()).toEqual([]);
      await inbox.retry(running, 'no', clock.now());
      const first = await claimOne();
      expect(first.seq).toBe(dead.seq);
      await inbox.done(first);
      expect((await claimOne()).seq).toBe(running.seq);
    });

    it('keeps one at a time and the order of acceptance through any sequence of endings', async () => {
      const subjects = ['a', 'b', 'c'];
      const random = seeded(7);
      const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)];
      const held: Entry[] = [];
      for (let step = 0; step < 600; step++) {
        const action = Math.floor(random() * 8);
        if (action <= 1) await storeAll({ subject: pick(subjects) ?? 'a' });
        if (action === 2) held.push(...(await claim(2)));
        if (action === 3) await inbox.replay(1 + Math.floor(random() * 100));
        if (action >= 4 && held.length > 0) {
          const [entry] = held.splice(Math.floor(random() * held.length), 1);
          if (!entry) continue;
          if (action === 4) await inbox.done(entry);
          if (action === 5) await inbox.retry(entry, 'no', clock.now() + 10);
          if (action === 6) await inbox.bury(entry, 'no');
          if (action === 7) await inbox.release(entry);
        }
        clock.move(5);
        for (const entry of held) await inbox.renew(entry, LEASE_MS);
        expect(new Set(held.map(({ subject }) => subject)).size).toBe(held.length);
      }
      for (const entry of held) await inbox.release(entry);
      clock.move(10);
      const lastOf = new Map<string | undefined, number>();
      for (let claimed = await claim(); claimed.length > 0; claimed = await claim()) {
        for (const entry of claimed) {
          expect(entry.seq).toBeGreaterThan(lastOf.get(entry.subject) ?? 0);
          lastOf.set(entry.subject, entry.seq);
          await inbox.done(entry);
        }
      }
      expect(await inbox.stats()).toMatchObject({ waiting: 0, running: 0 });
    });

    it('refuses to hold more waiting entries than it may, and has room again when some are done', async () => {
      const full = { code: 'inbox_full', name: 'InboxUnavailable' };
      await storeAll(...Array.from({ length: MAX_WAITING }, (_, index) => ({ key: `k${index}` })));
      await expect(inbox.store(newEntry())).rejects.toMatchObject(full);
      await expect(inbox.store(newEntry(), { claimForMs: LEASE_MS })).rejects.toMatchObject(full);
      await claim(1);
      expect(await inbox.store(newEntry())).toMatchObject({ duplicate: false });
    });

    it('still knows a duplicate when it is full', async () => {
      await storeAll(...Array.from({ length: MAX_WAITING }, (_, index) => ({ key: `k${index}` })));
      expect(await inbox.store(newEntry({ key: 'k7' }))).toMatchObject({ duplicate: true });
    });

    it('refuses only what is too much when many come at once', async () => {
      const outcomes = await Promise.allSettled(
        Array.from({ length: MAX_WAITING + 5 }, () => inbox.store(newEntry())),
      );
      expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(5);
      expect((await inbox.stats()).waiting).toBe(MAX_WAITING);
    });

    it('lists newest first, by status, source and type, page by page', async () => {
      const dead = await deadEntry();
      const [second, third, fourth] = await storeAll({}, { source: 'initech' }, { type: 'order.shipped' });
      expect(seqsOf(await inbox.list({ limit: 10 }))).toEqual([fourth, third, second, dead.seq]);
      expect(seqsOf(await inbox.list({ limit: 2 }))).toEqual([fourth, third]);
      expect(seqsOf(await inbox.list({ limit: 2, before: third ?? 0 }))).toEqual([second, dead.seq]);
      expect(seqsOf(await inbox.list({ status: 'dead', limit: 10 }))).toEqual([dead.seq]);
      expect(seqsOf(await inbox.list({ status: 'waiting', source: 'initech', limit: 10 }))).toEqual([third]);
      expect(seqsOf(await inbox.list({ type: 'order.shipped', limit: 10 }))).toEqual([fourth]);
      expect(await inbox.list({ status: 'done', limit: 10 })).toEqual([]);
    });

    it('counts entries by status and knows since when the oldest waits', async () => {
      expect(await inbox.stats()).toEqual({
        waiting: 0,
        running: 0,
        done: 0,
        dead: 0,
        oldestWaitingAt: undefined,
      });
      await storeAll(
        { receivedAt: 1 },
        { receivedAt: 2 },
        { receivedAt: 3 },
        { receivedAt: 4 },
        { receivedAt: 5 },
      );
      const [first, second] = await claim(3);
      if (!first || !second) throw new Error('not claimed');
      await inbox.done(first);
      await inbox.bury(second, 'no');
      expect(await inbox.stats()).toEqual({ waiting: 2, running: 1, done: 1, dead: 1, oldestWaitingAt: 4 });
    });

    it('calls back when an entry becomes claimable', async () => {
      let calls = 0;
      const called = new Promise<void>((resolve) => {
        inbox.onReady(() => {
          calls += 1;
          resolve();
        });
      });
      await storeAll({});
      await called;
      expect(calls).toBe(1);
    });

    it('does nothing when nothing is asked', async () => {
      expect(await claim()).toEqual([]);
      expect(await inbox.nextDue()).toBeUndefined();
      expect(await inbox.list({ limit: 5 })).toEqual([]);
    });
  });
}

/** The same chance in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
