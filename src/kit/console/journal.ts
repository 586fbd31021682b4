import { randomBytes } from 'node:crypto';
import type { RefusalLine } from '../http/refusal-log.ts';
import { shortNote, type Entry } from '../inbox/inbox.ts';
import type { Attempted } from '../inbox/worker/attempt.ts';
import { logged, type StepLog } from '../log.ts';
import type { Genuine } from '../receiver/receive.ts';
import { definitionOf, type Source } from '../source.ts';
import { rowOfEntry, type Row } from './row.ts';

/** What this process saw since it started, the last of it: told of each delivery, each attempt, and nothing else. */
export interface Journal {
  received(received: Genuine, ms: number): void;
  refused(line: RefusalLine): void;
  attempted(entry: Entry, attempted: Attempted): void;
  /** Told of each step on the way to the reply. */
  readonly step: StepLog;
  /** An entry as it is now, where another process may have changed it, or somebody here. */
  seen(entry: Entry): void;
  /** Grows with each change. */
  readonly version: number;
  /** The version in a text that no other process gives. */
  readonly mark: string;
  /** 0 for what is no mark of this process. */
  versionOf(mark: string): number;
  /** By their keys, oldest first. */
  readonly rows: ReadonlyMap<string, Noted>;
  /** Those that are newer, or have changed, since a version: in the order in which they changed. */
  since(version: number): readonly Noted[];
  historyOf(seq: number): History;
  /** The last hour, minute by minute, the one that goes on last. */
  minutes(): readonly Minute[];
  /** When each secret was last needed (ms since 1970), by `path position`. */
  readonly proofs: ReadonlyMap<string, number>;
}

export interface Noted extends Row {
  /** In which it last changed. */
  readonly version: number;
}

/** What is known of an entry besides what the inbox keeps. */
export interface History {
  /** How long each step took before the reply (ms), by its name. */
  readonly steps: ReadonlyMap<string, number>;
  /** Oldest first. */
  readonly attempts: readonly NotedAttempt[];
}

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

const MOST_ATTEMPTS = 20;

export function createJournal(sources: readonly Source[], now: () => number = Date.now): Journal {
  const proofs = new Map<string, number>();
  const histories = new Histories();
  const minutes = new Minutes(now);
  const ring = new Ring(({ seq }) => {
    histories.forget(seq);
  });
  let duplicates = 0;
  /** What the reply was stays known. */
  function putAsIs(row: Row): void {
    const before = ring.rows.get(row.key);
    ring.put({ ...row, ms: before?.ms, word: before?.word ?? row.word });
  }

  return {
    received({ outcome, entry, proven, note = '' }, ms) {
      minutes.current().accepted += 1;
      proofs.set(`${entry.endpoint} ${proven.secret}`, now());
      const row = { ...rowOfEntry(entry), ms };
      histories.keepSteps(entry);
      if (outcome === 'accepted') ring.put(row);
      else if (outcome === 'duplicate') {
        duplicates += 1;
        ring.put({ ...row, key: `d${duplicates}`, at: now(), word: outcome });
      } else {
        const state = outcome === 'answered' ? 'done' : afterFailure(sources, entry);
        ring.put({ ...row, word: outcome, note: shortNote(note), state });
      }
    },
    refused(line) {
      minutes.current().refused += 1;
      histories.drop(line['request']);
      ring.put(rowOfRefusal(line, now()));
    },
    attempted(entry, attempted) {
      const { outcome, note, ms } = attempted;
      minutes.handled(ms);
      putAsIs(rowOfEntry({ ...entry, note, status: outcome === 'retry' ? 'waiting' : outcome }));
      histories.keepAttempt(entry.seq, { ...attempted, at: now(), attempt: entry.attempts });
    },
    seen(entry) {
      const row = rowOfEntry(entry);
      const before = ring.rows.get(row.key);
      if (before?.state !== row.state || before.attempts !== row.attempts) putAsIs(row);
    },
    get version() {
      return ring.version;
    },
    get mark() {
      return ring.mark;
    },
    versionOf: (mark) => ring.versionOf(mark),
    rows: ring.rows,
    since: (version) => ring.since(version),
    step: histories.note,
    historyOf: (seq) => histories.of(seq),
    minutes: () => minutes.all(),
    proofs,
  };
}

const MOST_ROWS = 2_000;

/** The last rows, by their coming and by their last change. */
class Ring {
  readonly rows = new Map<string, Noted>();
  readonly #changed = new Map<string, Noted>();
  readonly #epoch = randomBytes(4).toString('hex');
  readonly #onLost: (row: Row) => void;
  version = 0;

  constructor(onLost: (row: Row) => void) {
    this.#onLost = onLost;
  }

  get mark(): string {
    return `${this.#epoch}.${this.version}`;
  }

  versionOf(mark: string): number {
    const [epoch, version = ''] = mark.split('.');
    return epoch === this.#epoch && /^\d{1,15}$/.test(version) ? Number(version) : 0;
  }

  put(row: Row): void {
    this.version += 1;
    const noted = { ...row, version: this.version };
    this.rows.set(row.key, noted);
    this.#changed.delete(row.key);
    this.#changed.set(row.key, noted);
    if (this.rows.size > MOST_ROWS) this.#forgetOldest();
  }

  since(version: number): Noted[] {
    const all = [...this.#changed.values()];
    return all.slice(all.findLastIndex((row) => row.version <= version) + 1);
  }

  #forgetOldest(): void {
    const [oldest] = this.rows.values();
    if (oldest === undefined) return;
    this.rows.delete(oldest.key);
    this.#changed.delete(oldest.key);
    this.#onLost(oldest);
  }
}

/** More are not under way at a time. */
const MOST_UNDER_WAY = 5_000;

/** Steps are noted by the name of a delivery while it is under way, then kept by its entry. */
class Histories {
  readonly #underWay = new Map<unknown, Map<string, number>>();
  readonly #kept = new Map<number, History>();

  readonly note: StepLog = (request, name, facts) => {
    if (!('ms' in facts) || typeof facts.ms !== 'number' || name === 'replied') return;
    const before = this.#underWay.get(request);
    // Of a duplicate it is the first one that has the entry.
    if ('duplicate' in facts && facts.duplicate === true) this.#underWay.delete(request);
    else if (before !== undefined) before.set(name, facts.ms);
    else this.#underWay.set(request, new Map([[name, facts.ms]]));
    if (this.#underWay.size > MOST_UNDER_WAY) this.#underWay.clear();
  };

  keepSteps({ seq, request }: Pick<Entry, 'seq' | 'request'>): void {
    const steps = this.#underWay.get(request);
    if (steps === undefined) return;
    this.#underWay.delete(request);
    this.#kept.set(seq, { ...this.of(seq), steps });
  }

  keepAttempt(seq: number, noted: NotedAttempt): void {
    const { steps, attempts } = this.of(seq);
    this.#kept.set(seq, { steps, attempts: [...attempts, noted].slice(-MOST_ATTEMPTS) });
  }

  drop(request: unknown): void {
    this.#underWay.delete(request);
  }

  forget(seq: number | undefined): void {
    if (seq !== undefined) this.#kept.delete(seq);
  }

  of(seq: number): History {
    return this.#kept.get(seq) ?? NO_HISTORY;
  }
}

const NO_HISTORY: History = { steps: new Map(), attempts: [] };

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

/** Its handler failed while somebody waited: it is tried again, or only kept. */
function afterFailure(sources: readonly Source[], { source, type }: Entry): Row['state'] {
  const of = sources.find(({ name }) => name === source);
  const definition = of && definitionOf(of, type);
  return definition?.mode === 'reply' && definition.afterFailure === 'record' ? 'dead' : 'waiting';
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
