import { createHash, hash } from 'node:crypto';

/** The durable store of accepted deliveries. Every method rejects with `InboxUnavailable` when it cannot write. */
export interface Inbox {
  /**
   * Stores an accepted delivery. Resolves only when it is durable, or when its key is already known: that of an entry, or
   * one that `prune` has kept. Of the latter there is no entry any more; the one in the answer says what this delivery
   * says, is done, and has the number of the first.
   * With `claimForMs` the entry is claimed in the same commit, unless another entry of its subject comes first; a
   * duplicate is claimed too if it waits or is dead, and a dead one begins with a fresh count of attempts.
   */
  store(entry: NewEntry, options?: { readonly claimForMs: number }): Promise<Stored>;
  /** Takes waiting entries that are due, at most one per subject and none whose subject is running or has an earlier one. */
  claim(options: { readonly limit: number; readonly leaseMs: number }): Promise<Entry[]>;
  /** Keeps a running entry for longer. Resolves false when the lease was lost to another worker. */
  renew(claimed: Entry, leaseMs: number): Promise<boolean>;
  /**
   * The attempt succeeded; its follow-up work is stored in the same commit, however full the inbox is. A lost lease is
   * ignored, here and below: its new holder decides.
   */
  done(claimed: Entry, result?: Result): Promise<void>;
  /** The attempt failed; the next one is due at `dueAt` (ms since 1970). */
  retry(claimed: Entry, reason: string, dueAt: number): Promise<void>;
  /** The entry will not be tried again by itself. */
  bury(claimed: Entry, reason: string): Promise<void>;
  /** Gives a claimed entry back unharmed, as on shutdown: the attempt does not count. */
  release(claimed: Entry): Promise<void>;
  /**
   * Makes an entry wait, due at once and with a fresh count of attempts; its proof is not repeated. A running one is
   * left alone. Null if unknown.
   */
  replay(seq: number): Promise<Entry | null>;
  /**
   * Makes a waiting or dead entry done, with the reason as its note: it will not run. One that runs or is done already is
   * left alone. Null if unknown.
   */
  discard(seq: number, reason: string): Promise<Entry | null>;
  /**
   * Forgets entries done before `finishedBefore` (ms since 1970), oldest first and at most `limit`. Resolves with how many.
   * Their keys go with them, and a redelivery would be a new event; only with `keysBefore` the hashes of keys are kept, until
   * their entry was done before that.
   */
  prune(options: PruneOptions): Promise<number>;
  find(seq: number): Promise<Entry | null>;
  /** Newest first. */
  list(filter: Filter): Promise<Entry[]>;
  stats(): Promise<Stats>;
  /** When something next becomes claimable (ms since 1970): a waiting entry due, a lease lapsed. In the past: now. */
  nextDue(): Promise<number | undefined>;
  /** Calls back, soon, after an entry became claimable in this process. */
  onReady(listener: () => void): void;
  close(): Promise<void>;
}

export interface PruneOptions {
  readonly finishedBefore: number;
  readonly limit: number;
  /** Milliseconds since 1970. */
  readonly keysBefore?: number | undefined;
}

/** So many kept keys are forgotten for each entry that may be: they are small. */
export const KEYS_PER_ENTRY = 10;

/** The inbox could not keep a promise: the delivery is answered 503, the worker tries again later. */
export class InboxUnavailable extends Error {
  override readonly name = 'InboxUnavailable';
  readonly code: 'inbox_full' | 'inbox_unavailable';

  constructor(code: 'inbox_full' | 'inbox_unavailable', message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function inboxClosed(): InboxUnavailable {
  return new InboxUnavailable('inbox_unavailable', 'The inbox is closed: the process is shutting down.');
}

/** How much may wait before deliveries are answered 503. */
export interface Room {
  readonly maxWaiting: number;
  /** Of content. No limit by default. Where nothing waits, there is room for any. */
  readonly maxWaitingBytes?: number;
}

/**
 * Why there is no room for content of this size, if there is none. While nothing waits there is room for any: otherwise
 * it would be refused for ever.
 */
export function refusal(
  { maxWaiting, maxWaitingBytes = Infinity }: Room,
  { waiting, waitingBytes }: Pick<Stats, 'waiting' | 'waitingBytes'>,
  bytes: number,
): InboxUnavailable | undefined {
  const tooLarge = waiting > 0 && waitingBytes + bytes > maxWaitingBytes;
  if (waiting < maxWaiting && !tooLarge) return undefined;
  return new InboxUnavailable(
    'inbox_full',
    `${waiting} entries of ${waitingBytes} bytes are waiting, and the inbox may hold no more: are the ` +
      'handlers failing, or too slow?',
  );
}

export interface NewEntry {
  readonly source: string;
  /** Path of the endpoint. */
  readonly endpoint: string;
  readonly installation: string | undefined;
  /** As the sender spells it, or `?` when its content could not be read. */
  readonly type: string;
  readonly eventId: string | undefined;
  /** Unique per endpoint and installation; entries without one are never duplicates. */
  readonly key: string | undefined;
  /** Entries with the same one, within a source, run one after the other in the order of acceptance. */
  readonly subject: string | undefined;
  /** Which live secret proved it: the proof is sealed with the entry. */
  readonly secret: number;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  /** The authenticated bytes; each attempt parses them again. */
  readonly content: Buffer;
  /** Our name for the delivery that brought it, see `nextRequestId`; a step has that of its event. */
  readonly request?: string | undefined;
  /** Where in a trace it was stored, as the header `traceparent` writes it. */
  readonly trace?: string | undefined;
}

/** Longer ones are kept as their digest: a sender chooses the length, and every key is in an index. */
const LONGEST_PLAIN_KEY = 200;

/** What two deliveries of one event have in common: endpoint, installation and key as one text. */
export function uniqueKey(entry: Pick<NewEntry, 'endpoint' | 'installation' | 'key'>): string | undefined {
  if (entry.key === undefined) return undefined;
  const plain = JSON.stringify([entry.endpoint, entry.installation ?? null, entry.key]);
  if (plain.length <= LONGEST_PLAIN_KEY) return plain;
  return `sha256:${createHash('sha256').update(plain).digest('base64url')}`;
}

/** All that is kept of a unique key once its entry is forgotten. */
export function hashOfKey(uniqueKey: string): Buffer {
  return hash('sha256', uniqueKey, 'buffer');
}

/** In the place of an entry of which only the key was kept: what its redelivery says, done. */
export function forgottenEntry(fresh: NewEntry, seq: number, finishedAt: number): Entry {
  return {
    ...beginEntry(fresh, seq, finishedAt),
    status: 'done',
    finishedAt,
    note: 'its entry is forgotten',
  };
}

/**
 * The subject of an entry: what it is about, within its source and installation. Two installations may have a task of the
 * same id, and neither is to hold up or change the other's.
 */
export function subjectOf(
  { source, installation }: Pick<NewEntry, 'source' | 'installation'>,
  about: string,
): string {
  const owner = installation === undefined ? source : `${source}?key=${encodeURIComponent(installation)}`;
  return `${owner} ${about}`;
}

/** What a successful attempt leaves behind. */
export interface Result {
  readonly note?: string | undefined;
  /** The handler said that the event told it nothing new. */
  readonly unchanged?: boolean | undefined;
  /** The reply body, where a duplicate can ask for it again. */
  readonly answer?: Buffer;
  /** Work that is to be done after this, each with attempts of its own. */
  readonly followUps?: readonly NewEntry[];
}

export const statuses = ['waiting', 'running', 'done', 'dead'] as const;
export type Status = (typeof statuses)[number];

export interface Entry extends NewEntry {
  /** Grows in the order of acceptance. */
  readonly seq: number;
  readonly status: Status;
  /** Attempts that count, begun so far; while running, this one's number. Release and replay set it back. */
  readonly attempts: number;
  /** Claims so far, never set back: the holder of an older claim has lost the lease. */
  readonly claims: number;
  /** Milliseconds since 1970: when a waiting entry may next be tried. */
  readonly dueAt: number;
  /** While running: when the claim lapses. */
  readonly leaseUntil: number | undefined;
  readonly finishedAt: number | undefined;
  /** What the handler said it did, or why the last attempt failed. */
  readonly note: string | undefined;
  /** It is done, and changed nothing: its handler knew something newer. */
  readonly unchanged: boolean;
  /** The reply body a reply event got, so that its duplicate gets the same. */
  readonly answer: Buffer | undefined;
}

const LONGEST_NOTE = 500;

/** What a handler said, cut to a length that an entry and a log line can bear: messages quote whatever they like. */
export function shortNote(note: string): string {
  return note.length <= LONGEST_NOTE ? note : `${note.slice(0, LONGEST_NOTE)}…`;
}

/** An entry as every inbox begins it. */
export function beginEntry(fresh: NewEntry, seq: number, dueAt: number): Entry {
  return {
    ...fresh,
    seq,
    status: 'waiting',
    attempts: 0,
    claims: 0,
    dueAt,
    leaseUntil: undefined,
    finishedAt: undefined,
    note: undefined,
    unchanged: false,
    answer: undefined,
  };
}

export interface Stored {
  readonly entry: Entry;
  readonly duplicate: boolean;
  readonly claimed: boolean;
}

export interface Filter {
  readonly status?: Status;
  readonly source?: string;
  readonly type?: string;
  /** What the sender calls the event or we its delivery, or, by the last part of its subject, the thing that it is about. */
  readonly about?: string;
  /** As the data sheet writes it, `task:…`, with the source before it or without. */
  readonly subject?: string;
  /** Received then (ms since 1970) or later. */
  readonly since?: number;
  /** Only entries with a smaller `seq`: the next page. */
  readonly before?: number;
  readonly limit: number;
  /** Without content and answer, which then are empty: for whoever looks at many. */
  readonly bare?: boolean;
}

export interface Stats {
  readonly waiting: number;
  readonly running: number;
  readonly done: number;
  readonly dead: number;
  /** Milliseconds since 1970 at which the oldest waiting entry was received. */
  readonly oldestWaitingAt: number | undefined;
  /** Of the content of all waiting entries. */
  readonly waitingBytes: number;
}

/** What an operating system corrects all the time is no step. */
const STEP_MS = 1_000;

/**
 * The time of day that what waits is measured by. Where the system's clock is set back it goes on as if it had not been,
 * until the system's has caught up or was set forward again: else all that is due would stand still for as long.
 */
export function createSteadyClock(wall = () => Date.now(), running = () => performance.now()): () => number {
  let offset = wall() - running();
  let ahead = 0;
  return () => {
    const now = wall();
    const next = now - running();
    const step = Math.round(next - offset);
    offset = next;
    if (Math.abs(step) > STEP_MS) ahead = Math.max(0, ahead - step);
    return now + ahead;
  };
}
