import { DeadLetter } from '../errors.ts';
import { shortNote, subjectOf, type Entry, type NewEntry } from '../inbox/inbox.ts';
import { checkJson } from '../reading/json.ts';
import { parse } from '../reading/json.ts';
import { definitionOf, type Occurrence } from '../source.ts';
import { saidOf, type FollowUp, type RunnableStep, type Step } from '../step.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';

/** The integrator's functions by source and event type, as the app has them. */
export type AllHandlers = Readonly<Record<string, Readonly<Record<string, Handler>>>>;

/** One handler, its types forgotten: what it takes and gives was checked where it was written. */
type Handler = (event: Occurrence<never, never>) => unknown;

/** All that is done with events: what the app makes. */
export interface Work {
  readonly handlers: AllHandlers;
  readonly steps: readonly RunnableStep[];
}

/** What work there is, and how often it is tried for one entry. */
export interface Calling extends Work {
  /** After so many failed attempts an entry is a dead letter. */
  readonly maxAttempts: number;
}

/** What came of calling a handler. */
export interface Handled {
  /** For a reply event an answer that fits its schema. */
  readonly result: unknown;
  /** A few words on what was done, kept with the entry. */
  readonly note: string | undefined;
  readonly unchanged?: boolean;
  /** What it asked to be done after it. */
  readonly followUps: readonly NewEntry[];
}

/** What is said of a delivery with which the sender only tries the connection. */
export const TEST_NOTE = "the sender's own test payload: nothing to do";

/**
 * Reads a stored entry anew and calls its handler. The content was proven when it came and is not proven again.
 * @throws DeadLetter when trying again cannot help; anything else a handler throws is a failed attempt
 */
export async function handle(
  entry: Entry,
  endpoint: Endpoint,
  { handlers, maxAttempts }: Calling,
  signal: AbortSignal,
): Promise<Handled> {
  const { type, id, payload: unread, test } = endpoint.read(entry.content);
  checkJson(entry.content);
  const definition = definitionOf(endpoint.source, type);
  if (definition === undefined) {
    throw new DeadLetter('event_unknown', `The catalogue of ${endpoint.source.name} has no such event type.`);
  }
  if (test === true) {
    return { result: undefined, note: TEST_NOTE, followUps: [] };
  }
  const payload = parse(definition.schema, unread, 'payload_invalid');
  const { followUp, close } = collectFollowUps(entry);
  const occurrence: Occurrence = {
    type,
    id,
    payload,
    endpoint: entry.endpoint,
    installation: entry.installation,
    attempt: entry.claims,
    lastAttempt:
      entry.attempts >= maxAttempts || (definition.mode === 'reply' && definition.afterFailure === 'record'),
    receivedAt: new Date(entry.receivedAt),
    signal,
    followUp,
  };
  // `HandlersOf` derived this handler's parameter from the schema that has just parsed the payload.
  const result: unknown = await handlerOf(handlers, endpoint.source.name, type)(occurrence as never);
  const followUps = close();
  if (definition.mode === 'notify') return { result, ...saidOf(result), followUps };
  const answer = parse(definition.answer, result, 'answer_invalid');
  return { result: answer, note: shortNote(definition.describe(answer)), followUps };
}

function handlerOf(handlers: AllHandlers, source: string, type: string): Handler {
  const handler = handlers[source]?.[type];
  // The program checks its app at start; a test may call with less.
  if (handler === undefined) throw new Error(`No handler for ${source} ${type}.`);
  return handler;
}

/** What a handler asks to be done after it, as it asks. */
export interface FollowUps {
  readonly followUp: FollowUp;
  /** All that was asked for, when the handler has ended. */
  readonly close: () => readonly NewEntry[];
}

/** Collects what the handler of `parent` asks for. */
export function collectFollowUps(parent: Entry): FollowUps {
  const asked: NewEntry[] = [];
  let closed = false;
  return {
    followUp: (step, data, { subject } = {}) => {
      if (closed) {
        throw new Error(
          `The step ${step.name} was asked for after the handler had ended, and will not be done. Is an await missing?`,
        );
      }
      asked.push(newEntry(parent, step, data, subject));
    },
    close: () => {
      closed = true;
      return asked;
    },
  };
}

/** Where a sender's endpoints have a path, which begins with a slash. */
const STEP = '#';

/** Whether an entry was made by a handler, not by a delivery. */
export function isFollowUp({ endpoint }: Pick<Entry, 'endpoint'>): boolean {
  return endpoint.startsWith(STEP);
}

/** An entry of our own making: no secret proved it, and it is never a duplicate. */
function newEntry(
  parent: Entry,
  { name, schema }: Step,
  data: unknown,
  subject: string | undefined,
): NewEntry {
  const json = JSON.stringify(data ?? null);
  // As it will be read: what JSON cannot hold is found here, not in the night.
  parse(schema, JSON.parse(json), 'step_data_invalid');
  return {
    source: parent.source,
    endpoint: STEP + name,
    installation: parent.installation,
    type: name,
    eventId: parent.eventId,
    key: undefined,
    subject: subject === undefined ? parent.subject : subjectOf(parent, subject),
    secret: 0,
    receivedAt: Date.now(),
    content: Buffer.from(json),
    request: parent.request,
    trace: parent.trace,
  };
}
