import { DeadLetter, describeFailure, HandlerLate } from '../errors.ts';
import type { Entry, Inbox, NewEntry } from '../inbox/inbox.ts';
import type { EventDefinition } from '../source.ts';
import type { Endpoint } from './endpoint.ts';
import { handle, type AllHandlers } from './handle.ts';
import type { Reply } from './reply.ts';

/** What the receiver works with. */
export interface Tools {
  readonly inbox: Inbox;
  readonly handlers: AllHandlers;
  /** Work that must go on although its sender was answered may take this long. */
  readonly handlerTimeoutMs: number;
  /** When failed work is tried again (ms since 1970), by the number of attempts made. */
  readonly retryAt: (attempts: number) => number;
  /** Takes work that outlives its delivery: awaited on shutdown, told about when it fails. */
  readonly afterwards: (work: Promise<void>) => void;
  /** Reply events being handled, by the entry's `seq`: a duplicate waits for the first one's answer. */
  readonly inFlight: Map<number, Promise<Received>>;
}

/** What became of a genuine delivery. */
export interface Received {
  /** `answered` with the handler's answer; `failed`: with the harmless one, for the cause in `note`. */
  readonly outcome: 'accepted' | 'duplicate' | 'answered' | 'failed';
  readonly reply: Reply;
  readonly entry: Entry;
  readonly note?: string | undefined;
}

type Definition = Extract<EventDefinition, { mode: 'reply' }>;

interface Answer {
  readonly reply: Reply;
  readonly note: string | undefined;
}

/**
 * Someone waits: the handler runs now and its answer is the reply. The entry is on disk before, so that a crash in
 * between is seen and, where the event says so, made good.
 */
export async function answer(
  entry: NewEntry,
  definition: Definition,
  endpoint: Endpoint,
  tools: Tools,
): Promise<Received> {
  const claimForMs = endpoint.limits.deadlineMs + tools.handlerTimeoutMs;
  const stored = await tools.inbox.store(entry, { claimForMs });
  if (!stored.claimed) return answerUnclaimed(stored.entry, stored.duplicate, endpoint, tools);
  const answering = answerWithin(stored.entry, definition, endpoint, tools);
  tools.inFlight.set(stored.entry.seq, answering);
  return answering.finally(() => tools.inFlight.delete(stored.entry.seq));
}

/** A duplicate gets what the first one got; an event whose subject is busy is left to the worker. */
async function answerUnclaimed(
  entry: Entry,
  duplicate: boolean,
  endpoint: Endpoint,
  tools: Tools,
): Promise<Received> {
  if (!duplicate)
    return failed(entry, endpoint, 'an earlier event of its subject is not done; the worker follows');
  const first = await tools.inFlight.get(entry.seq);
  if (first) return { ...first, outcome: 'duplicate' };
  const reply = entry.answer ? endpoint.recorded(entry.answer, entry.type) : harmlessReply(entry, endpoint);
  return { outcome: 'duplicate', reply, entry };
}

async function answerWithin(
  entry: Entry,
  definition: Definition,
  endpoint: Endpoint,
  tools: Tools,
): Promise<Received> {
  const deadline = AbortSignal.timeout(endpoint.limits.deadlineMs);
  const work = makeAnswer(entry, definition, endpoint, tools, deadline);
  tools.afterwards(record(work, entry, definition, tools));
  try {
    const { reply, note } = await before(deadline, work);
    return { outcome: 'answered', reply, entry, note };
  } catch (error) {
    return failed(entry, endpoint, describeFailure(error));
  }
}

async function makeAnswer(
  entry: Entry,
  definition: Definition,
  endpoint: Endpoint,
  tools: Tools,
  deadline: AbortSignal,
): Promise<Answer> {
  const handling = handle(entry, endpoint, tools.handlers, deadline);
  // Where nobody takes the work up later, there is no use in waiting for it longer than the sender does.
  const patience =
    definition.afterFailure === 'record' ? deadline : AbortSignal.timeout(tools.handlerTimeoutMs);
  const { result, note } = await before(patience, handling);
  return { reply: endpoint.answer(result, entry.type), note };
}

/** Writes down what came of it, whether or not the sender is still waiting. */
async function record(
  work: Promise<Answer>,
  entry: Entry,
  definition: Definition,
  tools: Tools,
): Promise<void> {
  const outcome = await work.then(
    (answer) => ({ answer }),
    (failure: unknown) => ({ failure }),
  );
  if ('answer' in outcome) {
    const { reply, note } = outcome.answer;
    // Only an entry with a key can meet its duplicate.
    await tools.inbox.done(entry, entry.key === undefined ? { note } : { note, answer: reply.body });
  } else if (definition.afterFailure === 'record' || outcome.failure instanceof DeadLetter) {
    await tools.inbox.bury(entry, describeFailure(outcome.failure));
  } else {
    await tools.inbox.retry(entry, describeFailure(outcome.failure), tools.retryAt(entry.attempts));
  }
}

/** What `work` comes to, unless the signal aborts first. */
function before<Value>(signal: AbortSignal, work: Promise<Value>): Promise<Value> {
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(new HandlerLate('The handler was not done within its time.'));
    });
  });
  return Promise.race([work, late]);
}

function failed(entry: Entry, endpoint: Endpoint, note: string): Received {
  return { outcome: 'failed', reply: harmlessReply(entry, endpoint), entry, note };
}

function harmlessReply({ type }: Entry, endpoint: Endpoint): Reply {
  return endpoint.harmless.get(type) ?? endpoint.accepted;
}
