import { beginEntry, hashOfKey, uniqueKey } from '../inbox.ts';
import type { Entry, Filter, NewEntry, Stats, Status } from '../inbox.ts';

interface Forgotten {
  readonly seq: number;
  readonly finishedAt: number;
}

function hashText(key: string): string {
  return hashOfKey(key).toString('base64');
}

/** All entries, found by number or by key, and how many of them are in which status. */
export class Shelf {
  readonly #entries = new Map<number, Entry>(); // in the order of acceptance
  readonly #seqOfKey = new Map<string, number>();
  /** By the hash of their key, in the order in which they were forgotten. */
  readonly #forgotten = new Map<string, Forgotten>();
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

  findForgotten(key: string | undefined): Forgotten | undefined {
    return key === undefined ? undefined : this.#forgotten.get(hashText(key));
  }

  /** Of an entry that is forgotten. */
  keepKey(entry: Entry): void {
    const key = uniqueKey(entry);
    if (key === undefined || entry.finishedAt === undefined) return;
    this.#forgotten.set(hashText(key), { seq: entry.seq, finishedAt: entry.finishedAt });
  }

  forgetKeys(finishedBefore: number, limit: number): void {
    const old = this.#forgotten.entries().filter(([, { finishedAt }]) => finishedAt < finishedBefore);
    for (const [hash] of [...old.take(limit)]) this.#forgotten.delete(hash);
  }

  list({ limit, before = Infinity, bare = false, ...wanted }: Filter): Entry[] {
    const newestFirst = [...this.#entries.keys()].reverse();
    const found: Entry[] = [];
    for (const seq of newestFirst) {
      const entry = this.#entries.get(seq);
      if (found.length >= limit) break;
      if (entry && seq < before && matches(entry, wanted)) found.push(bare ? bared(entry) : entry);
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

function bared(entry: Entry): Entry {
  return { ...entry, content: Buffer.alloc(0), answer: undefined };
}

function matches(entry: Entry, wanted: Omit<Filter, 'before' | 'limit'>): boolean {
  const { subject, eventId, request, receivedAt } = entry;
  const { about } = wanted;
  return (
    (wanted.status === undefined || entry.status === wanted.status) &&
    (wanted.source === undefined || entry.source === wanted.source) &&
    (wanted.type === undefined || entry.type === wanted.type) &&
    (about === undefined ||
      eventId === about ||
      request === about ||
      subject?.endsWith(`:${about}`) === true) &&
    (wanted.subject === undefined ||
      [subject, subject?.slice(subject.indexOf(' ') + 1)].includes(wanted.subject)) &&
    (wanted.since === undefined || receivedAt >= wanted.since)
  );
}
