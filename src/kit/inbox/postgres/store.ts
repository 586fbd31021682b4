import {
  beginEntry,
  forgottenEntry,
  InboxUnavailable,
  type Entry,
  type NewEntry,
  type Stored,
} from '../inbox.ts';
import type { Row, Statement } from './database.ts';
import { any, AT, columns, hasHead, KEYS, lineOf, linesOf, storable } from './entries.ts';
import { TABLE, toEntry } from './entries.ts';
import type { Context } from './inbox.ts';
import { changeInLine } from './manage.ts';
import { Refused } from '../turns.ts';

export interface ToInsert {
  /** What `hashOf` says of it. */
  readonly hash: string;
  readonly fresh: NewEntry;
  /** If nothing of its subject is before it, it runs at once and is claimed for this long. */
  readonly claimForMs?: number | undefined;
  /** What it follows from: inserted only if that was settled in the same transaction. */
  readonly parent?: Pick<Entry, 'seq' | 'claims'>;
}

/** How much it adds to its statement. */
export function insertBytes({ fresh }: ToInsert): number {
  return fresh.content.length;
}

/** Stores what came in one turn. Resolves with the outcome of each item. */
export async function storeAll(
  context: Context,
  items: readonly ToInsert[],
): Promise<readonly (Stored | Refused)[]> {
  const refusals = await refuseWithoutRoom(context, items);
  const taken = items.filter(({ hash }) => !refusals.has(hash));
  const inserted = await insertNew(context, taken);
  const known = await findKnown(
    context,
    taken.filter((item) => !inserted.has(item)),
  );
  const outcome = async (item: ToInsert) => {
    const refused = refusals.get(item.hash);
    if (refused) return new Refused(refused);
    const place = inserted.get(item);
    return place ? storedFirst(item.fresh, place) : storedAgain(context, item, known.get(item.hash));
  };
  return Promise.all(items.map(outcome));
}

const findHashes = `SELECT hash FROM ${KEYS} WHERE hash = ANY ($1::uuid[])`;

/** What is known already needs no room. */
async function refuseWithoutRoom(
  { database, room }: Context,
  items: readonly ToInsert[],
): Promise<ReadonlyMap<string, InboxUnavailable>> {
  if ((await room.refusalsOf(items.map(insertBytes))).every((refused) => refused === undefined))
    return new Map();
  const rows = await database.query(findHashes, [items.map(({ hash }) => hash)]);
  const known = new Set(rows.map((row) => row['hash']));
  const unknown = items.filter(({ hash }) => !known.has(hash) && known.add(hash)); // each event once
  const refusals = await room.refusalsOf(unknown.map(insertBytes));
  return new Map(
    unknown.flatMap(({ hash }, index) => {
      const refused = refusals[index];
      return refused ? [[hash, refused] as const] : [];
    }),
  );
}

async function insertNew(context: Context, items: readonly ToInsert[]): Promise<ReadonlyMap<ToInsert, Row>> {
  if (items.length === 0) return new Map();
  const lines = linesOf(items.map(({ fresh }) => fresh));
  const [rows = []] = await context.database.transaction(lines, [insertEntries(items, context.at())]);
  if (announceInserted(context, rows)) context.onReady();
  return new Map(
    rows.flatMap((row) => {
      const item = items[Number(row['place'])];
      return item ? [[item, row]] : [];
    }),
  );
}

/** True if some of what was inserted may run now. */
export function announceInserted({ room }: Context, rows: readonly Row[]): boolean {
  for (const { lease, bytes } of rows) if (lease === null) room.changed(1, Number(bytes));
  return rows.some(({ ready }) => ready === true);
}

/** Keys first, in one order for all, so that no two processes wait for each other; only what is new takes a place. */
const insert = `
  WITH given AS MATERIALIZED (
    SELECT *, nextval('inbox.entry_seq') AS seq, ${AT} AS at FROM (
      SELECT * FROM json_to_recordset($2::json) AS given (
        place integer, parent bigint, "parentClaims" integer, hash uuid, keyed boolean, line bigint,
        "claimForMs" double precision, bytes integer, secret integer,
        "receivedAt" double precision, source text, endpoint text, installation text, type text, "eventId" text, key text,
        subject text, request text, trace text, content text)
      WHERE parent IS NULL OR ${any('seq = parent AND claims = "parentClaims" AND xmin = pg_current_xact_id()::xid')}
      ORDER BY place) AS inorder
  ), keys AS (
    INSERT INTO ${KEYS} (hash, seq) SELECT hash, seq FROM given WHERE keyed ORDER BY hash, place
    ON CONFLICT (hash) DO NOTHING RETURNING seq
  ), fresh AS (
    SELECT *, line IS NOT NULL AND (row_number() OVER (PARTITION BY line ORDER BY place) > 1 OR ${hasHead('given.line')})
      AS behind
    FROM given WHERE NOT keyed OR seq IN (SELECT seq FROM keys)
  ), placed AS (
    SELECT *, CASE WHEN NOT behind THEN at + "claimForMs" * interval '1 ms' END AS lease FROM fresh
  ), inserted AS (
    INSERT INTO ${TABLE} (
      seq, line, status, blocked, attempts, claims, secret, bytes, due_at, lease_until, received_at, source, endpoint,
      installation, type, event_id, key, subject, request, trace, content)
    SELECT seq, line, CASE WHEN lease IS NULL THEN 'waiting' ELSE 'running' END, behind, (lease IS NOT NULL)::integer,
      (lease IS NOT NULL)::integer, secret, bytes, at, lease, to_timestamp("receivedAt" / 1000), source, endpoint,
      installation, type, "eventId", key, subject, request, trace, decode(content, 'base64')
    FROM placed ORDER BY place
  )
  SELECT place, bytes, seq, at, lease, lease IS NULL AND NOT behind AS ready FROM placed`;

/** Inserts what is new: a row for each. The transaction has locked their lines. */
export function insertEntries(entries: readonly ToInsert[], at: Date | undefined): Statement {
  return [insert, [at, JSON.stringify(entries.map(recordOf))]];
}

function recordOf({ hash, fresh, claimForMs, parent }: ToInsert, place: number) {
  const {
    source,
    endpoint,
    installation,
    type,
    eventId,
    key,
    subject,
    secret,
    receivedAt,
    content,
    request,
    trace,
  } = fresh;
  return {
    ...{
      place,
      hash,
      keyed: key !== undefined,
      line: lineOf(fresh)?.toString(),
      claimForMs,
      secret,
      receivedAt,
    },
    ...{ parent: parent?.seq, parentClaims: parent?.claims },
    ...{ source, endpoint, installation: storable(installation), type: storable(type) },
    ...{ eventId: storable(eventId), key: storable(key), subject: storable(subject) },
    ...{ request, trace, bytes: content.length },
    content: content.toString('base64'),
  };
}

function storedFirst(fresh: NewEntry, row: Row): Stored {
  const entry = beginEntry(fresh, Number(row['seq']), Number(row['at']));
  if (row['lease'] === null) return { entry, duplicate: false, claimed: false };
  const leaseUntil = Number(row['lease']);
  const claimed: Entry = { ...entry, status: 'running', attempts: 1, claims: 1, leaseUntil };
  return { entry: claimed, duplicate: false, claimed: true };
}

const findByHash = `
  SELECT hash, done_at AS "doneAt", ${columns} FROM ${KEYS} LEFT JOIN ${TABLE} USING (seq) WHERE hash = ANY ($1::uuid[])`;

async function findKnown(
  { database }: Context,
  items: readonly ToInsert[],
): Promise<ReadonlyMap<string, Row>> {
  if (items.length === 0) return new Map();
  const rows = await database.query(findByHash, [items.map(({ hash }) => hash)]);
  return new Map(rows.map((row) => [String(row['hash']), row]));
}

async function storedAgain(
  context: Context,
  { fresh, claimForMs }: ToInsert,
  row: Row | undefined,
): Promise<Stored | Refused> {
  if (row?.['doneAt']) {
    const entry = forgottenEntry(fresh, Number(row['seq']), Number(row['doneAt']));
    return { entry, duplicate: true, claimed: false };
  }
  if (!row?.['status']) return new Refused(forgotten());
  const known = toEntry(row);
  const mayClaim = claimForMs !== undefined && (known.status === 'waiting' || known.status === 'dead');
  const claimed = mayClaim ? await claimAgain(context, known, claimForMs) : undefined;
  return { entry: claimed ?? known, duplicate: true, claimed: claimed !== undefined };
}

function forgotten(): InboxUnavailable {
  return new InboxUnavailable('inbox_unavailable', 'The entry of this event was forgotten at this moment.');
}

/** Of an entry that would lead if it waited, once the waiting ones of its line are demoted. */
const claimBySeq = `
  UPDATE ${TABLE} AS known SET status = 'running', lease_until = ${AT} + $2::double precision * interval '1 ms',
    claims = claims + 1, blocked = false, finished_at = NULL,
    attempts = CASE status WHEN 'waiting' THEN attempts + 1 ELSE 1 END
  WHERE seq = $3 AND status IN ('waiting', 'dead') AND NOT ${hasHead('known.line')}
    AND NOT ${any("line = known.line AND status = 'waiting' AND blocked AND seq < known.seq")}
  RETURNING ${columns}`;

/** Claims an entry that was delivered again, if it may run now. */
async function claimAgain(context: Context, known: Entry, leaseMs: number): Promise<Entry | undefined> {
  const claimed = await changeInLine(context, known, [claimBySeq, [context.at(), leaseMs, known.seq]]);
  if (claimed && known.status === 'waiting') context.room.changed(-1, -claimed.content.length);
  return claimed;
}
