import type { Entry } from '../inbox.ts';
import { AT, type Context } from './context.ts';
import { linesOf } from './keys.ts';
import { any, demoteHead, isRunning, lockLines, promoteLines } from './lines.ts';
import { columns, toEntry } from './rows.ts';
import { TABLE } from './schema.ts';

/** What a claim does to a row; $2 is the lease in milliseconds. The count of claims is kept as pg-boss does it. */
const taken = `
  state = 'active', started_on = ${AT}, lease_until = ${AT} + $2::double precision * interval '1 ms',
  retry_count = CASE WHEN started_on IS NULL THEN retry_count ELSE retry_count + 1 END`;

/** Only entries that may run are in the index that this reads from its start: its cost is the same however many wait. */
const claimDue = `
  UPDATE ${TABLE} SET ${taken}, attempts = attempts + 1
  WHERE state = 'created' AND seq = ANY (ARRAY(
    SELECT seq FROM ${TABLE} WHERE state = 'created' AND NOT blocked AND start_after <= ${AT}
    ORDER BY start_after, seq LIMIT $3 FOR UPDATE SKIP LOCKED))
  RETURNING ${columns}`;

const findLapsed = `SELECT ${columns} FROM ${TABLE} WHERE state = 'active' AND lease_until <= ${AT} LIMIT 500`;

const giveBack = `
  UPDATE ${TABLE} SET state = 'created', blocked = singleton_key <> id::text, lease_until = NULL, start_after = ${AT},
    output = jsonb_build_object('note', 'interrupted: its lease lapsed during attempt ' || attempts)
  WHERE seq = ANY ($2::bigint[]) AND state = 'active' AND lease_until <= ${AT}
  RETURNING bytes`;

/** A waiting entry that leads; or a dead one that would if it waited, once the waiting ones of its line are demoted. */
const claimBySeq = `
  UPDATE ${TABLE} AS known SET ${taken}, blocked = false, completed_on = NULL,
    attempts = CASE state WHEN 'created' THEN attempts + 1 ELSE 1 END
  WHERE seq = $3 AND (
    state = 'created' AND NOT blocked
    OR state = 'cancelled' AND NOT ${isRunning('known.singleton_key')}
      AND NOT ${any("singleton_key = known.singleton_key AND state = 'created' AND blocked AND seq < known.seq")})
  RETURNING ${columns}`;

/** Takes what is due, lapsed leases included. */
export async function claimEntries(context: Context, limit: number, leaseMs: number): Promise<Entry[]> {
  await giveBackLapsed(context);
  const rows = await context.database.query(claimDue, [context.at(), leaseMs, limit]);
  const claimed = rows.map(toEntry).sort((a, b) => a.dueAt - b.dueAt || a.seq - b.seq);
  for (const { content } of claimed) context.room.changed(-1, -content.length);
  return claimed;
}

async function giveBackLapsed({ database, room, at }: Context): Promise<void> {
  const lapsed = (await database.query(findLapsed, [at()])).map(toEntry);
  if (lapsed.length === 0) return;
  const lines = linesOf(lapsed);
  const given = await database.transaction(async (query) => {
    await lockLines(query, lines);
    const rows = await query(giveBack, [at(), lapsed.map(({ seq }) => seq)]);
    await promoteLines(query, lines);
    return rows;
  });
  for (const { bytes } of given) room.changed(1, Number(bytes));
}

/** Claims an entry that was delivered again, if it may run now. */
export async function claimAgain(
  { database, room, at }: Context,
  known: Entry,
  leaseMs: number,
): Promise<Entry | undefined> {
  const lines = known.status === 'dead' ? linesOf([known]) : [];
  const rows = await database.transaction(async (query) => {
    await lockLines(query, lines);
    for (const line of lines) await demoteHead(query, line);
    const claimed = await query(claimBySeq, [at(), leaseMs, known.seq]);
    await promoteLines(query, lines);
    return claimed;
  });
  const [claimed] = rows.map(toEntry);
  if (claimed && known.status === 'waiting') room.changed(-1, -claimed.content.length);
  return claimed;
}

/** False if another worker has the entry. */
export async function renewLease(
  { database, at }: Context,
  { seq, claims }: Entry,
  leaseMs: number,
): Promise<boolean> {
  const held = await database.query(
    `UPDATE ${TABLE} SET lease_until = ${AT} + $2::double precision * interval '1 ms'
     WHERE seq = $3 AND state = 'active' AND retry_count = $4 RETURNING seq`,
    [at(), leaseMs, seq, claims - 1],
  );
  return held.length === 1;
}
