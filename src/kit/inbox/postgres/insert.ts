import type { NewEntry } from '../inbox.ts';
import { AT } from './context.ts';
import type { Query } from './database.ts';
import { lineOf, linesOf } from './keys.ts';
import { hasHead, promoteLines } from './lines.ts';
import { dataOf, timeOf } from './rows.ts';
import { POLICY, QUEUE, TABLE } from './schema.ts';

export interface ToInsert {
  readonly id: string;
  readonly fresh: NewEntry;
  /** If nothing of its subject is before it, it runs at once and is claimed for this long. */
  readonly claimForMs: number | undefined;
}

export interface Inserted {
  readonly seq: number;
  readonly dueAt: number;
  readonly leaseUntil: number | undefined;
  /** Waits, and nothing of its subject is before it. */
  readonly ready: boolean;
}

/** How much it adds to its statement. */
export function insertBytes({ fresh }: ToInsert): number {
  return fresh.content.length;
}

/**
 * Inserts entries with different ids, in one statement. pg-boss's own `insert` can neither number them nor let one wait
 * behind another. What is missing in the result was there before. The caller has locked their lines.
 */
export async function insertEntries(
  query: Query,
  entries: readonly ToInsert[],
  at: Date | undefined,
): Promise<ReadonlyMap<string, Inserted>> {
  if (entries.length === 0) return new Map();
  const rows = await query(insert, [at, JSON.stringify(entries.map(recordOf))]);
  const inserted = new Map(rows.map((row) => [String(row['id']), toInserted(row)]));
  // One that was there before may have been counted as the head of later ones of its subject.
  const known = entries.filter(({ id }) => !inserted.has(id));
  await promoteLines(query, linesOf(known.map(({ fresh }) => fresh)));
  return inserted;
}

function recordOf({ id, fresh, claimForMs }: ToInsert) {
  const { content } = fresh;
  return {
    ...{ id, line: lineOf(fresh), claimForMs },
    data: dataOf(fresh),
    bytes: content.length,
    content: content.toString('base64'),
  };
}

function toInserted(row: Readonly<Record<string, unknown>>): Inserted {
  return {
    seq: Number(row['seq']),
    dueAt: timeOf(row['startAfter']) ?? 0,
    leaseUntil: timeOf(row['leaseUntil']),
    ready: row['ready'] === true,
  };
}

/** Nothing but `prune` deletes: no retention, no time limit, whatever pg-boss's maintenance is told elsewhere. */
const insert = `
  WITH fresh AS (
    SELECT *, ${AT} AS at,
      line IS NOT NULL AND (row_number() OVER (PARTITION BY line ORDER BY place) > 1 OR ${hasHead('line')}) AS behind
    FROM ROWS FROM (
      json_to_recordset($2::json) AS (
        id uuid, line text, "claimForMs" double precision, data jsonb, bytes integer, content text)
    ) WITH ORDINALITY AS given (id, line, "claimForMs", data, bytes, content, place)
  ), entries AS (
    SELECT *, CASE WHEN NOT behind THEN at + "claimForMs" * interval '1 ms' END AS lease FROM fresh
  )
  INSERT INTO ${TABLE} (
    id, name, policy, singleton_key, data, content, bytes, state, blocked,
    start_after, created_on, started_on, lease_until, attempts, keep_until, deletion_seconds, expire_seconds)
  SELECT
    id, '${QUEUE}', '${POLICY}', coalesce(line, id::text), data, decode(content, 'base64'), bytes,
    (CASE WHEN lease IS NULL THEN 'created' ELSE 'active' END)::inbox.job_state, behind,
    at, at, CASE WHEN lease IS NOT NULL THEN at END, lease, CASE WHEN lease IS NULL THEN 0 ELSE 1 END,
    'infinity', 0, 2147483647
  FROM entries ORDER BY place
  ON CONFLICT (name, id) DO NOTHING
  RETURNING id, seq, start_after AS "startAfter", lease_until AS "leaseUntil", state = 'created' AND NOT blocked AS ready`;
