import { DeadLetter, HandlerLate, Interrupted } from '../errors.ts';
import { describeFailure } from '../failure.ts';
import { InboxUnavailable, type Entry, type Inbox, type NewEntry, type Stored } from '../inbox/inbox.ts';
import type { EventDefinition } from '../source.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { handle, type Calling } from '../handling/handle.ts';
import { errorReply, keptOf, type Reply } from '../http/reply.ts';
import { since, type StepLog } from '../log.ts';
import type { Tracing } from '../tracing.ts';

/** What the receiver works with. */
export interface ReceiverParts extends Calling {
  readonly inbox: Inbox;
  /** Work that must go on although its sender was answered may take this long. */
  readonly handlerTimeoutMs: number;
  /** When failed work is tried again (ms since 1970), by the number of attempts made. */
  readonly retryAt: (attempts: number) => number;
  /** Takes work that outlives its delivery: awaited on shutdown, told about when it fails. */
  readonly afterwards: (work: Promise<void>) => void;
  /** Aborts on shutdown, when handlers have had their time: who waits is answered all the same. */
  readonly stopping: AbortSignal;
  /** Reply events until what came of them is recorded, by the entry's `seq`: a duplicate waits for the first answer. */
  readonly inFlight: Map<number, Promise<Received>>;
  /** `undefined`: nobody asks. */
  readonly step?: StepLog | undefined;
  /** `undefined`: no spans are told. */
  readonly tracing?: Tracing | undefined;
}

/** What became of a genuine delivery. */
export interface Received {
  /** `answered` with the handler's answer; `failed`: with none of its, for the cause in `note`. */
  readonly outcome: 'accepted' | 'duplicate' | 'answered' | 'failed';
  readonly reply: Reply;
  readonly entry: Entry;
  readonly note?: string | undefined;
}

type Definition = Extract<EventDefinition, { mode: 'reply' }>;

interface Answer {
  readonly reply: Reply;
  readonly note: string | undefined;
  readonly followUps: readonly NewEntry[];
}

/**
 * Someone waits: the handler runs now and its answer is the reply. The entry is on disk before, so that a crash in
 * between is seen and, where the event says so, made good.
 */
export async function answer(
  entry: NewEntry,
  definition: Definition,
  endpoint: Endpoint,
  tools: ReceiverParts,
): Promise<Received> {
  const claimForMs = endpoint.limits.deadlineMs + tools.handlerTimeoutMs;
  const deadline = AbortSignal.timeout(endpoint.limits.deadlineMs);
  const began = performance.now();
  const stored = await storedWithin(deadline, tools.inbox.store(entry, { claimForMs }), definition, tools);
  const { seq } = stored.entry;
  tools.step?.(entry.request, 'stored', { seq, duplicate: stored.duplicate, ms: since(began) });
  if (!stored.claimed) return answerUnclaimed(stored.entry, stored.duplicate, endpoint, tools);
  return answerClaimed(stored.entry, definition, endpoint, tools, deadline);
}

/** Who waits is not kept waiting by the inbox either: nothing was promised yet. @throws InboxUnavailable */
async function storedWithin(
  deadline: AbortSignal,
  storing: Promise<Stored>,
  definition: Definition,
  tools: ReceiverParts,
): Promise<Stored> {
  try {
    return await before([deadline], storing);
  } catch (error) {
    if (!(error instanceof HandlerLate)) throw error;
    const late = new Interrupted('it was stored only after its sender was answered 503');
    tools.afterwards(
      storing.then(({ claimed, entry }) =>
        claimed ? recordFailure(late, entry, definition, tools) : undefined,
      ),
    );
    throw new InboxUnavailable(
      'inbox_unavailable',
      'The inbox did not store the event within the deadline of its reply: is the database overloaded, or away?',
    );
  }
}

function answerClaimed(
  entry: Entry,
  definition: Definition,
  endpoint: Endpoint,
  tools: ReceiverParts,
  deadline: AbortSignal,
): Promise<Received> {
  const work = makeAnswer(entry, definition, endpoint, tools, deadline);
  const answering = answerWithin([deadline, tools.stopping], work, entry, endpoint);
  tools.inFlight.set(entry.seq, answering);
  // Until it is recorded: a duplicate that found the entry running finds its answer here or, later, there.
  const recorded = record(work, entry, definition, tools).finally(() => {
    // By now a redelivery after a failure may have put itself in this place.
    if (tools.inFlight.get(entry.seq) === answering) tools.inFlight.delete(entry.seq);
  });
  tools.afterwards(recorded);
  return answering;
}

/** A duplicate gets what the first one got; an event whose subject is busy is left to the worker. */
async function answerUnclaimed(
  entry: Entry,
  duplicate: boolean,
  endpoint: Endpoint,
  tools: ReceiverParts,
): Promise<Received> {
  if (!duplicate) return { outcome: 'accepted', reply: harmlessReply(entry, endpoint), entry };
  const first = await tools.inFlight.get(entry.seq);
  if (first) return { ...first, outcome: 'duplicate' };
  // What was running when it was looked up may have ended since.
  const latest = entry.status === 'running' ? await tools.inbox.find(entry.seq) : entry;
  return { outcome: 'duplicate', reply: replyOf(latest ?? entry, endpoint), entry };
}

/** The reply to an entry that is not being answered right now. */
function replyOf(entry: Entry, endpoint: Endpoint): Reply {
  if (entry.answer) return endpoint.recorded(entry.answer, entry.type);
  return entry.status === 'done' ? harmlessReply(entry, endpoint) : failureReply(entry, endpoint);
}

async function answerWithin(
  limits: readonly AbortSignal[],
  work: Promise<Answer>,
  entry: Entry,
  endpoint: Endpoint,
): Promise<Received> {
  try {
    const { reply, note } = await before(limits, work);
    return { outcome: 'answered', reply, entry, note };
  } catch (error) {
    return failed(entry, endpoint, describeFailure(error));
  }
}

async function makeAnswer(
  entry: Entry,
  definition: Definition,
  endpoint: Endpoint,
  tools: ReceiverParts,
  deadline: AbortSignal,
): Promise<Answer> {
  const began = performance.now();
  const calling = () => handle(entry, endpoint, tools, deadline);
  const handling = tools.tracing?.handle(entry, calling) ?? calling();
  // Where nobody takes the work up later, there is no use in waiting for it longer than the sender does.
  const patience =
    definition.afterFailure === 'record' ? deadline : AbortSignal.timeout(tools.handlerTimeoutMs);
  const { result, note, followUps } = await before([patience, tools.stopping], handling);
  tools.step?.(entry.request, 'handled', { seq: entry.seq, followUps: followUps.length, ms: since(began) });
  return { reply: endpoint.answer(result, entry.type), note, followUps };
}

/** Writes down what came of it, whether or not the sender is still waiting. */
async function record(
  work: Promise<Answer>,
  entry: Entry,
  definition: Definition,
  tools: ReceiverParts,
): Promise<void> {
  const outcome = await work.then(
    (answer) => ({ answer }),
    (failure: unknown) => ({ failure }),
  );
  if ('answer' in outcome) {
    const { reply, note, followUps } = outcome.answer;
    // Only an entry with a key can meet its duplicate.
    const answer = entry.key === undefined ? {} : { answer: keptOf(reply) };
    await tools.inbox.done(entry, { note, followUps, ...answer });
    return;
  }
  await recordFailure(outcome.failure, entry, definition, tools);
}

async function recordFailure(
  failure: unknown,
  entry: Entry,
  definition: Definition,
  tools: ReceiverParts,
): Promise<void> {
  const { inbox } = tools;
  const cause = describeFailure(failure);
  if (failure instanceof Interrupted && definition.afterFailure === 'retry') await inbox.release(entry);
  else if (isLast(entry, failure, definition, tools)) await inbox.bury(entry, cause);
  else await inbox.retry(entry, cause, tools.retryAt(entry.attempts));
}

function isLast(
  entry: Entry,
  failure: unknown,
  { afterFailure }: Definition,
  { maxAttempts }: ReceiverParts,
): boolean {
  return afterFailure === 'record' || failure instanceof DeadLetter || entry.attempts >= maxAttempts;
}

/** What `work` comes to, unless one of the signals aborts first. */
async function before<Value>(limits: readonly AbortSignal[], work: Promise<Value>): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const onAbort = () => {
    reject(reasonOf(limits));
  };
  for (const signal of limits) signal.addEventListener('abort', onAbort);
  try {
    if (limits.some(({ aborted }) => aborted)) onAbort();
    return await Promise.race([work, late]);
  } finally {
    // Node keeps a signal that is listened to until its time is over, and with it all that it leads to.
    for (const signal of limits) signal.removeEventListener('abort', onAbort);
  }
}

function reasonOf(limits: readonly AbortSignal[]): Error {
  const reasons = limits.map(({ reason }): unknown => reason);
  // Where a time is over, the reason is an error of Node's own.
  const interrupted = reasons.find((reason) => reason instanceof Interrupted);
  return interrupted ?? new HandlerLate('The handler was not done within its time.');
}

function failed(entry: Entry, endpoint: Endpoint, note: string): Received {
  return { outcome: 'failed', reply: failureReply(entry, endpoint), entry, note };
}

const FAILURE = errorReply(503);

function failureReply(entry: Entry, endpoint: Endpoint): Reply {
  return endpoint.limits.onFailure === 'error' ? FAILURE : harmlessReply(entry, endpoint);
}

/** By what the endpoint serves: content that names another event, or none, has somebody waiting all the same. */
function harmlessReply(entry: Entry, { definition, harmless, accepted }: Endpoint): Reply {
  return harmless.get(definition.type ?? entry.type) ?? accepted;
}
