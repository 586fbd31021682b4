import { createSteadyClock } from '../inbox.ts';
import { forgottenEntry, KEYS_PER_ENTRY, refusal, uniqueKey } from '../inbox.ts';
import type { Entry, Inbox, NewEntry, PruneOptions, Result, Room, Stored } from '../inbox.ts';
import { Queue } from './queue.ts';
import { createRing, type Ring } from './ring.ts';
import { Shelf } from './shelf.ts';

export interface MemoryInboxOptions extends Room {
  readonly now?: () => number;
  /**
   * How many done entries are kept, and how many dead ones; older ones are forgotten together with their keys, and their
   * redelivery would be a new event. Default 10,000: hours of redeliveries in a few dozen megabytes.
   */
  readonly keepFinished?: number;
}

/**
 * An inbox for trying out, tests and measurements. Not durable: what it holds is gone with the process, so a 2xx
 * promises nothing. It also forgets finished entries beyond `keepFinished`.
 */
export function createMemoryInbox({
  now = createSteadyClock(),
  keepFinished = 10_000,
  ...room
}: MemoryInboxOptions): Inbox {
  const shelf = new Shelf();
  const queue = new Queue(shelf);
  const finished = { done: createRing<Entry>(keepFinished), dead: createRing<Entry>(keepFinished) };
  const memory: Memory = { shelf, queue, finished, room, now };
  const ifHeld = async <Outcome>(claimed: Entry, change: (entry: Entry) => Outcome) => {
    const entry = held(memory, claimed);
    return entry && change(entry);
  };

  return {
    store: async (fresh, claiming) => store(memory, fresh, claiming?.claimForMs),
    claim: async ({ limit, leaseMs }) => claim(memory, limit, leaseMs),
    async renew(claimed, leaseMs) {
      const renewed = await ifHeld(claimed, (entry) => shelf.put({ ...entry, leaseUntil: now() + leaseMs }));
      return renewed !== undefined;
    },
    done: (claimed, result = {}) =>
      ifHeld(claimed, (entry) => {
        done(memory, entry, result);
      }),
    async retry(claimed, reason, dueAt) {
      await ifHeld(claimed, (entry) => putBack(memory, { ...entry, note: reason, unchanged: false, dueAt }));
    },
    async bury(claimed, reason) {
      await ifHeld(claimed, (entry) => finish(memory, { ...entry, note: reason, unchanged: false }, 'dead'));
    },
    async release(claimed) {
      await ifHeld(claimed, (entry) => putBack(memory, { ...entry, attempts: entry.attempts - 1 }));
    },
    async replay(seq) {
      const entry = shelf.get(seq);
      if (!entry || entry.status === 'running') return entry ?? null;
      return waitAgain(memory, entry);
    },
    async discard(seq, reason) {
      const entry = shelf.get(seq);
      if (!entry || entry.status === 'running' || entry.status === 'done') return entry ?? null;
      return finish(memory, { ...entry, note: reason, unchanged: false }, 'done');
    },
    prune: async (options) => prune(memory, options),
    find: async (seq) => shelf.get(seq) ?? null,
    list: async (filter) => shelf.list(filter),
    stats: async () => shelf.stats(),
    nextDue: async () => queue.nextDue(),
    onReady(listener) {
      queue.onReady(listener);
    },
    close: async () => undefined,
  };
}

/** All that the inbox holds. */
interface Memory {
  readonly shelf: Shelf;
  readonly queue: Queue;
  /** In the order in which they ended. */
  readonly finished: Readonly<Record<'done' | 'dead', Ring<Entry>>>;
  readonly room: Room;
  readonly now: () => number;
}

function store(memory: Memory, fresh: NewEntry, claimForMs: number | undefined): Stored {
  const { shelf, queue, room } = memory;
  const key = uniqueKey(fresh);
  const known = shelf.findByKey(key);
  if (!known) {
    const forgotten = shelf.findForgotten(key);
    if (forgotten) {
      const { seq, finishedAt } = forgotten;
      return { entry: forgottenEntry(fresh, seq, finishedAt), duplicate: true, claimed: false };
    }
    const full = refusal(room, shelf.waiting(), fresh.content.length);
    if (full) throw full;
  }
  const duplicate = known !== undefined;
  const entry = known ?? insert(memory, fresh, key);
  if (claimForMs === undefined || !queue.mayRun(entry)) return { entry, duplicate, claimed: false };
  const waiting = entry.status === 'dead' ? waitAgain(memory, entry) : entry;
  return { entry: take(memory, waiting, claimForMs), duplicate, claimed: true };
}

function insert(memory: Memory, fresh: NewEntry, key: string | undefined): Entry {
  return wait(memory, memory.shelf.begin(fresh, key, memory.now()));
}

function claim(memory: Memory, limit: number, leaseMs: number): Entry[] {
  const { queue, now } = memory;
  for (const entry of queue.lapsed(now())) {
    const note = `interrupted: the lease of attempt ${entry.attempts} lapsed`;
    putBack(memory, { ...entry, dueAt: now(), note, unchanged: false });
  }
  const claimed: Entry[] = [];
  while (claimed.length < limit) {
    const next = queue.takeDue(now());
    if (!next) break;
    claimed.push(take(memory, next, leaseMs));
  }
  return claimed;
}

function take({ shelf, queue, now }: Memory, entry: Entry, leaseMs: number): Entry {
  queue.begin(entry);
  const { attempts, claims } = entry;
  const leaseUntil = now() + leaseMs;
  return shelf.put({ ...entry, status: 'running', attempts: attempts + 1, claims: claims + 1, leaseUntil });
}

function held({ shelf }: Memory, { seq, claims }: Entry): Entry | undefined {
  const entry = shelf.get(seq);
  return entry?.status === 'running' && entry.claims === claims ? entry : undefined;
}

function done(
  memory: Memory,
  entry: Entry,
  { note, unchanged = false, answer = entry.answer, followUps = [] }: Result,
): void {
  finish(memory, { ...entry, note, unchanged, answer }, 'done');
  for (const followUp of followUps) {
    const key = uniqueKey(followUp);
    if (!memory.shelf.findByKey(key)) insert(memory, followUp, key);
  }
}

function finish({ shelf, queue, finished, now }: Memory, entry: Entry, status: 'done' | 'dead'): Entry {
  queue.leave(entry);
  const ended = shelf.put({ ...entry, status, leaseUntil: undefined, finishedAt: now() });
  queue.elect(ended);
  const oldest = finished[status].push(ended);
  if (oldest && isCurrent(shelf, oldest)) shelf.forget(oldest);
  return ended;
}

function prune({ shelf, finished }: Memory, { finishedBefore, limit, keysBefore }: PruneOptions): number {
  const isOld = (ended: Entry) =>
    isCurrent(shelf, ended) && ended.finishedAt !== undefined && ended.finishedAt < finishedBefore;
  const old = finished.done.take(isOld, limit);
  for (const entry of old) {
    shelf.forget(entry);
    if (keysBefore !== undefined) shelf.keepKey(entry);
  }
  if (keysBefore !== undefined) shelf.forgetKeys(keysBefore, limit * KEYS_PER_ENTRY);
  return old.length;
}

/** Nobody replayed or discarded it since it finished. */
function isCurrent(shelf: Shelf, ended: Entry): boolean {
  return shelf.get(ended.seq) === ended;
}

function waitAgain(memory: Memory, entry: Entry): Entry {
  const { shelf, queue, now } = memory;
  const again = { ...entry, attempts: 0, dueAt: now(), finishedAt: undefined };
  if (entry.status !== 'waiting') return wait(memory, again);
  return queue.leads(entry) ? putBack(memory, again) : shelf.put(again);
}

/** A running entry, or the head of a line whose due time changed, takes its place in the line again. */
function putBack(memory: Memory, entry: Entry): Entry {
  memory.queue.leave(entry);
  return wait(memory, entry);
}

function wait({ shelf, queue }: Memory, entry: Entry): Entry {
  const waiting = shelf.put({ ...entry, status: 'waiting', leaseUntil: undefined });
  queue.join(waiting);
  return waiting;
}
