import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { beginEntry, inboxFull } from './inbox.ts';
import type { Entry, Filter, Inbox, NewEntry, Stats, Status, Stored } from './inbox.ts';
import { prepareStatements } from './sqlite-statements.ts';
import { uniqueKey } from './unique-key.ts';

export interface SqliteEntriesOptions {
  readonly maxWaiting: number;
  readonly now: () => number;
  /** Called when an entry became claimable, before its commit. */
  readonly onReady: () => void;
}

type Outcome = NonNullable<Parameters<Inbox['done']>[1]>;
type Line = Pick<Entry, 'source' | 'subject'>;

/** What can be done with the rows of an inbox file: plain steps. Those that write are taken within `transact`. */
export function createSqliteEntries(database: DatabaseSync, options: SqliteEntriesOptions) {
  const { maxWaiting, now, onReady } = options;
  const statements = prepareStatements(database);
  let counts: Counts = { waiting: 0, running: 0, done: 0, dead: 0 };
  let recount = false;

  /** Commits what the work did, or rolls it back and throws. */
  function transact<Result>(work: () => Result): Result {
    try {
      statements.begin.run();
      readCounts();
      const result = work();
      if (recount) statements.putCounts.run(counts);
      statements.commit.run();
      return result;
    } finally {
      // A full disk may have rolled back by itself.
      if (database.isTransaction) statements.rollback.run();
    }
  }

  /** Each time anew: the command line may have changed them. */
  function readCounts(): void {
    counts = countsIn(statements.counts.get());
    recount = false;
  }

  function count(from: Status | undefined, to: Status): void {
    if (from !== undefined) counts[from] -= 1;
    counts[to] += 1;
    recount = true;
  }

  function store(fresh: NewEntry, claimForMs: number | undefined): Stored {
    const key = uniqueKey(fresh);
    const known = key === undefined ? undefined : statements.findByKey.get({ uniqueKey: key });
    if (known) return storedAgain(toEntry(known), claimForMs);
    if (counts.waiting >= maxWaiting) throw inboxFull(maxWaiting);
    const { entry, leads } = insert(fresh, key);
    if (!leads) return { entry, duplicate: false, claimed: false };
    if (claimForMs !== undefined)
      return {
        entry: take(entry, claimForMs),
        duplicate: false,
        claimed: true,
      };
    onReady();
    return { entry, duplicate: false, claimed: false };
  }

  /** As the head of its line, if the line has none: the index on lines knows. */
  function insert(fresh: NewEntry, key: string | undefined): { entry: Entry; leads: boolean } {
    const dueAt = now();
    const asHead = insertRow(fresh, key, dueAt, 1);
    const leads = asHead.changes === 1;
    const { lastInsertRowid } = leads ? asHead : insertRow(fresh, key, dueAt, 0);
    const seq = Number(lastInsertRowid);
    statements.insertBody.run(seq, fresh.content);
    count(undefined, 'waiting');
    return { entry: beginEntry(fresh, seq, dueAt), leads };
  }

  function insertRow(fresh: NewEntry, key: string | undefined, dueAt: number, head: 0 | 1) {
    const { source, endpoint, installation, type, eventId, subject, secret, receivedAt } = fresh;
    return statements.insert.run(
      ...[source, endpoint, installation ?? null, type, eventId ?? null, fresh.key ?? null, key ?? null],
      ...[subject ?? null, secret, receivedAt, dueAt, head],
    );
  }

  function storedAgain(known: Entry, claimForMs: number | undefined): Stored {
    if (claimForMs === undefined || !mayRun(known)) {
      return { entry: known, duplicate: true, claimed: false };
    }
    const waiting = known.status === 'dead' ? waitAfresh(known) : known;
    return { entry: take(waiting, claimForMs), duplicate: true, claimed: true };
  }

  /** Whether an entry leads its line; a dead one, whether it would if it waited. */
  function mayRun(known: Entry): boolean {
    const head = headOf(known);
    if (known.status === 'waiting') return known.subject === undefined || head?.seq === known.seq;
    return known.status === 'dead' && (!head || (head.status === 'waiting' && head.seq > known.seq));
  }

  function claim(limit: number, leaseMs: number): Entry[] {
    for (const lapsed of statements.lapsed.all({ now: now() }).map(toEntry))
      interrupt(lapsed, 'its lease lapsed');
    const due = statements.due.all({ now: now(), limit }).map(toEntry);
    return due.map((entry) => take(entry, leaseMs));
  }

  /** What a receiver left running when it ended, whatever its leases say. */
  function giveBackAll(): void {
    const left = statements.lapsed.all({ now: Number.MAX_SAFE_INTEGER }).map(toEntry);
    for (const entry of left) interrupt(entry, 'the receiver ended');
  }

  function interrupt(entry: Entry, cause: string): void {
    const note = `interrupted: ${cause} during attempt ${entry.attempts}`;
    putBack(entry, { attempts: entry.attempts, dueAt: now(), note });
  }

  function take(entry: Entry, leaseMs: number): Entry {
    const leaseUntil = now() + leaseMs;
    statements.take.run({ seq: entry.seq, leaseUntil });
    count(entry.status, 'running');
    const { attempts, claims } = entry;
    return {
      ...entry,
      status: 'running',
      attempts: attempts + 1,
      claims: claims + 1,
      leaseUntil,
    };
  }

  function renew({ seq, claims }: Entry, leaseMs: number): boolean {
    return statements.renew.run({ seq, claims, leaseUntil: now() + leaseMs }).changes === 1;
  }

  function done(claimed: Entry, { note, answer }: Outcome): void {
    if (!finish(claimed, 'done', note)) return;
    if (answer) statements.keepAnswer.run({ seq: claimed.seq, answer });
  }

  function bury(claimed: Entry, reason: string): void {
    finish(claimed, 'dead', reason);
  }

  function finish(claimed: Entry, status: 'done' | 'dead', note: string | undefined): boolean {
    const { seq, claims } = claimed;
    const held =
      statements.finish.run({
        seq,
        claims,
        status,
        now: now(),
        note: note ?? null,
      }).changes === 1;
    if (!held) return false;
    count('running', status);
    promoteFirst(claimed);
    return true;
  }

  function retry(claimed: Entry, reason: string, dueAt: number): void {
    putBack(claimed, { attempts: claimed.attempts, dueAt, note: reason });
  }

  function release(claimed: Entry): void {
    const { attempts, dueAt, note } = claimed;
    putBack(claimed, { attempts: attempts - 1, dueAt, note });
  }

  function putBack(claimed: Entry, as: Pick<Entry, 'attempts' | 'dueAt' | 'note'>): void {
    const { seq, claims } = claimed;
    const { attempts, dueAt, note = null } = as;
    if (statements.putBack.run({ seq, claims, attempts, dueAt, note }).changes === 0) return;
    count('running', 'waiting');
    promoteFirst(claimed);
  }

  function replay(seq: number): Entry | null {
    const entry = find(seq);
    if (!entry || entry.status === 'running') return entry ?? null;
    return waitAfresh(entry);
  }

  function waitAfresh(entry: Entry): Entry {
    statements.waitAfresh.run({ seq: entry.seq, now: now() });
    count(entry.status, 'waiting');
    if (entry.status !== 'waiting') rejoin(entry);
    onReady();
    return find(entry.seq) ?? entry;
  }

  /** An entry that comes back goes before the later ones of its line, unless one of them is running. */
  function rejoin(line: Line): void {
    const head = headOf(line);
    if (head?.status === 'running') return;
    if (head) statements.demote.run({ seq: head.seq });
    promoteFirst(line);
  }

  /** Only for a line without a head. */
  function promoteFirst({ source, subject }: Line): void {
    if (subject !== undefined) statements.promoteFirst.run({ source, subject });
    onReady();
  }

  function headOf({ source, subject }: Line): { seq: number; status: unknown } | undefined {
    const head = subject === undefined ? undefined : statements.head.get({ source, subject });
    return head && { seq: Number(head['seq']), status: head['status'] };
  }

  function find(seq: number): Entry | undefined {
    const row = statements.find.get({ seq });
    return row && toEntry(row);
  }

  function list({ status, source, type, before, limit }: Filter): Entry[] {
    const statement = status === undefined || status === 'done' ? statements.list : statements.listUnfinished;
    const wanted = {
      status: status ?? null,
      source: source ?? null,
      type: type ?? null,
    };
    return statement.all({ ...wanted, before: before ?? Number.MAX_SAFE_INTEGER, limit }).map(toEntry);
  }

  function stats(): Stats {
    const oldestWaitingAt = optionalNumber(statements.oldestWaiting.get()?.['receivedAt']);
    return { ...countsIn(statements.counts.get()), oldestWaitingAt };
  }

  function nextDue(): number | undefined {
    return optionalNumber(statements.nextDue.get()?.['at']);
  }

  return {
    ...{ store, claim, renew, done, retry, bury, release, replay },
    ...{ find, list, stats, nextDue, giveBackAll, transact },
  };
}

type Counts = Record<Status, number>;

function countsIn(row: Record<string, SQLOutputValue> | undefined): Counts {
  const number = (status: Status) => Number(row?.[status]);
  return {
    waiting: number('waiting'),
    running: number('running'),
    done: number('done'),
    dead: number('dead'),
  };
}

function optionalNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** What the columns hold, for those that a statement names as `columns`. */
type Row = {
  readonly [Member in keyof Entry]: undefined extends Entry[Member]
    ? Exclude<Entry[Member], undefined> | null
    : Entry[Member];
};

function toEntry(found: Record<string, SQLOutputValue>): Entry {
  // The tables are STRICT and every statement read here selects `columns`, so SQLite itself guarantees these types.
  const row = found as unknown as Row;
  return {
    seq: row.seq,
    source: row.source,
    endpoint: row.endpoint,
    installation: row.installation ?? undefined,
    type: row.type,
    eventId: row.eventId ?? undefined,
    key: row.key ?? undefined,
    subject: row.subject ?? undefined,
    secret: row.secret,
    receivedAt: row.receivedAt,
    content: toBuffer(row.content),
    status: row.status,
    attempts: row.attempts,
    claims: row.claims,
    dueAt: row.dueAt,
    leaseUntil: row.leaseUntil ?? undefined,
    finishedAt: row.finishedAt ?? undefined,
    note: row.note ?? undefined,
    answer: row.answer ? toBuffer(row.answer) : undefined,
  };
}

/** The same bytes: node:sqlite hands out a plain Uint8Array of its own. */
function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
