import type { DatabaseSync } from 'node:sqlite';
import { beginEntry, type Entry, type Filter, type NewEntry } from '../inbox.ts';
import type { Result, Room, Stats, Stored } from '../inbox.ts';
import { refusal } from '../room.ts';
import { createCounts } from './counts.ts';
import { optionalNumber, toEntry } from './rows.ts';
import { prepareStatements } from './statements.ts';
import { uniqueKey } from '../unique-key.ts';

export interface SqliteEntriesOptions {
  readonly room: Room;
  readonly now: () => number;
  /** Called when an entry became claimable, before its commit. */
  readonly onReady: () => void;
}

type Line = Pick<Entry, 'source' | 'subject'>;

/** What can be done with the rows of an inbox file: plain steps. Those that write are taken within `transact`. */
export function createSqliteEntries(database: DatabaseSync, options: SqliteEntriesOptions) {
  const { room, now, onReady } = options;
  const statements = prepareStatements(database);
  const counts = createCounts(statements);

  /** Commits what the work did, or rolls it back and throws. */
  function transact<Outcome>(work: () => Outcome): Outcome {
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

  function store(fresh: NewEntry, claimForMs: number | undefined): Stored {
    const key = uniqueKey(fresh);
    const known = findByKey(key);
    if (known) return storedAgain(known, claimForMs);
    const full = refusal(room, counts.now(), fresh.content.length);
    if (full) throw full;
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

  function findByKey(key: string | undefined): Entry | undefined {
    const row = key === undefined ? undefined : statements.findByKey.get({ uniqueKey: key });
    return row && toEntry(row);
  }

  /** As the head of its line, if the line has none: the index on lines knows. */
  function insert(fresh: NewEntry, key: string | undefined): { entry: Entry; leads: boolean } {
    const dueAt = now();
    const asHead = insertRow(fresh, key, dueAt, 1);
    const leads = asHead.changes === 1;
    const { lastInsertRowid } = leads ? asHead : insertRow(fresh, key, dueAt, 0);
    const seq = Number(lastInsertRowid);
    statements.insertBody.run(seq, fresh.content);
    counts.move(undefined, 'waiting', fresh.content.length);
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
    counts.move(entry.status, 'running', entry.content.length);
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

  function done(claimed: Entry, { note, answer, followUps = [] }: Result): void {
    if (!finish(claimed, 'done', note)) return;
    if (answer) statements.keepAnswer.run({ seq: claimed.seq, answer });
    for (const followUp of followUps) follow(followUp);
  }

  /** However full the inbox is: the attempt that asks for it has had its effects. */
  function follow(fresh: NewEntry): void {
    const key = uniqueKey(fresh);
    if (!findByKey(key)) insert(fresh, key);
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
    counts.move('running', status, 0);
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
    const put = statements.putBack.get({ seq, claims, attempts, dueAt, note });
    if (!put) return;
    counts.move('running', 'waiting', Number(put['bytes']));
    promoteFirst(claimed);
  }

  function replay(seq: number): Entry | null {
    const entry = find(seq);
    if (!entry || entry.status === 'running') return entry ?? null;
    return waitAfresh(entry);
  }

  function waitAfresh(entry: Entry): Entry {
    statements.waitAfresh.run({ seq: entry.seq, now: now() });
    counts.move(entry.status, 'waiting', entry.content.length);
    if (entry.status !== 'waiting') rejoin(entry);
    onReady();
    return find(entry.seq) ?? entry;
  }

  function discard(seq: number, reason: string): Entry | null {
    const entry = find(seq);
    if (!entry || entry.status === 'running' || entry.status === 'done') return entry ?? null;
    statements.discard.run({ seq, now: now(), note: reason });
    counts.move(entry.status, 'done', entry.content.length);
    if (entry.status === 'waiting') promoteFirst(entry);
    return find(seq) ?? entry;
  }

  function prune(finishedBefore: number, limit: number): number {
    const pruned = Number(statements.prune.run({ finishedBefore, limit }).changes);
    counts.forget('done', pruned);
    return pruned;
  }

  /** An entry that comes back goes before the later ones of its line, unless one of them is running. */
  function rejoin(line: Line): void {
    const head = headOf(line);
    if (head?.status === 'running') return;
    if (head) statements.demote.run({ seq: head.seq });
    promoteFirst(line);
  }

  /** Of a line that may have lost its head; one that has it keeps it. */
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
    return { ...counts.read(), oldestWaitingAt };
  }

  function nextDue(): number | undefined {
    return optionalNumber(statements.nextDue.get()?.['at']);
  }

  return {
    ...{ store, claim, renew, done, retry, bury, release, replay, discard },
    ...{ prune, find, list, stats, nextDue, giveBackAll, transact },
  };
}
