import { randomBytes } from 'node:crypto';
import type { RefusalLine } from '../http/refusal-log.ts';
import { shortNote, type Entry, type Status } from '../inbox/inbox.ts';
import type { Attempted } from '../inbox/worker/attempt.ts';
import { logged, type StepLog } from '../log.ts';
import type { Genuine } from '../receiver/receive.ts';
import { definitionOf, type Source } from '../source.ts';
import { rowOfEntry, type Listed, type Row } from './row.ts';

/** What is known of an entry besides what the inbox keeps. */
export interface History {
  /** How long each step took before the reply (ms). */
  readonly steps: Steps;
  /** Oldest first. */
  readonly attempts: readonly NotedAttempt[];
}

const timed = ['proven', 'stored', 'handled'] as const;
type Steps = Partial<Record<(typeof timed)[number], number>>;

export interface NotedAttempt extends Attempted {
  readonly at: number;
  readonly attempt: number;
}

export interface Minute {
  /** Milliseconds since 1970. */
  readonly at: number;
  accepted: number;
  refused: number;
  handled: number;
  /** Of all attempts together. */
  handlerMs: number;
}

/** Fewer cost less: what is kept for longer than a moment is moved about by the garbage collector. */
const MOST_NOTES = 500;
const MOST_ATTEMPTS = 20;

/**
 * What this process saw since it started, the last of it: told of each delivery, each attempt, and nothing else. With each
 * delivery it is noted only; whatever takes time is done when somebody looks.
 */
export class Journal {
  /** When each secret was last needed (ms since 1970), by `path position`. */
  readonly proofs = new Map<string, number>();
  /** Grows with each change. */
  version = 0;
  readonly #sources: readonly Source[];
  readonly #now: () => number;
  /** In the order of their last change. */
  readonly #notes = new Map<string, Note>();
  /** Those that would be forgotten, were not somebody waiting for what becomes of them; likewise. */
  readonly #spared = new Map<string, Note>();
  #followed: ReadonlySet<string> = new Set();
  readonly #epoch = randomBytes(4).toString('hex');
  readonly #underWay = new UnderWay();
  readonly #minutes: Minutes;
  #duplicates = 0;

  constructor(sources: readonly Source[], now: () => number = Date.now) {
    this.#sources = sources;
    this.#now = now;
    this.#minutes = new Minutes(now);
  }

  received({ outcome: word, entry, proven, note }: Genuine, ms: number): void {
    this.#minutes.current().accepted += 1;
    this.proofs.set(`${entry.endpoint} ${proven.secret}`, this.#now());
    if (word === 'duplicate') {
      this.#duplicates += 1;
      const key = `d${this.#duplicates}`;
      this.#put(new EntryNote(key, listed(entry), { word, ms, key, at: this.#now() }));
      return;
    }
    const steps = this.#underWay.taken(entry.request);
    // Of many that are stored together some are handled before their senders are told that they are stored.
    const ahead = word === 'accepted' ? this.#entryNote(entry.seq)?.entry : undefined;
    const status = ahead?.status ?? this.#statusAfter(word, entry);
    this.#putEntry(ahead ?? entry, status, note ?? (ahead ?? entry).note, { word, ms }).steps = steps;
  }

  refused(line: RefusalLine): void {
    this.#minutes.current().refused += 1;
    this.#underWay.taken(line['request']);
    this.#put(new RefusalNote(line, this.#now()));
  }

  attempted(entry: Entry, attempted: Attempted): void {
    const { outcome, note, ms } = attempted;
    this.#minutes.handled(ms);
    const fresh = this.#putEntry(entry, outcome === 'retry' ? 'waiting' : outcome, note);
    fresh.attempts ??= [];
    fresh.attempts.push({ ...attempted, at: this.#now(), attempt: entry.attempts });
    if (fresh.attempts.length > MOST_ATTEMPTS) fresh.attempts.shift();
  }

  /** Told of each step on the way to the reply. */
  readonly step: StepLog = (request, name, facts) => {
    this.#underWay.note(request, name, facts);
  };

  /** An entry as it is now, where another process may have changed it, or somebody here. */
  seen(entry: Entry): void {
    const before = this.#entryNote(entry.seq)?.entry;
    if (before?.status !== entry.status || before.attempts !== entry.attempts)
      this.#putEntry(entry, entry.status, entry.note);
  }

  /** The version in a text that no other process gives. */
  get mark(): string {
    return `${this.#epoch}.${this.version}`;
  }

  /** 0 for what is no mark of this process. */
  versionOf(mark: string): number {
    const [epoch, version = ''] = mark.split('.');
    return epoch === this.#epoch && /^\d{1,15}$/.test(version) ? Number(version) : 0;
  }

  /** In the order of their last change. */
  rows(): readonly Row[] {
    return this.since(0);
  }

  row(key: string): Row | undefined {
    return this.#note(key)?.row;
  }

  /** However many come, rows with these keys are not forgotten from now on. */
  follow(keys: ReadonlySet<string>): void {
    this.#followed = keys;
    for (const key of this.#spared.keys()) if (!keys.has(key)) this.#spared.delete(key);
  }

  /** Those that have changed since a version. */
  since(version: number): readonly Row[] {
    if (version === this.version) return [];
    const all = [...this.#spared.values(), ...this.#notes.values()];
    return all.slice(all.findLastIndex((note) => note.version <= version) + 1).map(({ row }) => row);
  }

  historyOf(seq: number): History {
    const { steps = {}, attempts = [] } = this.#entryNote(seq) ?? {};
    return { steps, attempts };
  }

  /** The last hour, minute by minute, the one that goes on last. */
  minutes(): readonly Minute[] {
    return this.#minutes.all();
  }

  #entryNote(seq: number): EntryNote | undefined {
    const note = this.#note(`e${seq}`);
    return note instanceof EntryNote ? note : undefined;
  }

  /** How it was answered stays known. */
  #putEntry(entry: Listed, status: Status, note: string | undefined, reply?: Reply): EntryNote {
    const before = this.#entryNote(entry.seq);
    const fresh = new EntryNote(`e${entry.seq}`, listed(entry, status, note), reply ?? before?.reply);
    fresh.steps = before?.steps;
    fresh.attempts = before?.attempts;
    this.#put(fresh);
    return fresh;
  }

  #put(note: Note): void {
    this.version += 1;
    note.version = this.version;
    this.#notes.delete(note.key);
    if (this.#spared.size > 0) this.#spared.delete(note.key);
    this.#notes.set(note.key, note);
    if (this.#notes.size > MOST_NOTES) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const { value: oldest } = this.#notes.values().next();
    if (oldest === undefined) return;
    this.#notes.delete(oldest.key);
    if (this.#followed.has(oldest.key)) this.#spared.set(oldest.key, oldest);
  }

  #note(key: string): Note | undefined {
    return this.#notes.get(key) ?? this.#spared.get(key);
  }

  /** Where its handler failed while somebody waited, it is tried again, or only kept. */
  #statusAfter(word: Genuine['outcome'], { source, type, status }: Entry): Status {
    if (word === 'accepted') return status;
    if (word === 'answered') return 'done';
    const of = this.#sources.find(({ name }) => name === source);
    const definition = of && definitionOf(of, type);
    return definition?.mode === 'reply' && definition.afterFailure === 'record' ? 'dead' : 'waiting';
  }
}

interface Note {
  readonly key: string;
  version: number;
  readonly row: Row;
}

/** What only who answered a delivery knows of it. */
type Reply = Pick<Row, 'word' | 'ms'> & Partial<Pick<Row, 'key' | 'at'>>;

class EntryNote implements Note {
  version = 0;
  steps: Steps | undefined;
  attempts: NotedAttempt[] | undefined;
  readonly key: string;
  readonly entry: Listed;
  readonly reply: Reply | undefined;
  #row: Row | undefined;

  constructor(key: string, entry: Listed, reply: Reply | undefined) {
    this.key = key;
    this.entry = entry;
    this.reply = reply;
  }

  get row(): Row {
    return (this.#row ??= { ...rowOfEntry(this.entry), ...this.reply });
  }
}

class RefusalNote implements Note {
  version = 0;
  readonly key: string;
  readonly #line: RefusalLine;
  readonly #at: number;
  #row: Row | undefined;

  constructor(line: RefusalLine, at: number) {
    this.key = `r${String(line['request'])}`;
    this.#line = line;
    this.#at = at;
  }

  get row(): Row {
    return (this.#row ??= rowOfRefusal(this.#line, this.#at));
  }
}

/** Without its content: thousands are kept, and one may have megabytes. */
function listed(entry: Listed, status = entry.status, note = entry.note): Listed {
  const { seq, receivedAt, source, endpoint, type, eventId, subject, request, attempts } = entry;
  return { seq, receivedAt, source, endpoint, type, eventId, subject, request, attempts, status, note };
}

function rowOfRefusal({ code, why, source, type, path, request, ms }: RefusalLine, at: number): Row {
  const text = (value: unknown) => (typeof value === 'string' ? (logged(value) ?? '') : '');
  return {
    key: `r${text(request)}`,
    at,
    ...{ source: text(source), type: text(type), about: text(path), request: text(request) },
    ...{ seq: undefined, state: 'refused', word: 'refused', attempts: 0 },
    note: `${code}: ${shortNote(why)}`,
    ms: typeof ms === 'number' ? ms : undefined,
  };
}

/** More are not under way at a time. */
const MOST_UNDER_WAY = 5_000;

/** How long the steps of deliveries took that are not answered yet, by our name for them. */
class UnderWay {
  readonly #steps = new Map<unknown, Steps>();

  readonly note: StepLog = (request, name, facts) => {
    const step = timed.find((one) => one === name);
    if (step === undefined || !('ms' in facts) || typeof facts.ms !== 'number') return;
    const before = this.#steps.get(request);
    // Of a duplicate it is the first one that has the entry.
    if ('duplicate' in facts && facts.duplicate === true) this.#steps.delete(request);
    else if (before !== undefined) before[step] = facts.ms;
    else this.#steps.set(request, { [step]: facts.ms });
    if (this.#steps.size > MOST_UNDER_WAY) this.#steps.clear();
  };

  taken(request: unknown): Steps | undefined {
    const steps = this.#steps.get(request);
    if (steps !== undefined) this.#steps.delete(request);
    return steps;
  }
}

const MINUTE_MS = 60_000;
const HOUR = 60;

class Minutes {
  readonly #now: () => number;
  #noted: Minute[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  current(): Minute {
    const now = this.#now();
    const at = now - (now % MINUTE_MS);
    const last = this.#noted.at(-1);
    if (last?.at === at) return last;
    const fresh = emptyMinute(at);
    this.#noted = [...this.#noted.slice(-HOUR), fresh];
    return fresh;
  }

  handled(ms: number): void {
    const minute = this.current();
    minute.handled += 1;
    minute.handlerMs += ms;
  }

  all(): readonly Minute[] {
    const { at } = this.current();
    const byTime = new Map(this.#noted.map((minute) => [minute.at, minute]));
    return Array.from({ length: HOUR }, (_, index) => {
      const then = at - (HOUR - 1 - index) * MINUTE_MS;
      return byTime.get(then) ?? emptyMinute(then);
    });
  }
}

function emptyMinute(at: number): Minute {
  return { at, accepted: 0, refused: 0, handled: 0, handlerMs: 0 };
}
