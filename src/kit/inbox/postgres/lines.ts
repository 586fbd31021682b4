import { createHash } from 'node:crypto';
import type { Query } from './database.ts';
import { POLICY, QUEUE, TABLE } from './schema.ts';

const isQueue = `name = '${QUEUE}' AND policy = '${POLICY}'`;
/** Of a line that is named in the SQL around it, as pg-boss's own indexes have it. */
const runs = (line: string) => `${isQueue} AND singleton_key = ${line} AND state = 'active'`;
const leads = (line: string) =>
  `${isQueue} AND singleton_key = ${line} AND state = 'created' AND NOT blocked`;

/** True of a line with an entry that runs or may run next: all others of it wait behind. */
export function hasHead(line: string): string {
  return `(${isRunning(line)} OR ${any(leads(line))})`;
}

export function isRunning(line: string): string {
  return any(runs(line));
}

/** Not EXISTS: PostgreSQL may read all rows for that, to look many lines up in what it read. */
export function any(condition: string): string {
  return `((SELECT 1 FROM ${TABLE} WHERE ${condition} LIMIT 1) IS NOT NULL)`;
}

/**
 * Until the transaction ends nobody else changes who leads these lines. In one order for all, so that no two processes
 * wait for each other. In a statement of its own: one that waited would still see what was before.
 */
export async function lockLines(query: Query, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  const locks = lines.map(lockOf).sort();
  await query('SELECT pg_advisory_xact_lock(lock) FROM unnest($1::bigint[]) AS lock', [locks]);
}

/** Two lines may share one: they wait for each other, no more. */
function lockOf(line: string): string {
  return createHash('sha256').update(line).digest().readBigInt64BE(0).toString();
}

/** Lets the earliest waiting entry of each line lead that has no head. Resolves with how many may run now. */
export async function promoteLines(query: Query, lines: readonly string[]): Promise<number> {
  if (lines.length === 0) return 0;
  const promoted = await query(
    `UPDATE ${TABLE} SET blocked = false
     WHERE seq = ANY (ARRAY(
       SELECT (SELECT seq FROM ${TABLE} WHERE singleton_key = line AND state = 'created' AND blocked ORDER BY seq LIMIT 1)
       FROM unnest($1::text[]) AS line WHERE NOT ${hasHead('line')}))
     RETURNING seq`,
    [lines],
  );
  return promoted.length;
}

/** Lets the entry that would run next step back, so that an earlier one may be promoted. One that runs goes on. */
export async function demoteHead(query: Query, line: string): Promise<void> {
  await query(`UPDATE ${TABLE} SET blocked = true WHERE ${leads('$1')}`, [line]);
}
