import { beginEntry, uniqueKey } from '../inbox.ts';
import type { Entry, Filter, NewEntry, Stats, Status } from '../inbox.ts';

/** All entries, found by number or by key, and how many of them are in which status. */
export class Shelf {
  readonly #entries = new Map<number, Entry>(); // in the order of acceptance
  readonly #seqOfKey = new Map<string, number>();
  readonly #counts: Record<Status, number> = { waiting: 0, running: 0, done: 0, dead: 0 };
  #waitingBytes = 0;
  #lastSeq = 0;

  get(seq: number | undefined): Entry | undefined {
    return seq === undefined ? undefined : this.#entries.get(seq);
  }

  findByKey(key: string | undefined): Entry | undefined {
    return key === undefined ? undefined : this.get(this.#seqOfKey.get(key));
  }

  /** A new entry with the next number, under its key; it is on the shelf once it is put there. */
  begin(fresh: NewEntry, key: string | undefined, dueAt: number): Entry {
    this.#lastSeq += 1;
    if (key !== undefined) this.#seqOfKey.set(key, this.#lastSeq);
    return beginEntry(fresh, this.#lastSeq, dueAt);
  }

  /** In place of the entry as it was before, if there was one. */
  put(entry: Entry): Entry {
    const before = this.#entries.get(entry.seq);
    if (before) this.#counts[before.status] -= 1;
    this.#counts[entry.status] += 1;
    this.#waitingBytes += bytesWaiting(entry) - (before ? bytesWaiting(before) : 0);
    this.#entries.set(entry.seq, entry);
    return entry;
  }

  forget(entry: Entry): void {
    this.#counts[entry.status] -= 1;
    this.#entries.delete(entry.seq);
    this.#seqOfKey.delete(uniqueKey(entry) ?? '');
  }

  list({ limit, before = Infinity, ...wanted }: Filter): Entry[] {
    const newestFirst = [...this.#entries.keys()].reverse();
    const found: Entry[] = [];
    for (const seq of newestFirst) {
      const entry = this.#entries.get(seq);
      if (found.length >= limit) break;
      if (entry && seq < before && matches(entry, wanted)) found.push(entry);
    }
    return found;
  }

  waiting(): Pick<Stats, 'waiting' | 'waitingBytes'> {
    return { waiting: this.#counts.waiting, waitingBytes: this.#waitingBytes };
  }

  stats(): Stats {
    const oldest = this.#counts.waiting === 0 ? undefined : this.#entries.values().find(isWaiting);
    return { ...this.#counts, oldestWaitingAt: oldest?.receivedAt, waitingBytes: this.#waitingBytes };
  }
}

function isWaiting({ status }: Entry): boolean {
  return status === 'waiting';
}

function bytesWaiting(entry: Entry): number {
  return isWaiting(entry) ? entry.content.length : 0;
}

function matches(entry: Entry, wanted: Omit<Filter, 'before' | 'limit'>): boolean {
  const { source, subject, eventId, receivedAt } = entry;
  const { about } = wanted;
  return (
    (wanted.status === undefined || entry.status === wanted.status) &&
    (wanted.source === undefined || source === wanted.source) &&
    (wanted.type === undefined || entry.type === wanted.type) &&
    (about === undefined || eventId === about || subject?.endsWith(`:${about}`) === true) &&
    (wanted.subject === undefined || [subject, subject?.slice(source.length + 1)].includes(wanted.subject)) &&
    (wanted.since === undefined || receivedAt >= wanted.since)
  );
}
