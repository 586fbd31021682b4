import type { Dispatcher } from 'undici';
import { CallFailed, CallRefused, nameOf, shown } from './errors.ts';
import type { AllowedHosts } from './hosts.ts';
import { discard, send, type OutgoingCall, type Reply } from './send.ts';

export interface Way {
  readonly hosts: AllowedHosts;
  readonly agent: Dispatcher;
  /** From the call to the last byte that is read. */
  readonly limitMs: number;
}

/** Makes something of a reply to a call, which differs from the one first made by its URL if there were redirects. */
type Use<Result> = (reply: Reply, made: OutgoingCall) => Promise<Result>;

const MOST_REDIRECTS = 3;

/** Makes a call, follows its redirects and uses the reply, all in time. */
export function exchange<Result>(way: Way, call: OutgoingCall, use: Use<Result>): Promise<Result> {
  async function follow(made: OutgoingCall, redirectsLeft: number, signal: AbortSignal): Promise<Result> {
    way.hosts.check(made.url);
    const reply = await send(way.agent, made, signal);
    try {
      const target = redirectOf(made, reply, redirectsLeft);
      if (target === undefined) return await use(reply, made);
      return await follow({ ...made, url: target }, redirectsLeft - 1, signal);
    } finally {
      discard(reply);
    }
  }
  return inTime(call, way.limitMs, (signal) => follow(call, MOST_REDIRECTS, signal));
}

/**
 * Runs a call with a signal that aborts with the call's own or when its time is over, and rejects with that reason,
 * whatever the interrupted call says about its end.
 */
async function inTime<Result>(
  call: OutgoingCall,
  limitMs: number,
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const over = new AbortController();
  const timer = setTimeout(() => {
    over.abort(new CallFailed('late', `${nameOf(call)} was not done within ${limitMs} ms.`));
  }, limitMs);
  const signal = call.signal === undefined ? over.signal : AbortSignal.any([call.signal, over.signal]);
  try {
    signal.throwIfAborted();
    return await run(signal);
  } catch (thrown) {
    signal.throwIfAborted();
    throw thrown;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Where a reply wants its call to be made again, or `undefined` if it does not, or if that would turn a call that
 * changes something into a GET.
 * @throws CallRefused if it is another origin (what we send is meant for this one, credentials above all), or if none of
 * the redirects that may be followed is `left`
 */
function redirectOf(call: OutgoingCall, { statusCode, headers }: Reply, left: number): URL | undefined {
  const location = headers['location'];
  if (location === undefined || !keepsMethod(statusCode, call.method)) return undefined;
  const target = typeof location === 'string' ? URL.parse(location, call.url) : null;
  if (target?.origin !== call.url.origin) throw refused(call, `to ${originText(target)}, another origin`);
  if (left === 0) throw refused(call, 'once more after several times');
  return target;
}

function refused(call: OutgoingCall, how: string): CallRefused {
  return new CallRefused('redirect_refused', `${nameOf(call)} was redirected ${how}; that is not followed.`);
}

function originText(target: URL | null): string {
  return target === null ? 'an unreadable address' : shown(`${target.protocol}//${target.host}`);
}

function keepsMethod(status: number, method: string): boolean {
  if (status === 307 || status === 308) return true;
  return (status === 301 || status === 302 || status === 303) && (method === 'GET' || method === 'HEAD');
}
