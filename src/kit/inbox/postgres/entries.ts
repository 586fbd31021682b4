import { createHash, randomUUID } from 'node:crypto';
import { uniqueKey, type Entry, type NewEntry, type Status } from '../inbox.ts';
import { longestWaits } from '../worker/backoff.ts';
import type { Row, Statement } from './database.ts';

export const TABLE = 'inbox.entry';
export const KEYS = 'inbox.key';

/** What `toEntry` reads. */
export const columns = `
  seq, source, endpoint, installation, type, event_id, key, subject, secret, received_at, content, answer, status,
  attempts, claims, due_at, lease_until, finished_at, note, unchanged`;

/**
 * The time of a statement whose $1 is `Context.at()`. Not now(): that is when the transaction began, and it may have waited
 * for a line since.
 */
export const AT = 'coalesce($1::timestamptz, statement_timestamp())';

const waits = longestWaits();
/** The latest that an entry is due now: what waits for longer was put there by a clock that has been set back since. */
export const LATEST_DUE = `
  ${AT} + ('{${waits.join()}}'::double precision[])[least(attempts, ${waits.length - 1}) + 1] * interval '1 ms'`;

/** Of a row with `columns`: nobody but us writes them, and the table says which may be missing. */
export function toEntry(row: Row): Entry {
  const text = (name: string) => row[name] as string;
  const maybe = (name: string) => (row[name] as string | null) ?? undefined;
  return {
    seq: Number(row['seq']),
    source: text('source'),
    endpoint: text('endpoint'),
    installation: maybe('installation'),
    type: text('type'),
    eventId: maybe('event_id'),
    key: maybe('key'),
    subject: maybe('subject'),
    secret: Number(row['secret']),
    receivedAt: timeOf(row['received_at']) ?? 0,
    content: row['content'] as Buffer, // pg makes one of every bytea
    status: row['status'] as Status,
    attempts: Number(row['attempts']),
    claims: Number(row['claims']),
    dueAt: timeOf(row['due_at']) ?? 0,
    leaseUntil: timeOf(row['lease_until']),
    finishedAt: timeOf(row['finished_at']),
    note: maybe('note'),
    unchanged: row['unchanged'] === true,
    answer: (row['answer'] as Buffer | null) ?? undefined, // as the content
  };
}

/** Milliseconds since 1970. */
export function timeOf(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : (value as Date).getTime(); // pg makes one of every timestamptz
}

/** PostgreSQL's text knows neither NUL nor half a surrogate pair. Only what is shown changes, never a key. */
export function storable<Text extends string | undefined>(text: Text): Text | string {
  return text === undefined ? text : text.toWellFormed().replaceAll('\0', '\uFFFD');
}

/** One and the same for all deliveries of one event, so that the database refuses the second; any, for one without a key. */
export function hashOf(entry: NewEntry): string {
  const key = uniqueKey(entry);
  if (key === undefined) return randomUUID();
  const bytes = createHash('sha256').update(key).digest().subarray(0, 16);
  // Version 8, "made as its maker likes": https://www.rfc-editor.org/rfc/rfc9562#section-5.8
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
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
