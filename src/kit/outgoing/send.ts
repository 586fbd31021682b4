import type { Dispatcher } from 'undici';
import { isEncoded } from '../reading/text.ts';
import { CallFailed, failureOf, nameOf, shown } from './errors.ts';

export interface OutgoingCall {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string | undefined;
  /** Once it aborts, the call rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Origins that may see the headers after a redirect, besides the URL's own. */
  readonly trusted?: readonly string[];
}

/** A reply whose head has come and whose body is still to be read, or to be discarded. */
export type Reply = Dispatcher.ResponseData;

/** Sends one request to a URL that may be called. */
export async function send(agent: Dispatcher, call: OutgoingCall, signal: AbortSignal): Promise<Reply> {
  const { method, url, body = null } = call;
  const path = url.pathname + url.search;
  signal.throwIfAborted();
  const sent = agent.request({ origin: url.origin, path, method, headers: headersOf(call), body, signal });
  try {
    return await unlessAborted(sent, signal);
  } catch (thrown) {
    throw failureOf(call, thrown, 'connection');
  }
}

/** Frees what a reply holds; if it was not read to its end, its connection is closed. */
export function discard({ body }: Reply): void {
  body.on('error', () => undefined).destroy();
}

/** A reply's body as it comes, not a byte more than allowed. */
export async function* chunksOf(call: OutgoingCall, reply: Reply, maxBytes: number): AsyncGenerator<Buffer> {
  if (call.method !== 'HEAD') checkHead(call, reply, maxBytes);
  let bytes = 0;
  try {
    for await (const chunk of reply.body) {
      bytes += (chunk as Buffer).length; // without an encoding a stream yields buffers
      if (bytes > maxBytes) throw tooLarge(call, reply, maxBytes);
      yield chunk as Buffer;
    }
  } catch (thrown) {
    throw failureOf(call, thrown, 'truncated');
  }
}

/** A reply's whole body. */
export async function readBody(call: OutgoingCall, reply: Reply, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOf(call, reply, maxBytes)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function headersOf({ headers = {} }: OutgoingCall): Record<string, string> {
  const named = Object.entries(headers).map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  return { ...Object.fromEntries(named), 'accept-encoding': 'identity' };
}

/** undici hears of an abort only once it is connected; a caller should not have to wait for that. */
function unlessAborted<Result>(running: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal.reason as Error); // the abort's reason is ours or the caller's
    };
    signal.addEventListener('abort', abort, { once: true });
    running.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}

function checkHead(call: OutgoingCall, reply: Reply, maxBytes: number): void {
  const { statusCode: status, headers } = reply;
  if (Number(headers['content-length']) > maxBytes) throw tooLarge(call, reply, maxBytes);
  const codings = [headers['content-encoding'] ?? []].flat().join(',');
  if (!isEncoded(codings)) return;
  // A few bytes can unpack to gigabytes, and we asked for none of it.
  throw new CallFailed(
    'encoded',
    `${nameOf(call)}: the reply has Content-Encoding: ${shown(codings)}, though none was asked for, and none is undone. ` +
      'If a proxy on the way packs replies, have it leave those of this API as they are.',
    { status },
  );
}

function tooLarge(call: OutgoingCall, { statusCode: status }: Reply, maxBytes: number): CallFailed {
  return new CallFailed('too_large', `${nameOf(call)}: the reply is larger than ${maxBytes} bytes.`, {
    status,
  });
}
