import type { Entry, Filter, Stats } from '../inbox.ts';
import { AT, type Context } from './context.ts';
import type { Query } from './database.ts';
import { storable } from './keys.ts';
import { columns, stateOf, timeOf, toEntry } from './rows.ts';
import { TABLE } from './schema.ts';

export async function findEntry({ database }: Pick<Context, 'database'>, seq: number): Promise<Entry | null> {
  const rows = await database.query(`SELECT ${columns} FROM ${TABLE} WHERE seq = $1`, [seq]);
  return rows.map(toEntry)[0] ?? null;
}

const listed = `
  SELECT ${columns} FROM ${TABLE}
  WHERE ($1::inbox.job_state IS NULL OR state = $1) AND ($2::text IS NULL OR data->>'source' = $2)
    AND ($3::text IS NULL OR data->>'type' = $3) AND seq < $4
    AND ($6::text IS NULL OR data->>'eventId' = $6 OR right(data->>'subject', length($6) + 1) = ':' || $6)
    AND ($7::text IS NULL OR data->>'subject' IN ($7, (data->>'source') || ' ' || $7))
    AND ($8::bigint IS NULL OR (data->>'receivedAt')::bigint >= $8)
  ORDER BY seq DESC LIMIT $5`;

export async function listEntries({ database }: Context, filter: Filter): Promise<Entry[]> {
  const { status, source, type, before = Number.MAX_SAFE_INTEGER, limit, since } = filter;
  const [about, subject] = [filter.about, filter.subject].map((text) => text && storable(text));
  const state = status && stateOf[status];
  const rows = await database.query(listed, [state, source, type, before, limit, about, subject, since]);
  return rows.map(toEntry);
}

const waiting = `SELECT count(*) AS waiting, coalesce(sum(bytes), 0) AS bytes FROM ${TABLE} WHERE state = 'created'`;
const counted = (state: string) => `(SELECT count(*) FROM ${TABLE} WHERE state = '${state}')`;

/** Reads an index from end to end: a tenth of a second for a million waiting entries. */
export async function countWaiting(query: Query): Promise<Pick<Stats, 'waiting' | 'waitingBytes'>> {
  const [row] = await query(waiting);
  return { waiting: Number(row?.['waiting']), waitingBytes: Number(row?.['bytes']) };
}

export async function readStats({ database }: Context): Promise<Stats> {
  const [row] = await database.query(`
    SELECT waiting, bytes, ${counted('active')} AS running, ${counted('completed')} AS done,
      ${counted('cancelled')} AS dead,
      (SELECT data->>'receivedAt' FROM ${TABLE} WHERE state = 'created' ORDER BY seq LIMIT 1) AS "oldestWaitingAt"
    FROM (${waiting}) AS counted`);
  const number = (name: string) => Number(row?.[name]);
  const isWaiting = number('waiting') > 0;
  return {
    waiting: number('waiting'),
    running: number('running'),
    done: number('done'),
    dead: number('dead'),
    oldestWaitingAt: isWaiting ? number('oldestWaitingAt') : undefined,
    waitingBytes: number('bytes'),
  };
}

const nextTimes = `
  SELECT ${AT} AS at, least(
    (SELECT min(start_after) FROM ${TABLE} WHERE state = 'created' AND NOT blocked),
    (SELECT min(lease_until) FROM ${TABLE} WHERE state = 'active')) AS next`;

/** By this machine's time: how far off it is says the server's. */
export async function readNextDue({ database, at, now }: Context): Promise<number | undefined> {
  const [row] = await database.query(nextTimes, [at()]);
  const [next, serverNow] = [timeOf(row?.['next']), timeOf(row?.['at'])];
  return next === undefined || serverNow === undefined ? undefined : now() + next - serverNow;
}
