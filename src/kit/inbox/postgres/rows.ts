import type { Entry, NewEntry, Status } from '../inbox.ts';
import type { Row } from './database.ts';
import { storable } from './keys.ts';

export const columns = `
  seq, data, content, answer, state, attempts, retry_count AS "retryCount", started_on AS "startedOn",
  start_after AS "startAfter", lease_until AS "leaseUntil", completed_on AS "completedOn", output`;

export const stateOf = {
  waiting: 'created',
  running: 'active',
  done: 'completed',
  dead: 'cancelled',
} as const satisfies Record<Status, string>;

/** What stands in the job's `data`: all of an entry that never changes, but its content. */
export function dataOf(entry: NewEntry) {
  const { source, endpoint, installation, type, eventId, key, subject, secret, receivedAt } = entry;
  return {
    ...{ source, endpoint, secret, receivedAt },
    installation: storableOrNothing(installation),
    type: storable(type),
    eventId: storableOrNothing(eventId),
    key: storableOrNothing(key),
    subject: storableOrNothing(subject),
  };
}

type Data = ReturnType<typeof dataOf>;

function storableOrNothing(text: string | undefined): string | undefined {
  return text === undefined ? undefined : storable(text);
}

/** Of a row with `columns`. */
export function toEntry(row: Row): Entry {
  const data = row['data'] as Data; // nobody but us writes it, with dataOf
  return {
    seq: Number(row['seq']),
    source: data.source,
    endpoint: data.endpoint,
    installation: data.installation,
    type: data.type,
    eventId: data.eventId,
    key: data.key,
    subject: data.subject,
    secret: data.secret,
    receivedAt: data.receivedAt,
    content: row['content'] as Buffer, // pg makes one of every bytea
    status: statusOf(row['state']),
    attempts: Number(row['attempts']),
    claims: claimsOf(row),
    dueAt: timeOf(row['startAfter']) ?? 0,
    leaseUntil: timeOf(row['leaseUntil']),
    finishedAt: timeOf(row['completedOn']),
    note: outputOf(row)?.note,
    unchanged: outputOf(row)?.unchanged === true,
    answer: (row['answer'] as Buffer | null) ?? undefined, // as the content
  };
}

function outputOf(row: Row) {
  return row['output'] as { readonly note: string; readonly unchanged?: true } | null; // nobody but us writes it
}

/** pg-boss counts the claims of a job after its first: that number is what tells one claim from another. */
function claimsOf(row: Row): number {
  return row['startedOn'] === null ? 0 : Number(row['retryCount']) + 1;
}

function statusOf(state: unknown): Status {
  if (state === stateOf.running) return 'running';
  if (state === stateOf.done) return 'done';
  return state === stateOf.dead ? 'dead' : 'waiting';
}

/** Milliseconds since 1970. */
export function timeOf(value: unknown): number | undefined {
  return value instanceof Date || isDate(value) ? value.getTime() : undefined;
}

/** A Date of another context, as a test's, is no instance of ours. */
function isDate(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === '[object Date]';
}
