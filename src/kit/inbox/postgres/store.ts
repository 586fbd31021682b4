import { beginEntry, InboxUnavailable, type Entry, type NewEntry, type Stored } from '../inbox.ts';
import { claimAgain } from './claim.ts';
import type { Context } from './context.ts';
import { insertEntries, type Inserted, type ToInsert } from './insert.ts';
import { linesOf } from './keys.ts';
import { lockLines } from './lines.ts';
import { columns, toEntry } from './rows.ts';
import { QUEUE, TABLE } from './schema.ts';
import { Refused } from './turns.ts';

/** Stores what came in one turn. Resolves with the outcome of each item. */
export async function storeAll(
  context: Context,
  items: readonly ToInsert[],
): Promise<readonly (Stored | Refused)[]> {
  const firsts = new Map(items.toReversed().map((item) => [item.id, item]));
  const inOrder = items.filter((item) => firsts.get(item.id) === item);
  const refusals = await refuseWithoutRoom(context, inOrder);
  const inserted = await insert(
    context,
    inOrder.filter(({ id }) => !refusals.has(id)),
  );
  const isNew = (item: ToInsert) => inserted.has(item.id) && firsts.get(item.id) === item;
  const known = await findKnown(
    context,
    items.filter((item) => !isNew(item) && !refusals.has(item.id)),
  );
  const outcome = async (item: ToInsert) => {
    const refusal = refusals.get(item.id);
    if (refusal) return new Refused(refusal);
    const place = inserted.get(item.id);
    if (place && isNew(item)) return storedFirst(item.fresh, place);
    return storedAgain(context, known.get(item.id), item.claimForMs);
  };
  return Promise.all(items.map(outcome));
}

/** What is known already needs no room. */
async function refuseWithoutRoom(
  { database, room }: Context,
  items: readonly ToInsert[],
): Promise<ReadonlyMap<string, InboxUnavailable>> {
  const sizes = (of: readonly ToInsert[]) => of.map(({ fresh }) => fresh.content.length);
  if (await room.hasRoomFor(sizes(items))) return new Map();
  const rows = await database.query(`SELECT id FROM ${TABLE} WHERE name = '${QUEUE}' AND id = ANY ($1)`, [
    items.map(({ id }) => id),
  ]);
  const known = new Set(rows.map((row) => row['id']));
  const unknown = items.filter(({ id }) => !known.has(id));
  const refusals = await room.admit(sizes(unknown));
  return new Map(
    unknown.flatMap(({ id }, index) => {
      const refusal = refusals[index];
      return refusal ? [[id, refusal] as const] : [];
    }),
  );
}

async function insert(
  { database, room, at, onReady }: Context,
  items: readonly ToInsert[],
): Promise<ReadonlyMap<string, Inserted>> {
  const lines = linesOf(items.map(({ fresh }) => fresh));
  const inserted =
    lines.length === 0
      ? await insertEntries(database.query, items, at())
      : await database.transaction(async (query) => {
          await lockLines(query, lines);
          return insertEntries(query, items, at());
        });
  for (const { id, fresh } of items) {
    const place = inserted.get(id);
    if (place && place.leaseUntil === undefined) room.changed(1, fresh.content.length);
  }
  if (inserted.values().some(({ ready }) => ready)) onReady();
  return inserted;
}

function storedFirst(fresh: NewEntry, { seq, dueAt, leaseUntil }: Inserted): Stored {
  const entry = beginEntry(fresh, seq, dueAt);
  if (leaseUntil === undefined) return { entry, duplicate: false, claimed: false };
  const claimed: Entry = { ...entry, status: 'running', attempts: 1, claims: 1, leaseUntil };
  return { entry: claimed, duplicate: false, claimed: true };
}

async function findKnown(
  { database }: Context,
  items: readonly ToInsert[],
): Promise<ReadonlyMap<string, Entry>> {
  if (items.length === 0) return new Map();
  const rows = await database.query(
    `SELECT id, ${columns} FROM ${TABLE} WHERE name = '${QUEUE}' AND id = ANY ($1)`,
    [items.map(({ id }) => id)],
  );
  return new Map(rows.map((row) => [String(row['id']), toEntry(row)]));
}

async function storedAgain(
  context: Context,
  known: Entry | undefined,
  claimForMs: number | undefined,
): Promise<Stored | Refused> {
  if (!known) return new Refused(forgotten());
  const mayClaim = claimForMs !== undefined && (known.status === 'waiting' || known.status === 'dead');
  const claimed = mayClaim ? await claimAgain(context, known, claimForMs) : undefined;
  return { entry: claimed ?? known, duplicate: true, claimed: claimed !== undefined };
}

function forgotten(): InboxUnavailable {
  return new InboxUnavailable('inbox_unavailable', 'The entry of this event was forgotten at this moment.');
}
