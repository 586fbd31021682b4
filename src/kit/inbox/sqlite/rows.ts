import type { SQLOutputValue } from 'node:sqlite';
import type { Entry } from '../inbox.ts';

/** What the columns hold, for those that a statement names as `columns`. */
type Row = {
  readonly [Member in keyof Entry]: undefined extends Entry[Member]
    ? Exclude<Entry[Member], undefined> | null
    : Entry[Member] extends boolean
      ? 0 | 1
      : Entry[Member];
};

export function toEntry(found: Record<string, SQLOutputValue>): Entry {
  // The tables are STRICT and every statement read here selects `columns`, so SQLite itself guarantees these types.
  const row = found as unknown as Row;
  return {
    seq: row.seq,
    source: row.source,
    endpoint: row.endpoint,
    installation: row.installation ?? undefined,
    type: row.type,
    eventId: row.eventId ?? undefined,
    key: row.key ?? undefined,
    subject: row.subject ?? undefined,
    secret: row.secret,
    receivedAt: row.receivedAt,
    content: toBuffer(row.content),
    request: row.request ?? undefined,
    trace: row.trace ?? undefined,
    status: row.status,
    attempts: row.attempts,
    claims: row.claims,
    dueAt: row.dueAt,
    leaseUntil: row.leaseUntil ?? undefined,
    finishedAt: row.finishedAt ?? undefined,
    note: row.note ?? undefined,
    unchanged: row.unchanged === 1,
    answer: row.answer ? toBuffer(row.answer) : undefined,
  };
}

export function optionalNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** The same bytes: node:sqlite hands out a plain Uint8Array of its own. */
function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
