import type { Entry, NewEntry, Status } from '../inbox.ts';
import { AT, type Context } from './context.ts';
import type { Query } from './database.ts';
import { insertEntries, type Inserted, type ToInsert } from './insert.ts';
import { jobIdOf, linesOf, storable } from './keys.ts';
import { lockLines, promoteLines } from './lines.ts';
import { stateOf } from './rows.ts';
import { TABLE } from './schema.ts';

/** What is to become of a claimed entry. */
export interface Settlement {
  readonly claimed: Entry;
  readonly status: Exclude<Status, 'running'>;
  readonly attempts: number;
  /** Of one that waits again, milliseconds since 1970. */
  readonly dueAt: number;
  readonly note: string | undefined;
  readonly unchanged?: boolean | undefined;
  readonly answer: Buffer | undefined;
  readonly followUps: readonly NewEntry[];
}

/** How much it adds to its statement. */
export function settlementBytes({ answer, followUps }: Settlement): number {
  return followUps.reduce((sum, { content }) => sum + content.length, answer?.length ?? 0);
}

/** What it did to those that were still held, and how much may run now that could not before. */
interface Settled {
  readonly held: readonly { readonly settlement: Settlement; readonly bytes: number }[];
  readonly inserted: readonly { readonly fresh: NewEntry; readonly place: Inserted }[];
  readonly promoted: number;
}

/** Settles what ended in one turn. Resolves with whether each was still held. */
export async function settleAll(
  context: Context,
  settlements: readonly Settlement[],
): Promise<readonly boolean[]> {
  const followUps = settlements.flatMap((settlement) => settlement.followUps);
  const lines = linesOf([...settlements.map(({ claimed }) => claimed), ...followUps]);
  const steps = (query: Query) => settle(query, context, settlements, lines);
  const plain = lines.length === 0 && followUps.length === 0;
  const settled = plain ? await steps(context.database.query) : await context.database.transaction(steps);
  announce(context, settled);
  const held = new Set(settled.held.map(({ settlement }) => settlement));
  return settlements.map((settlement) => held.has(settlement));
}

async function settle(
  query: Query,
  { at, now }: Context,
  settlements: readonly Settlement[],
  lines: readonly string[],
): Promise<Settled> {
  await lockLines(query, lines);
  const records = settlements.map((settlement) => recordOf(settlement, now()));
  const rows = await query(settleHeld, [at(), JSON.stringify(records)]);
  const bytesOf = new Map(
    rows.map((row) => [claimOf(Number(row['seq']), Number(row['claims'])), row['bytes']]),
  );
  const held = settlements.flatMap((settlement) => {
    const claim = claimOf(settlement.claimed.seq, settlement.claimed.claims);
    const bytes = bytesOf.get(claim);
    bytesOf.delete(claim); // settled twice in one turn: the second is too late
    return bytes === undefined ? [] : [{ settlement, bytes: Number(bytes) }];
  });
  const promoted = await promoteLines(query, lines);
  const followUps = held.flatMap(({ settlement }) => settlement.followUps);
  return { held, promoted, inserted: await insertFollowUps(query, followUps, at()) };
}

function claimOf(seq: number, claims: number): string {
  return `${seq}/${claims}`;
}

async function insertFollowUps(query: Query, followUps: readonly NewEntry[], at: Date | undefined) {
  const items = followUps.map((fresh): ToInsert => ({ id: jobIdOf(fresh), fresh, claimForMs: undefined }));
  const firsts = new Map(items.toReversed().map((item) => [item.id, item]));
  const inOrder = items.filter((item) => firsts.get(item.id) === item);
  const inserted = await insertEntries(query, inOrder, at);
  return inOrder.flatMap(({ id, fresh }) => {
    const place = inserted.get(id);
    return place ? [{ fresh, place }] : [];
  });
}

function announce({ room, onReady }: Context, { held, inserted, promoted }: Settled): void {
  const waitAgain = held.filter(({ settlement }) => settlement.status === 'waiting');
  for (const { bytes } of waitAgain) room.changed(1, bytes);
  for (const { fresh } of inserted) room.changed(1, fresh.content.length);
  if (promoted > 0 || waitAgain.length > 0 || inserted.some(({ place }) => place.ready)) onReady();
}

function recordOf({ claimed, status, attempts, dueAt, note, unchanged, answer }: Settlement, now: number) {
  return {
    seq: claimed.seq,
    claims: claimed.claims,
    state: stateOf[status],
    attempts,
    dueInMs: status === 'waiting' ? dueAt - now : undefined,
    output:
      note === undefined ? undefined : { note: storable(note), ...(unchanged === true && { unchanged }) },
    answer: answer?.toString('base64'),
  };
}

/** Fenced: the holder of an older claim settles nothing. */
const settleHeld = `
  UPDATE ${TABLE} AS entry SET
    state = settled.state, blocked = singleton_key <> id::text, lease_until = NULL, attempts = settled.attempts,
    output = settled.output, answer = coalesce(decode(settled.answer, 'base64'), entry.answer),
    start_after = coalesce(at + "dueInMs" * interval '1 ms', start_after),
    completed_on = CASE WHEN settled.state <> 'created' THEN at END
  FROM json_to_recordset($2::json) AS settled (
      seq bigint, claims integer, state inbox.job_state, attempts integer, "dueInMs" double precision, output jsonb,
      answer text),
    (SELECT ${AT} AS at) AS clock
  WHERE entry.seq = settled.seq AND entry.state = 'active' AND entry.retry_count = settled.claims - 1
  RETURNING entry.seq, settled.claims, entry.bytes`;
