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

/** What can be done with the rows of an inbox file: plain steps, the caller brings the transaction. */
export function createSqliteEntries(database: DatabaseSync, options: SqliteEntriesOptions) {
  const { maxWaiting, now, onReady } = options;
  const statements = prepareStatements(database);

  function store(fresh: NewEntry, claimForMs: number | undefined): Stored {
    const key = uniqueKey(fresh);
    const known = key === undefined ? undefined : statements.findByKey.get({ uniqueKey: key });
    if (known) return storedAgain(toEntry(known), claimForMs);
    if (Number(statements.countWaiting.get()?.['entries']) >= maxWaiting) throw inboxFull(maxWaiting);
    const { entry, leads } = insert(fresh, key);
    if (!leads) return { entry, duplicate: false, claimed: false };
    if (claimForMs !== undefined) return { entry: take(entry, claimForMs), duplicate: false, claimed: true };
    onReady();
    return { entry, duplicate: false, claimed: false };
  }

  function insert(fresh: NewEntry, key: string | undefined): { entry: Entry; leads: boolean } {
    const { source, endpoint, type, secret, receivedAt, content } = fresh;
    const dueAt = now();
    const row = statements.insert.get({
      ...{ source, endpoint, type, secret, receivedAt, dueAt },
      installation: fresh.installation ?? null,
      eventId: fresh.eventId ?? null,
      key: fresh.key ?? null,
      uniqueKey: key ?? null,
      subject: fresh.subject ?? null,
    });
    const seq = Number(row?.['seq']);
    statements.insertBody.run({ seq, content });
    return { entry: beginEntry(fresh, seq, dueAt), leads: row?.['head'] === 1 };
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
    const { attempts, claims } = entry;
    return { ...entry, status: 'running', attempts: attempts + 1, claims: claims + 1, leaseUntil };
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
    const held = statements.finish.run({ seq, claims, status, now: now(), note: note ?? null }).changes === 1;
    if (held) promoteFirst(claimed);
    return held;
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
    if (statements.putBack.run({ seq, claims, attempts, dueAt, note }).changes === 1) promoteFirst(claimed);
  }

  function replay(seq: number): Entry | null {
    const entry = find(seq);
    if (!entry || entry.status === 'running') return entry ?? null;
    return waitAfresh(entry);
  }

  function waitAfresh(entry: Entry): Entry {
    statements.waitAfresh.run({ seq: entry.seq, now: now() });
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
    const wanted = { status: status ?? null, source: source ?? null, type: type ?? null };
    return statement.all({ ...wanted, before: before ?? Number.MAX_SAFE_INTEGER, limit }).map(toEntry);
  }

  function stats(): Stats {
    const counts = statements.counts.all();
    const count = (status: Status) =>
      Number(counts.find((row) => row['status'] === status)?.['entries'] ?? 0);
    return {
      waiting: count('waiting'),
      running: count('running'),
      done: count('done'),
      dead: count('dead'),
      oldestWaitingAt: optionalNumber(statements.oldestWaiting.get()?.['receivedAt']),
    };
  }

  function nextDue(): number | undefined {
    return optionalNumber(statements.nextDue.get()?.['at']);
  }

  return {
    ...{ store, claim, renew, done, retry, bury, release, replay },
    ...{ find, list, stats, nextDue, giveBackAll },
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
