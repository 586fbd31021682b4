import type { Entry, NewEntry, Result, Status } from '../inbox.ts';
import type { Query, Row } from './database.ts';
import {
  AT,
  columns,
  hashOf,
  LATEST_DUE,
  linesOf,
  promoteLines,
  storable,
  TABLE,
  toEntry,
} from './entries.ts';
import type { Asking, Context } from './inbox.ts';
import { firstsOf, insertEntries, type Inserted } from './store.ts';

const claimFrom = (earliest: string) => `
  UPDATE ${TABLE} SET status = 'running', lease_until = ${AT} + $2::double precision * interval '1 ms',
    claims = claims + 1, attempts = attempts + 1
  WHERE lease_until IS NULL AND seq = ANY (ARRAY(
    SELECT seq FROM ${TABLE} WHERE status = 'waiting' AND NOT blocked AND due_at <= ${AT} AND due_at >= ${earliest}
    ORDER BY due_at, seq LIMIT $3 FOR UPDATE SKIP LOCKED))
  RETURNING ${columns}`;

/** Only entries that may run are in the index that this reads from its start: its cost is the same however many wait. */
const claimDue = `
  WITH claimed AS (${claimFrom("'-infinity'")})
  SELECT EXISTS (SELECT FROM ${TABLE} WHERE status = 'running' AND lease_until <= ${AT}) AS lapsed, claimed.*
  FROM (SELECT) AS once LEFT JOIN claimed ON true`;

const claimNext = claimFrom('to_timestamp($4::double precision / 1000)');

const findLapsed = `
  SELECT ${columns} FROM ${TABLE} WHERE status = 'running' AND lease_until <= ${AT} ORDER BY lease_until LIMIT 500`;

const giveBack = `
  UPDATE ${TABLE} SET status = 'waiting', blocked = line IS NOT NULL, lease_until = NULL, due_at = ${AT},
    note = 'interrupted: its lease lapsed during attempt ' || attempts, unchanged = false
  WHERE seq = ANY ($2::bigint[]) AND lease_until <= ${AT}
  RETURNING bytes`;

/**
 * Where the next claim may begin to read. For as long as anybody on the server reads what was before, as a backup does,
 * what was claimed stays in the index, and a claim from its start would pass over all of it.
 */
export interface Place {
  /** When the last one that was claimed was due (ms since 1970). */
  dueAt: number;
  /** By this machine's time: until then what has become due before that can wait. */
  until: number;
}

const FROM_THERE_MS = 1_000;
/** Entries become visible in another order than they are due in. */
const BEFORE_IT_MS = 1_000;

/** Takes what is due, lapsed leases included. */
export async function claimEntries(context: Context, limit: number, leaseMs: number): Promise<Entry[]> {
  const { database, at, place, now } = context;
  if (now() < place.until) {
    const next = await database.query(claimNext, [at(), leaseMs, limit, place.dueAt - BEFORE_IT_MS]);
    if (next.length === limit) return claimedOf(next, context);
    place.until = 0;
    return [...claimedOf(next, context), ...(await claimEntries(context, limit - next.length, leaseMs))];
  }
  const rows = await database.query(claimDue, [at(), leaseMs, limit]);
  const claimed = claimedOf(
    rows.filter(({ seq }) => seq !== null),
    context,
  );
  place.until = claimed.length === limit ? now() + FROM_THERE_MS : 0;
  if (rows[0]?.['lapsed'] === true) {
    await giveBackLapsed(context);
    if (claimed.length < limit)
      claimed.push(...(await claimEntries(context, limit - claimed.length, leaseMs)));
  }
  return claimed;
}

function claimedOf(rows: readonly Row[], { room, place }: Context): Entry[] {
  const claimed = rows.map(toEntry).sort((one, other) => one.dueAt - other.dueAt || one.seq - other.seq);
  for (const { content } of claimed) room.changed(-1, -content.length);
  place.dueAt = claimed.at(-1)?.dueAt ?? place.dueAt;
  return claimed;
}

async function giveBackLapsed({ database, room, at }: Context): Promise<void> {
  const lapsed = (await database.query(findLapsed, [at()])).map(toEntry);
  const lines = linesOf(lapsed);
  const given = await database.transaction(lines, async (query) => {
    const rows = await query(giveBack, [at(), lapsed.map(({ seq }) => seq)]);
    await promoteLines(query, lines, at());
    return rows;
  });
  for (const { bytes } of given) room.changed(1, Number(bytes));
}

/** Deadline and HANDLER_TIMEOUT_MS together, at their most: no claim is for longer. */
const LONGEST_LEASE_MS = 2 * 86_400_000;
const BROUGHT_AT_ONCE = 5_000;

/** What another process holds at this moment, it sees to. */
const bringHeads = `
  UPDATE ${TABLE} SET due_at = ${LATEST_DUE} WHERE status = 'waiting' AND seq = ANY (ARRAY(
    SELECT seq FROM ${TABLE}
    WHERE status = 'waiting' AND NOT blocked AND due_at > ${AT} AND due_at > ${LATEST_DUE}
    ORDER BY due_at, seq LIMIT $2 FOR UPDATE SKIP LOCKED))
  RETURNING seq`;

const bringLeases = `
  UPDATE ${TABLE} SET lease_until = ${AT} + $2::double precision * interval '1 ms'
  WHERE status = 'running' AND lease_until > ${AT} + $2::double precision * interval '1 ms'
  RETURNING seq`;

/**
 * What waits for longer than it ever does after its attempts was put there before the server's clock was set back: it is
 * brought forward to where it waits no longer than that; what stands behind another one, when it leads. Any number of
 * processes may do this. Resolves with how many this one brought.
 */
export async function bringForward({ database, at }: Asking): Promise<number> {
  let brought = (await database.query(bringLeases, [at(), LONGEST_LEASE_MS])).length;
  for (;;) {
    const { length } = await database.query(bringHeads, [at(), BROUGHT_AT_ONCE]);
    brought += length;
    if (length < BROUGHT_AT_ONCE) return brought;
  }
}

const renew = `
  UPDATE ${TABLE} SET lease_until = ${AT} + $2::double precision * interval '1 ms'
  WHERE seq = $3 AND claims = $4 AND lease_until IS NOT NULL RETURNING seq`;

/** False if another worker has the entry. */
export async function renewLease(
  { database, at }: Context,
  { seq, claims }: Entry,
  leaseMs: number,
): Promise<boolean> {
  return (await database.query(renew, [at(), leaseMs, seq, claims])).length === 1;
}

/** What is to become of a claimed entry. */
export interface Settlement extends Pick<Result, 'unchanged' | 'answer' | 'followUps'> {
  readonly claimed: Entry;
  readonly status: Exclude<Status, 'running'>;
  readonly attempts: number;
  /** Of one that waits again, milliseconds since 1970. */
  readonly dueAt: number;
  readonly note: string | undefined;
}

/** How much it adds to its statement. */
export function settlementBytes({ answer, followUps = [] }: Settlement): number {
  return followUps.reduce((sum, { content }) => sum + content.length, answer?.length ?? 0);
}

/** What it did to those that were still held, and how much may run now that could not before. */
interface Settled {
  readonly held: readonly { readonly settlement: Settlement; readonly bytes: number }[];
  readonly followUps: readonly { readonly fresh: NewEntry; readonly place: Inserted }[];
  readonly promoted: number;
}

/** Settles what ended in one turn; what is not held any more is left alone. */
export async function settleAll(
  context: Context,
  settlements: readonly Settlement[],
): Promise<readonly true[]> {
  const { database } = context;
  const followUps = settlements.flatMap((settlement) => settlement.followUps ?? []);
  const lines = linesOf([...settlements.map(({ claimed }) => claimed), ...followUps]);
  const steps = (query: Query) => settle(query, context, settlements, lines);
  const plain = lines.length === 0 && followUps.length === 0;
  const settled = await (plain ? steps(database.query) : database.transaction(lines, steps));
  announce(context, settled);
  return settlements.map(() => true);
}

/** Fenced: the holder of an older claim settles nothing. By `seq`, and by nothing that another index could offer to find. */
const settleHeld = `
  UPDATE ${TABLE} AS entry SET
    status = settled.status, blocked = line IS NOT NULL, lease_until = NULL, attempts = settled.attempts,
    note = settled.note, unchanged = settled.unchanged,
    answer = coalesce(decode(settled.answer, 'base64'), entry.answer),
    due_at = coalesce(at + "dueInMs" * interval '1 ms', due_at),
    finished_at = CASE WHEN settled.status <> 'waiting' THEN at END
  FROM json_to_recordset($2::json) AS settled (
      seq bigint, claims integer, status text, attempts integer, "dueInMs" double precision, note text, unchanged boolean,
      answer text),
    (SELECT ${AT} AS at) AS clock
  WHERE entry.seq = ANY ($3::bigint[]) AND entry.seq = settled.seq AND entry.claims = settled.claims
    AND entry.lease_until IS NOT NULL
  RETURNING entry.seq, entry.claims, entry.bytes`;

async function settle(
  query: Query,
  { at, now }: Context,
  settlements: readonly Settlement[],
  lines: readonly bigint[],
): Promise<Settled> {
  const records = settlements.map((settlement) => recordOf(settlement, now()));
  const rows = await query(settleHeld, [at(), JSON.stringify(records), records.map(({ seq }) => seq)]);
  const bytesOf = new Map(
    rows.map(({ seq, claims, bytes }) => [claimOf(Number(seq), Number(claims)), bytes]),
  );
  const held = settlements.flatMap((settlement) => {
    const claim = claimOf(settlement.claimed.seq, settlement.claimed.claims);
    const bytes = bytesOf.get(claim);
    bytesOf.delete(claim); // settled twice in one turn: the second is too late
    return bytes === undefined ? [] : [{ settlement, bytes: Number(bytes) }];
  });
  const promoted = await promoteLines(query, lines, at());
  const wanted = held.flatMap(({ settlement }) => settlement.followUps ?? []);
  const items = firstsOf(wanted.map((fresh) => ({ hash: hashOf(fresh), fresh, claimForMs: undefined })));
  const inserted = await insertEntries(query, items, at());
  const followUps = items.flatMap(({ hash, fresh }) => {
    const place = inserted.get(hash);
    return place ? [{ fresh, place }] : [];
  });
  return { held, promoted, followUps };
}

function claimOf(seq: number, claims: number): string {
  return `${seq}/${claims}`;
}

function announce({ room, onReady }: Context, { held, followUps, promoted }: Settled): void {
  const waitAgain = held.filter(({ settlement }) => settlement.status === 'waiting');
  for (const { bytes } of waitAgain) room.changed(1, bytes);
  for (const { fresh } of followUps) room.changed(1, fresh.content.length);
  if (promoted > 0 || waitAgain.length > 0 || followUps.some(({ place }) => place.ready)) onReady();
}

function recordOf({ claimed, status, attempts, dueAt, note, unchanged, answer }: Settlement, now: number) {
  return {
    seq: claimed.seq,
    claims: claimed.claims,
    ...{ status, attempts, note: storable(note), unchanged: unchanged === true },
    dueInMs: status === 'waiting' ? dueAt - now : undefined,
    answer: answer?.toString('base64'),
  };
}
