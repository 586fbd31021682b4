import type { Dispatcher } from 'undici';
import { messageOf } from '../errors.ts';
import { CallFailed, CallRefused, nameOf, shown } from './errors.ts';
import type { AllowedHosts } from './hosts.ts';
import { discard, send, type OutgoingCall, type Reply } from './send.ts';

export interface Way {
  readonly hosts: AllowedHosts;
  readonly agent: Dispatcher;
  /** From the call to the last byte that is read. */
  readonly limitMs: number;
  /** As `OutgoingOptions` has it. */
  readonly furtherHosts?: string | undefined;
}

/** Makes something of a reply to a call; after redirects it has another URL than the one first made, or fewer headers. */
type Use<Result> = (reply: Reply, made: OutgoingCall) => Promise<Result>;

const MOST_REDIRECTS = 3;

/** Makes a call, follows its redirects and uses the reply, all in time. */
export function exchange<Result>(way: Way, call: OutgoingCall, use: Use<Result>): Promise<Result> {
  async function follow(made: OutgoingCall, redirectsLeft: number, signal: AbortSignal): Promise<Result> {
    checkListed(way, made.url);
    const reply = await send(way.agent, made, signal);
    try {
      const url = redirectOf(made, reply, redirectsLeft);
      if (url === undefined) return await use(reply, made);
      if (url.origin !== made.url.origin) checkCrossing(way, made, url);
      return await follow({ ...made, url, headers: headersFor(url, made) }, redirectsLeft - 1, signal);
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
 * @throws CallRefused if that cannot be read, or if none of the redirects that may be followed is `left`
 */
function redirectOf(call: OutgoingCall, { statusCode, headers }: Reply, left: number): URL | undefined {
  const location = headers['location'];
  if (location === undefined || !keepsMethod(statusCode, call.method)) return undefined;
  const target = typeof location === 'string' ? URL.parse(location, call.url) : null;
  if (target === null) throw refused(call, 'to an unreadable address; that is not followed.');
  if (left === 0) throw refused(call, 'once more after several times; that is not followed.');
  return target;
}

/** @throws CallRefused unless the way is one of downloads, to a host that is listed, and as safe as it was */
function checkCrossing(way: Way, call: OutgoingCall, target: URL): void {
  const where = `to ${shown(`${target.protocol}//${target.host}`)}`;
  if (way.furtherHosts === undefined || !['GET', 'HEAD'].includes(call.method)) {
    throw refused(
      call,
      `${where}, another origin; that is not followed. Set the address of this API, …_API_URL, to where it is.`,
    );
  }
  if (call.url.protocol === 'https:' && target.protocol !== 'https:') {
    throw refused(call, `${where}, from https: to something less; that is not followed.`);
  }
  try {
    checkListed(way, target);
  } catch (cause) {
    throw refused(call, `${where}. ${messageOf(cause)}`, cause);
  }
}

/** @throws CallRefused, which says where it could be listed */
function checkListed({ hosts, furtherHosts }: Way, url: URL): void {
  try {
    hosts.check(url);
  } catch (error) {
    const couldBeListed = url.origin !== 'null' && url.username === '' && url.password === '';
    if (furtherHosts === undefined || !(error instanceof CallRefused) || !couldBeListed) throw error;
    const { code, message } = error;
    throw new CallRefused(code, `${message} If documents may come from there, list it in ${furtherHosts}.`);
  }
}

/** What we send is meant for the origin it is sent to, credentials above all: others do not get it, nor give it back. */
function headersFor({ origin }: URL, { url, headers = {}, trusted = [] }: OutgoingCall) {
  return origin === url.origin || (trusted.includes(url.origin) && trusted.includes(origin)) ? headers : {};
}

function refused(call: OutgoingCall, how: string, cause?: unknown): CallRefused {
  return new CallRefused('redirect_refused', `${nameOf(call)} was redirected ${how}`, { cause });
}

function keepsMethod(status: number, method: string): boolean {
  if (status === 307 || status === 308) return true;
  return (status === 301 || status === 302 || status === 303) && (method === 'GET' || method === 'HEAD');
}
