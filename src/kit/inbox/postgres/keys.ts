import { createHash, randomUUID } from 'node:crypto';
import { uniqueKey, type NewEntry } from '../inbox.ts';

/** Longer ones are kept as their digest: a sender chooses the length of a subject, and every line is in an index. */
const LONGEST_PLAIN_LINE = 200;

/** Of the job that holds an entry: one and the same for all deliveries of one event, so that the database refuses the second. */
export function jobIdOf(entry: NewEntry): string {
  const key = uniqueKey(entry);
  if (key === undefined) return randomUUID();
  const bytes = createHash('sha256').update(key).digest().subarray(0, 16);
  // Version 8, "made as its maker likes": https://www.rfc-editor.org/rfc/rfc9562#section-5.8
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** What the entries of one subject have in common, or undefined for an entry that stands in no line. */
export function lineOf({ source, subject }: Pick<NewEntry, 'source' | 'subject'>): string | undefined {
  if (subject === undefined) return undefined;
  const plain = JSON.stringify([source, storable(subject)]);
  if (plain.length <= LONGEST_PLAIN_LINE) return plain;
  return `sha256:${createHash('sha256').update(plain).digest('base64url')}`;
}

export function linesOf(entries: readonly Pick<NewEntry, 'source' | 'subject'>[]): string[] {
  return [...new Set(entries.flatMap((entry) => lineOf(entry) ?? []))];
}

/** PostgreSQL's text and jsonb know neither NUL nor half a surrogate pair. Only what is shown changes, never a key. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}
