import { createOutgoing } from './client.ts';
import type { Downloaded, Outgoing, OutgoingCall, OutgoingOptions, OutgoingReply } from './client.ts';
import type { Announced } from './content.ts';
import { statusFailure } from './errors.ts';
import type { Pace } from './pace.ts';
import { isTemporary, sleepUnlessAborted, withRetries } from './retry.ts';
import { hasStatus } from './tokens.ts';

/** What the client of an API is given and does not take itself: the way out, time and chance. */
export interface ApiTools {
  readonly createOutgoing: (options: OutgoingOptions) => Outgoing;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

export const realTools: ApiTools = {
  createOutgoing,
  now: () => performance.now(),
  random: Math.random,
  sleep: sleepUnlessAborted,
};

/** Calls to one API. What is not answered with success throws CallFailed; what may be over in a moment is tried again. */
export interface Caller {
  request(call: OutgoingCall): Promise<OutgoingReply>;
  /** For a call that must not take effect twice: tried again only where the API says that it did nothing. */
  requestOnce(call: OutgoingCall): Promise<OutgoingReply>;
  download(call: OutgoingCall, directory: string, announced: Announced): Promise<Downloaded>;
}

export interface CallerOptions {
  readonly outgoing: Outgoing;
  readonly tools: Pick<ApiTools, 'random' | 'sleep'>;
  /** Gives a call the headers that the API wants to see, and decides what a refusal of them leads to. */
  readonly withHeaders: <Result>(call: (headers: Headers) => Promise<Result>) => Promise<Result>;
  readonly pace?: Pace;
}

type Headers = Readonly<Record<string, string>>;

const ATTEMPTS = 4;
const BACKOFF = { baseMs: 500, capMs: 8_000 };

export function createCaller({ outgoing, tools, withHeaders, pace }: CallerOptions): Caller {
  async function make<Result>(
    call: OutgoingCall,
    send: (call: OutgoingCall) => Promise<Result>,
    retryOn: (error: unknown) => boolean,
  ): Promise<Result> {
    const attempt = () =>
      withHeaders(async (headers) => {
        await pace?.(call.signal);
        return send({ ...call, headers: { ...call.headers, ...headers } });
      });
    const { random, sleep } = tools;
    return withRetries(attempt, {
      attempts: ATTEMPTS,
      backoff: BACKOFF,
      retryOn,
      signal: call.signal,
      random,
      sleep,
    });
  }

  const requestOk = (call: OutgoingCall) => successful(outgoing, call);
  return {
    request: (call) => make(call, requestOk, isTemporary),
    requestOnce: (call) => make(call, requestOk, (error) => hasStatus(error, 429)),
    download: (call, directory, announced) =>
      make(call, (full) => outgoing.download(full, directory, announced), isTemporary),
  };
}

/** One request. @throws CallFailed `status` unless it is answered 2xx; and what is read must come whole, with 200 */
export async function successful(outgoing: Outgoing, call: OutgoingCall): Promise<OutgoingReply> {
  const reply = await outgoing.request(call);
  if (reply.status >= 200 && reply.status <= (call.method === 'GET' ? 200 : 299)) return reply;
  throw statusFailure(call, reply);
}
