import { KEYS_PER_ENTRY, type Entry, type Filter, type PruneOptions, type Stats } from '../inbox.ts';
import type { Query, Statement } from './database.ts';
import {
  AT,
  bareColumns,
  columns,
  demoteHeads,
  KEYS,
  linesOf,
  promoteLines,
  storable,
  TABLE,
  toEntry,
} from './entries.ts';
import type { Context } from './inbox.ts';

// What an operator sees and does, and what the worker asks in passing.

const waitAfresh = `
  UPDATE ${TABLE} SET status = 'waiting', blocked = line IS NOT NULL, attempts = 0, due_at = ${AT}, finished_at = NULL
  WHERE seq = $2 AND lease_until IS NULL RETURNING ${columns}`;

export async function replayEntry(context: Context, seq: number): Promise<Entry | null> {
  const { at, onReady, room } = context;
  const known = await findEntry(context, seq);
  if (!known || known.status === 'running') return known;
  const replayed = await changeInLine(context, known, [waitAfresh, [at(), seq]]);
  if (!replayed) return findEntry(context, seq);
  if (known.status !== 'waiting') room.changed(1, known.content.length);
  onReady();
  return replayed;
}

const endUnrun = `
  UPDATE ${TABLE} SET status = 'done', blocked = line IS NOT NULL, finished_at = ${AT}, note = $3, unchanged = false
  WHERE seq = $2 AND status IN ('waiting', 'dead') RETURNING ${columns}`;

export async function discardEntry(context: Context, seq: number, reason: string): Promise<Entry | null> {
  const { at, onReady, room } = context;
  const known = await findEntry(context, seq);
  if (!known || known.status === 'running' || known.status === 'done') return known;
  const discarded = await changeInLine(context, known, [endUnrun, [at(), seq, storable(reason)]]);
  if (!discarded) return findEntry(context, seq);
  if (known.status === 'waiting') room.changed(-1, -known.content.length);
  onReady();
  return discarded;
}

/** Changes an entry that does not run, and has the earliest waiting one of its subject lead. Undefined if it runs by now. */
export async function changeInLine(
  { database, at }: Context,
  known: Entry,
  change: Statement,
): Promise<Entry | undefined> {
  const lines = linesOf([known]);
  const steps = [demoteHeads(lines), change, promoteLines(lines, at())];
  const [, changed = []] = await database.transaction(lines, steps);
  return changed.map(toEntry)[0];
}

const forgetDone = `
  WITH forgotten AS (
    DELETE FROM ${TABLE} WHERE status = 'done' AND finished_at < $1 AND seq = ANY (ARRAY(
      SELECT seq FROM ${TABLE} WHERE status = 'done' AND finished_at < $1 ORDER BY finished_at, seq LIMIT $2))
    RETURNING seq, finished_at
  ), gone AS (
    DELETE FROM ${KEYS} WHERE NOT $3 AND seq = ANY (ARRAY(SELECT seq FROM forgotten))
  ), kept AS (
    UPDATE ${KEYS} AS key SET done_at = finished_at FROM forgotten WHERE $3 AND key.seq = forgotten.seq
  )
  SELECT count(*) AS count FROM forgotten`;

const forgetKeys = `
  DELETE FROM ${KEYS} WHERE done_at < $1 AND hash = ANY (ARRAY(
    SELECT hash FROM ${KEYS} WHERE done_at < $1 ORDER BY done_at LIMIT $2))`;

export async function pruneEntries(
  { database }: Context,
  { finishedBefore, limit, keysBefore }: PruneOptions,
): Promise<number> {
  const keepsKeys = keysBefore !== undefined;
  const [row] = await database.query(forgetDone, [new Date(finishedBefore), limit, keepsKeys]);
  if (keepsKeys) await database.query(forgetKeys, [new Date(keysBefore), limit * KEYS_PER_ENTRY]);
  return Number(row?.['count']);
}

const find = `SELECT ${columns} FROM ${TABLE} WHERE seq = $1`;

export async function findEntry({ database }: Context, seq: number): Promise<Entry | null> {
  return (await database.query(find, [seq])).map(toEntry)[0] ?? null;
}

const listed = (read: string) => `
  SELECT ${read} FROM ${TABLE}
  WHERE ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR source = $2) AND ($3::text IS NULL OR type = $3)
    AND seq < $4
    AND ($6::text IS NULL OR event_id = $6 OR request = $6 OR right(subject, length($6) + 1) = ':' || $6)
    AND ($7::text IS NULL OR $7 IN (subject, substr(subject, strpos(subject, ' ') + 1)))
    AND ($8::double precision IS NULL OR received_at >= to_timestamp($8 / 1000))
  ORDER BY seq DESC LIMIT $5`;

const listedWhole = listed(columns);
const listedBare = listed(bareColumns);

export async function listEntries({ database }: Context, filter: Filter): Promise<Entry[]> {
  const { status, source, before = Number.MAX_SAFE_INTEGER, limit, since } = filter;
  const [type, about, subject] = [filter.type, filter.about, filter.subject].map(storable);
  const rows = await database.query(filter.bare === true ? listedBare : listedWhole, [
    status,
    source,
    type,
    before,
    limit,
    about,
    subject,
    since,
  ]);
  return rows.map(toEntry);
}

const waiting = `
  SELECT count(*) AS waiting, coalesce(sum(bytes), 0) AS "waitingBytes" FROM ${TABLE} WHERE status = 'waiting'`;

/** Reads an index from end to end: a tenth of a second for a million waiting entries. */
export async function countWaiting(query: Query): Promise<Pick<Stats, 'waiting' | 'waitingBytes'>> {
  const [row] = await query(waiting);
  return { waiting: Number(row?.['waiting']), waitingBytes: Number(row?.['waitingBytes']) };
}

const counted = (status: string) => `(SELECT count(*) FROM ${TABLE} WHERE status = '${status}') AS ${status}`;
const allCounts = `
  SELECT counted.*, ${['running', 'done', 'dead'].map(counted).join()},
    (SELECT received_at FROM ${TABLE} WHERE status = 'waiting' ORDER BY seq LIMIT 1) AS "oldestWaitingAt"
  FROM (${waiting}) AS counted`;

export async function readStats({ database }: Context): Promise<Stats> {
  const [row] = await database.query(allCounts);
  return { ...row, oldestWaitingAt: row?.['oldestWaitingAt'] ?? undefined } as Stats; // by the names in the statement
}

const nextTimes = `
  SELECT extract(epoch FROM least(
    (SELECT min(due_at) FROM ${TABLE} WHERE status = 'waiting' AND NOT blocked),
    (SELECT min(lease_until) FROM ${TABLE} WHERE status = 'running')) - ${AT})::double precision * 1000 AS "inMs"`;

/** By this machine's time: how far off it is says the server's. */
export async function readNextDue({ database, at, now }: Context): Promise<number | undefined> {
  const [row] = await database.query(nextTimes, [at()]);
  const inMs = row?.['inMs'] ?? undefined;
  return inMs === undefined ? undefined : now() + Number(inMs);
}
