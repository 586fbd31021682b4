import { createHash, randomUUID } from 'node:crypto';
import { uniqueKey, type Entry, type NewEntry } from '../inbox.ts';
import { longestWaits } from '../worker/backoff.ts';
import type { Row, Statement } from './database.ts';

export const TABLE = 'inbox.entry';
export const KEYS = 'inbox.key';

/** Of an entry, as the table has them in small letters. */
const fields = (
  'seq source endpoint installation type eventId key subject secret receivedAt content answer status attempts claims ' +
  'dueAt leaseUntil finishedAt note unchanged request trace'
).split(' ');

/** What `toEntry` reads. */
export const columns = columnsOf({});
/** The same without content and answer. */
export const bareColumns = columnsOf({ content: `''::bytea`, answer: 'NULL::bytea' });

function columnsOf(instead: Readonly<Record<string, string>>): string {
  return fields.map((field) => `${instead[field] ?? field.replace(/[A-Z]/g, '_$&')} AS "${field}"`).join();
}

/**
 * The time of a statement whose $1 is `Context.at()`. Not now(): that is when the transaction began, and it may have waited
 * for a line since.
 */
export const AT = 'coalesce($1::timestamptz, statement_timestamp())';

const waits = longestWaits();
/** The latest that an entry is due now: what waits for longer was put there by a clock that has been set back since. */
export const LATEST_DUE = `
  ${AT} + ('{${waits.join()}}'::double precision[])[least(attempts, ${waits.length - 1}) + 1] * interval '1 ms'`;

/** Of a row with `columns`. */
export function toEntry(row: Row): Entry {
  const entry: Record<string, unknown> = {};
  for (const field of fields) entry[field] = row[field] ?? undefined;
  return entry as unknown as Entry; // nobody but us writes them, and the table says which may be missing
}

/** PostgreSQL's text knows neither NUL nor half a surrogate pair. Only what is shown changes, never a key. */
export function storable<Text extends string | undefined>(text: Text): Text | string {
  return text === undefined ? text : text.toWellFormed().replaceAll('\0', '\uFFFD');
}

/** One and the same for all deliveries of one event, so that the database refuses the second; any, for one without a key. */
export function hashOf(entry: NewEntry): string {
  const key = uniqueKey(entry);
  if (key === undefined) return randomUUID();
  const hex = createHash('sha256').update(key).digest('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  // Version 8, "made as its maker likes": https://www.rfc-editor.org/rfc/rfc9562#section-5.8
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, variant + hex.slice(17, 20)];
  return [...parts, hex.slice(20, 32)].join('-');
}

/** A sender chooses the length of a subject: as version 1 wrote it, of which `lineOf` still takes the hash. */
const LONGEST_PLAIN_LINE = 200;

/**
 * What the entries of one subject have in common, or undefined for an entry that stands in no line. Two subjects may share
 * one: then they wait for each other, no more.
 */
export function lineOf({ source, subject }: Pick<NewEntry, 'source' | 'subject'>): bigint | undefined {
  if (subject === undefined) return undefined;
  const sha256 = (text: string) => createHash('sha256').update(text);
  const plain = JSON.stringify([source, storable(subject)]);
  const line = plain.length <= LONGEST_PLAIN_LINE ? plain : `sha256:${sha256(plain).digest('base64url')}`;
  return sha256(line).digest().readBigInt64BE();
}

export function linesOf(entries: readonly Pick<NewEntry, 'source' | 'subject'>[]): bigint[] {
  return [...new Set(entries.flatMap((entry) => lineOf(entry) ?? []))];
}

const leads = (line: string) =>
  `line = ${line} AND (status = 'running' OR status = 'waiting' AND NOT blocked)`;

/** True of a line with an entry that runs or may run next: all others of it wait behind. */
export function hasHead(line: string): string {
  return any(leads(line));
}

/** Not EXISTS: PostgreSQL may read all rows for that, to look many lines up in what it read. */
export function any(condition: string): string {
  return `((SELECT 1 FROM ${TABLE} WHERE ${condition} LIMIT 1) IS NOT NULL)`;
}

const promote = `
  UPDATE ${TABLE} SET blocked = false, due_at = least(due_at, ${LATEST_DUE}) WHERE seq = ANY (ARRAY(
    SELECT (SELECT seq FROM ${TABLE} WHERE line = changed AND status = 'waiting' AND blocked ORDER BY seq LIMIT 1)
    FROM unnest($2::bigint[]) AS changed WHERE NOT ${hasHead('changed')}))
  RETURNING seq`;

/** Lets the earliest waiting entry of each line lead that has no head. A row for each that may run now. */
export function promoteLines(lines: readonly bigint[], at: Date | undefined): Statement {
  return [promote, [at, lines]];
}

const demote = `UPDATE ${TABLE} SET blocked = true WHERE ${leads('ANY ($1::bigint[])')} AND lease_until IS NULL`;

/** Lets those that would run next step back, so that an earlier one may be promoted. What runs goes on. */
export function demoteHeads(lines: readonly bigint[]): Statement {
  return [demote, [lines]];
}
