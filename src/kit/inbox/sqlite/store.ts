import type { DatabaseSync } from 'node:sqlite';
import {
  beginEntry,
  forgottenEntry,
  hashOfKey,
  refusal,
  uniqueKey,
  type Entry,
  type NewEntry,
  type Room,
  type Stats,
  type Status,
  type Stored,
} from '../inbox.ts';
import { mayRun, rejoin } from './lines.ts';
import { toEntry } from './rows.ts';
import { prepareStatements, type Statements } from './statements.ts';

/** What every step on the rows of an inbox file works with. Those that write are taken within `transact`. */
export interface Tables {
  readonly database: DatabaseSync;
  readonly statements: Statements;
  readonly counts: Counts;
  readonly room: Room;
  readonly now: () => number;
  /** Called when an entry became claimable, before its commit. */
  readonly onReady: () => void;
}

export function openTables(
  database: DatabaseSync,
  options: Pick<Tables, 'room' | 'now' | 'onReady'>,
): Tables {
  const statements = prepareStatements(database);
  return { ...options, database, statements, counts: createCounts(statements) };
}

/** Commits what the work did, or rolls it back and throws. */
export function transact<Outcome>({ database, statements, counts }: Tables, work: () => Outcome): Outcome {
  try {
    statements.begin.run();
    counts.begin();
    const result = work();
    counts.keep();
    statements.commit.run();
    return result;
  } finally {
    // A full disk may have rolled back by itself.
    if (database.isTransaction) statements.rollback.run();
  }
}

export function storeEntry(tables: Tables, fresh: NewEntry, claimForMs: number | undefined): Stored {
  const { room, counts, onReady } = tables;
  const key = uniqueKey(fresh);
  const known = findByKey(tables, key);
  if (known) return storedAgain(tables, known, claimForMs);
  const forgotten = findForgotten(tables, key);
  if (forgotten) {
    const { seq, finishedAt } = forgotten;
    const entry = forgottenEntry(fresh, Number(seq), Number(finishedAt));
    return { entry, duplicate: true, claimed: false };
  }
  const full = refusal(room, counts.now(), fresh.content.length);
  if (full) throw full;
  const { entry, leads } = insertEntry(tables, fresh, key);
  if (leads && claimForMs !== undefined) {
    return { entry: takeEntry(tables, entry, claimForMs), duplicate: false, claimed: true };
  }
  if (leads) onReady();
  return { entry, duplicate: false, claimed: false };
}

/** However full the inbox is: the attempt that asks for it has had its effects. */
export function storeFollowUp(tables: Tables, fresh: NewEntry): void {
  const key = uniqueKey(fresh);
  if (!findByKey(tables, key)) insertEntry(tables, fresh, key);
}

function findByKey({ statements }: Tables, key: string | undefined): Entry | undefined {
  const row = key === undefined ? undefined : statements.findByKey.get({ uniqueKey: key });
  return row && toEntry(row);
}

function findForgotten({ statements }: Tables, key: string | undefined) {
  return key === undefined ? undefined : statements.findForgotten.get(hashOfKey(key));
}

/** As the head of its line, if the line has none: the index on lines knows. */
function insertEntry(tables: Tables, fresh: NewEntry, key: string | undefined) {
  const { statements, counts, now } = tables;
  const dueAt = now();
  const asHead = insertRow(statements, fresh, key, dueAt, 1);
  const leads = asHead.changes === 1;
  const { lastInsertRowid } = leads ? asHead : insertRow(statements, fresh, key, dueAt, 0);
  const seq = Number(lastInsertRowid);
  statements.insertBody.run(seq, fresh.content);
  counts.move(undefined, 'waiting', fresh.content.length);
  return { entry: beginEntry(fresh, seq, dueAt), leads };
}

function insertRow(
  statements: Statements,
  fresh: NewEntry,
  key: string | undefined,
  dueAt: number,
  head: 0 | 1,
) {
  const { source, endpoint, installation, type, eventId, subject, secret, receivedAt, request, trace } =
    fresh;
  return statements.insert.run(
    ...[source, endpoint, installation ?? null, type, eventId ?? null, fresh.key ?? null, key ?? null],
    ...[subject ?? null, secret, receivedAt, dueAt, head, request ?? null, trace ?? null],
  );
}

function storedAgain(tables: Tables, known: Entry, claimForMs: number | undefined): Stored {
  if (claimForMs === undefined || !mayRun(tables.statements, known)) {
    return { entry: known, duplicate: true, claimed: false };
  }
  const waiting = known.status === 'dead' ? waitAgain(tables, known) : known;
  return { entry: takeEntry(tables, waiting, claimForMs), duplicate: true, claimed: true };
}

export function takeEntry({ statements, counts, now }: Tables, entry: Entry, leaseMs: number): Entry {
  const leaseUntil = now() + leaseMs;
  statements.take.run({ seq: entry.seq, leaseUntil });
  counts.move(entry.status, 'running', entry.content.length);
  return {
    ...entry,
    status: 'running',
    attempts: entry.attempts + 1,
    claims: entry.claims + 1,
    leaseUntil,
  };
}

/** Due at once, and with no attempt counted. */
export function waitAgain(tables: Tables, entry: Entry): Entry {
  const { statements, counts, now, onReady } = tables;
  statements.waitAgain.run({ seq: entry.seq, now: now() });
  counts.move(entry.status, 'waiting', entry.content.length);
  if (entry.status !== 'waiting') rejoin(statements, entry);
  onReady();
  return findEntry(tables, entry.seq) ?? entry;
}

export function findEntry({ statements }: Tables, seq: number): Entry | undefined {
  const row = statements.find.get({ seq });
  return row && toEntry(row);
}

type Counted = Omit<Stats, 'oldestWaitingAt'>;

/** The row that says how many entries are in which status, kept in step by the transaction that changes them. */
interface Counts {
  /** As committed. */
  read(): Counted;
  /** Takes them up as a transaction begins: another process may have changed them. */
  begin(): void;
  /** As they are within the transaction. */
  now(): Counted;
  /** An entry with content of this size changes its status, or begins with one. */
  move(from: Status | undefined, to: Status, bytes: number): void;
  forget(from: Status, entries: number): void;
  /** Writes them down, if anything changed, as the transaction ends. */
  keep(): void;
}

function createCounts(statements: Statements): Counts {
  let counts: Changing = { waiting: 0, running: 0, done: 0, dead: 0, waitingBytes: 0 };
  let changed = false;

  function read(): Changing {
    const row = statements.counts.get();
    const number = (member: keyof Counted) => Number(row?.[member]);
    return {
      waiting: number('waiting'),
      running: number('running'),
      done: number('done'),
      dead: number('dead'),
      waitingBytes: number('waitingBytes'),
    };
  }

  return {
    read,
    begin() {
      counts = read();
      changed = false;
    },
    now: () => counts,
    move(from, to, bytes) {
      if (from !== undefined) counts[from] -= 1;
      counts[to] += 1;
      if (from === 'waiting') counts.waitingBytes -= bytes;
      if (to === 'waiting') counts.waitingBytes += bytes;
      changed = true;
    },
    forget(from, entries) {
      counts[from] -= entries;
      changed = true;
    },
    keep() {
      if (changed) statements.putCounts.run(counts);
    },
  };
}

type Changing = { -readonly [Member in keyof Counted]: number };
