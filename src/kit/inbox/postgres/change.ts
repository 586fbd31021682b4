import type { Entry } from '../inbox.ts';
import { AT, type Context } from './context.ts';
import type { Query } from './database.ts';
import { linesOf, storable } from './keys.ts';
import { demoteHead, lockLines, promoteLines } from './lines.ts';
import { findEntry } from './read.ts';
import { columns, toEntry } from './rows.ts';
import { TABLE } from './schema.ts';

const waitAfresh = `
  UPDATE ${TABLE} SET state = 'created', attempts = 0, start_after = ${AT}, completed_on = NULL
  WHERE seq = $2 AND state <> 'active' RETURNING ${columns}`;

const endUnrun = `
  UPDATE ${TABLE} SET state = 'completed', blocked = singleton_key <> id::text, completed_on = ${AT}, output = $3
  WHERE seq = $2 AND state IN ('created', 'cancelled') RETURNING ${columns}`;

const forgetDone = `
  DELETE FROM ${TABLE} WHERE state = 'completed' AND completed_on < $1 AND seq = ANY (ARRAY(
    SELECT seq FROM ${TABLE} WHERE state = 'completed' AND completed_on < $1 ORDER BY completed_on, seq LIMIT $2))
  RETURNING seq`;

export async function replayEntry(context: Context, seq: number): Promise<Entry | null> {
  const { at, onReady, room } = context;
  const known = await findEntry(context, seq);
  if (!known || known.status === 'running') return known;
  const replayed = await changeInLine(context, known, (query) => query(waitAfresh, [at(), seq]));
  if (!replayed) return findEntry(context, seq);
  if (known.status !== 'waiting') room.changed(1, known.content.length);
  onReady();
  return replayed;
}

export async function discardEntry(context: Context, seq: number, reason: string): Promise<Entry | null> {
  const { at, onReady, room } = context;
  const known = await findEntry(context, seq);
  if (!known || known.status === 'running' || known.status === 'done') return known;
  const output = JSON.stringify({ note: storable(reason) });
  const discarded = await changeInLine(context, known, (query) => query(endUnrun, [at(), seq, output]));
  if (!discarded) return findEntry(context, seq);
  if (known.status === 'waiting') room.changed(-1, -known.content.length);
  onReady();
  return discarded;
}

/** Changes an entry that does not run, and has the earliest waiting one of its subject lead. Undefined if it runs by now. */
async function changeInLine(
  { database }: Context,
  known: Entry,
  change: (query: Query) => ReturnType<Query>,
): Promise<Entry | undefined> {
  const lines = linesOf([known]);
  const rows = await database.transaction(async (query) => {
    await lockLines(query, lines);
    for (const line of lines) await demoteHead(query, line);
    const changed = await change(query);
    await promoteLines(query, lines);
    return changed;
  });
  return rows.map(toEntry)[0];
}

export async function pruneEntries(
  { database }: Context,
  finishedBefore: number,
  limit: number,
): Promise<number> {
  const forgotten = await database.query(forgetDone, [new Date(finishedBefore), limit]);
  return forgotten.length;
}
