import { createHeap } from './heap.ts';
import { beginEntry, type Entry, type Filter, type Inbox, type NewEntry } from '../inbox.ts';
import type { Result, Room, Stats, Status, Stored } from '../inbox.ts';
import { createRing } from './ring.ts';
import { refusal } from '../room.ts';
import { createSubjectLines } from './subject-lines.ts';
import { uniqueKey } from '../unique-key.ts';

export interface MemoryInboxOptions extends Room {
  readonly now?: () => number;
  /**
   * So many done entries, and as many dead ones, are kept; older ones are forgotten together with their keys, and their
   * redelivery would be a new event. Default 10,000: hours of redeliveries in a few dozen megabytes.
   */
  readonly keepFinished?: number;
}

/**
 * An inbox for trying out, tests and measurements. Not durable: what it holds is gone with the process, so a 2xx
 * promises nothing. It also forgets finished entries beyond `keepFinished`.
 */
export function createMemoryInbox(options: MemoryInboxOptions): Inbox {
  const { now = Date.now, keepFinished = 10_000, ...room } = options;
  const entries = new Map<number, Entry>(); // in the order of acceptance
  const seqOfKey = new Map<string, number>();
  const lines = createSubjectLines();
  // An item counts while its entry still waits at the head of its line with this dueAt; the others are skipped later.
  const due = createHeap<DueItem>((a, b) => a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.seq < b.seq));
  const running = new Set<number>();
  const counts: Record<Status, number> = { waiting: 0, running: 0, done: 0, dead: 0 };
  const finished = { done: createRing<Entry>(keepFinished), dead: createRing<Entry>(keepFinished) };
  const listeners: (() => void)[] = [];
  let waitingBytes = 0;
  let lastSeq = 0;
  let announced = false;

  function store(fresh: NewEntry, claimForMs: number | undefined): Stored {
    const key = uniqueKey(fresh);
    const known = findByKey(key);
    if (known) return storedAgain(known, claimForMs);
    const full = refusal(room, { waiting: counts.waiting, waitingBytes }, fresh.content.length);
    if (full) throw full;
    const entry = insert(fresh, key);
    if (claimForMs === undefined || !mayRun(entry)) return { entry, duplicate: false, claimed: false };
    return { entry: take(entry, claimForMs), duplicate: false, claimed: true };
  }

  function findByKey(key: string | undefined): Entry | undefined {
    return key === undefined ? undefined : entries.get(seqOfKey.get(key) ?? 0);
  }

  function insert(fresh: NewEntry, key: string | undefined): Entry {
    lastSeq += 1;
    if (key !== undefined) seqOfKey.set(key, lastSeq);
    return wait(beginEntry(fresh, lastSeq, now()));
  }

  function storedAgain(known: Entry, claimForMs: number | undefined): Stored {
    if (claimForMs === undefined || !mayRun(known)) {
      return { entry: known, duplicate: true, claimed: false };
    }
    const waiting = known.status === 'dead' ? waitAfresh(known) : known;
    return { entry: take(waiting, claimForMs), duplicate: true, claimed: true };
  }

  /** Whether an entry leads its line; a dead one, whether it would if it waited. */
  function mayRun(entry: Entry): boolean {
    const head = lines.headOf(entry);
    if (entry.status === 'waiting') return head === entry.seq;
    return entry.status === 'dead' && (head === undefined || (head >= entry.seq && !running.has(head)));
  }

  function claim(limit: number, leaseMs: number): Entry[] {
    giveBackLapsed();
    const claimed: Entry[] = [];
    while (claimed.length < limit) {
      const next = nextWaiting();
      if (!next || next.dueAt > now()) break;
      due.pop();
      claimed.push(take(next, leaseMs));
    }
    return claimed;
  }

  function giveBackLapsed(): void {
    for (const seq of running) {
      const entry = entries.get(seq);
      if (entry?.leaseUntil === undefined || entry.leaseUntil > now()) continue;
      const note = `interrupted: the lease of attempt ${entry.attempts} lapsed`;
      putBack({ ...entry, dueAt: now(), note });
    }
  }

  function nextWaiting(): Entry | undefined {
    for (let item = due.peek(); item; item = due.peek()) {
      const entry = entries.get(item.seq);
      if (entry?.status === 'waiting' && entry.dueAt === item.dueAt && mayRun(entry)) return entry;
      due.pop();
    }
    return undefined;
  }

  function take(entry: Entry, leaseMs: number): Entry {
    running.add(entry.seq);
    return put({
      ...entry,
      status: 'running',
      attempts: entry.attempts + 1,
      claims: entry.claims + 1,
      leaseUntil: now() + leaseMs,
    });
  }

  function held({ seq, claims }: Entry): Entry | undefined {
    const entry = entries.get(seq);
    return entry?.status === 'running' && entry.claims === claims ? entry : undefined;
  }

  function finish(entry: Entry, status: 'done' | 'dead'): Entry {
    running.delete(entry.seq);
    const ended = put({ ...entry, status, leaseUntil: undefined, finishedAt: now() });
    if (entry.status !== 'dead') lines.leave(ended);
    elect(ended);
    const oldest = finished[status].push(ended);
    if (oldest && isCurrent(oldest)) forget(oldest);
    return ended;
  }

  /** Nobody replayed or discarded it since it finished. */
  function isCurrent(ended: Entry): boolean {
    return entries.get(ended.seq) === ended;
  }

  function done(entry: Entry, { note, answer = entry.answer, followUps = [] }: Result): void {
    finish({ ...entry, note, answer }, 'done');
    for (const followUp of followUps) {
      const key = uniqueKey(followUp);
      if (!findByKey(key)) insert(followUp, key);
    }
  }

  function discard(seq: number, reason: string): Entry | null {
    const entry = entries.get(seq);
    if (!entry || entry.status === 'running' || entry.status === 'done') return entry ?? null;
    return finish({ ...entry, note: reason }, 'done');
  }

  function prune(finishedBefore: number, limit: number): number {
    const isOld = (ended: Entry) =>
      isCurrent(ended) && ended.finishedAt !== undefined && ended.finishedAt < finishedBefore;
    const old = finished.done.take(isOld, limit);
    old.forEach(forget);
    return old.length;
  }

  function forget(entry: Entry): void {
    counts[entry.status] -= 1;
    entries.delete(entry.seq);
    seqOfKey.delete(uniqueKey(entry) ?? '');
  }

  /** A running entry, or the head of a line whose due time changed, takes its place in the line again. */
  function putBack(entry: Entry): Entry {
    running.delete(entry.seq);
    lines.leave(entry);
    return wait(entry);
  }

  function waitAfresh(entry: Entry): Entry {
    const afresh = { ...entry, attempts: 0, dueAt: now(), finishedAt: undefined };
    if (entry.status !== 'waiting') return wait(afresh);
    return lines.headOf(entry) === entry.seq ? putBack(afresh) : put(afresh);
  }

  function wait(entry: Entry): Entry {
    const waiting = put({ ...entry, status: 'waiting', leaseUntil: undefined });
    lines.join(waiting);
    elect(waiting);
    return waiting;
  }

  function elect(ofLine: Entry): void {
    const head = entries.get(lines.elect(ofLine, (seq) => running.has(seq)) ?? 0);
    if (head?.status !== 'waiting') return;
    due.push({ seq: head.seq, dueAt: head.dueAt });
    announce();
  }

  function put(entry: Entry): Entry {
    const before = entries.get(entry.seq);
    if (before) counts[before.status] -= 1;
    counts[entry.status] += 1;
    waitingBytes += bytesWaiting(entry) - (before ? bytesWaiting(before) : 0);
    entries.set(entry.seq, entry);
    return entry;
  }

  function announce(): void {
    if (announced || listeners.length === 0) return;
    announced = true;
    setImmediate(() => {
      announced = false;
      for (const listener of listeners) listener();
    });
  }

  function list({ limit, before = Infinity, ...wanted }: Filter): Entry[] {
    const newestFirst = [...entries.keys()].reverse();
    const found: Entry[] = [];
    for (const seq of newestFirst) {
      const entry = entries.get(seq);
      if (found.length >= limit) break;
      if (entry && seq < before && matches(entry, wanted)) found.push(entry);
    }
    return found;
  }

  function stats(): Stats {
    return { ...counts, oldestWaitingAt: oldestWaiting()?.receivedAt, waitingBytes };
  }

  function oldestWaiting(): Entry | undefined {
    if (counts.waiting === 0) return undefined;
    return entries.values().find((entry) => entry.status === 'waiting');
  }

  function nextDue(): number | undefined {
    const leases = [...running].map((seq) => entries.get(seq)?.leaseUntil ?? Infinity);
    const next = Math.min(nextWaiting()?.dueAt ?? Infinity, ...leases);
    return next === Infinity ? undefined : next;
  }

  return {
    store: async (entry, claiming) => store(entry, claiming?.claimForMs),
    claim: async ({ limit, leaseMs }) => claim(limit, leaseMs),
    async renew(claimed, leaseMs) {
      const entry = held(claimed);
      if (entry) put({ ...entry, leaseUntil: now() + leaseMs });
      return entry !== undefined;
    },
    async done(claimed, result) {
      const entry = held(claimed);
      if (entry) done(entry, result ?? {});
    },
    async retry(claimed, reason, dueAt) {
      const entry = held(claimed);
      if (entry) putBack({ ...entry, note: reason, dueAt });
    },
    async bury(claimed, reason) {
      const entry = held(claimed);
      if (entry) finish({ ...entry, note: reason }, 'dead');
    },
    async release(claimed) {
      const entry = held(claimed);
      if (entry) putBack({ ...entry, attempts: entry.attempts - 1 });
    },
    async replay(seq) {
      const entry = entries.get(seq);
      if (!entry || entry.status === 'running') return entry ?? null;
      return waitAfresh(entry);
    },
    discard: async (seq, reason) => discard(seq, reason),
    prune: async ({ finishedBefore, limit }) => prune(finishedBefore, limit),
    find: async (seq) => entries.get(seq) ?? null,
    list: async (filter) => list(filter),
    stats: async () => stats(),
    nextDue: async () => nextDue(),
    onReady(listener) {
      listeners.push(listener);
    },
    close: async () => undefined,
  };
}

interface DueItem {
  readonly seq: number;
  readonly dueAt: number;
}

function bytesWaiting({ status, content }: Entry): number {
  return status === 'waiting' ? content.length : 0;
}

function matches(entry: Entry, wanted: Pick<Filter, 'status' | 'source' | 'type'>): boolean {
  return (
    (wanted.status === undefined || entry.status === wanted.status) &&
    (wanted.source === undefined || entry.source === wanted.source) &&
    (wanted.type === undefined || entry.type === wanted.type)
  );
}
