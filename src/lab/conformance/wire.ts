import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectSecure, type ConnectionOptions } from 'node:tls';
import { setTimeout as pause } from 'node:timers/promises';
import { parseReply, type ParsedReply } from './reply.ts';

/** A request as it goes over the wire: unlike a well-behaved sender's, it may have a header twice. */
export interface WireRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: readonly Header[];
  readonly body: Buffer;
}
export type Header = readonly [name: string, value: string];

/** How bytes travel, where they do not travel at once and whole. */
export interface Manner {
  /** In pieces of this many bytes, until a reply comes. */
  readonly pieceBytes?: number;
  /** Between two pieces. */
  readonly pauseMs?: number;
  /** Sends no more than this many bytes, … */
  readonly stopAfterBytes?: number;
  /** … and then waits for a reply (the usual), ends its half of the connection, or breaks it off. */
  readonly then?: 'wait' | 'end' | 'reset';
  /** Goes on listening after a whole reply: for a second one, or for the connection to be closed. */
  readonly lingerMs?: number;
  /** Reads no reply, and sends as long as the receiver reads. */
  readonly deaf?: true;
  /** Is told when so much has been sent. The rest follows when the promise resolves; until then the connection stays as it is. */
  readonly hold?: { readonly sent: () => void; readonly until: Promise<unknown> };
}

/** The outcome of one connection. */
export interface Observation extends ParsedReply {
  /** Milliseconds from connecting to the end of the reply, or of waiting for it. */
  readonly ms: number;
  /** The receiver had closed the connection when we stopped listening. */
  readonly closed: boolean;
  /** Why there is no whole reply, as Node names it: `ECONNREFUSED`; `TIMEOUT` when time was over. */
  readonly trouble: string | undefined;
  /** How it was asked. */
  readonly method?: string | undefined;
}

export interface WireOptions {
  readonly url: URL;
  /** For the whole reply to come. */
  readonly timeoutMs: number;
  readonly tls?: TlsOptions | undefined;
  readonly manner?: Manner | undefined;
  /** The reply to a HEAD has a length and no body. */
  readonly method?: string | undefined;
}

export type TlsOptions = Pick<
  ConnectionOptions,
  | 'ca'
  | 'cert'
  | 'key'
  | 'pfx'
  | 'passphrase'
  | 'rejectUnauthorized'
  | 'minVersion'
  | 'maxVersion'
  | 'ciphers'
> & {
  /** Where these were read from, for whoever does it again. */
  readonly files?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
};

/** The bytes of a request. What it does not say itself is added: host, length, and that the connection ends with it. */
export function bytesOf({ method, target, headers, body }: WireRequest, { host }: URL): Buffer {
  const has = (name: string) => headers.some(([candidate]) => candidate.toLowerCase() === name);
  const framed = has('content-length') || has('transfer-encoding') || (body.length === 0 && method === 'GET');
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...(has('host') ? [] : [`Host: ${host}`]),
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(framed ? [] : [`Content-Length: ${body.length}`]),
    ...(has('connection') ? [] : ['Connection: close']),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

/** Sends exactly these bytes over a connection of their own. Never throws: whatever happens is an observation. */
export async function exchange(bytes: Buffer, options: WireOptions): Promise<Observation> {
  const started = performance.now();
  const { socket, reset } = open(options);
  const conversation = listen(socket, options);
  void speak({ socket, reset }, bytes, options.manner ?? {}, conversation);
  const { reply, closed, trouble } = await conversation.over;
  socket.destroy();
  const { method } = options;
  return { ...reply, method, closed, trouble, ms: Math.round((performance.now() - started) * 10) / 10 };
}

interface Connection {
  readonly socket: Socket;
  /** Breaks it off without a word. */
  readonly reset: () => void;
}

function open({ url, tls }: WireOptions): Connection {
  // URL keeps the brackets of an IPv6 address, a socket wants none.
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const secure = url.protocol === 'https:';
  const port = Number(url.port) || (secure ? 443 : 80);
  const transport = connectPlain({ host, port, noDelay: true });
  if (!secure) return { socket: transport, reset: () => transport.resetAndDestroy() };
  const named = /^[\d.:]+$/.test(host) ? { host } : { host, servername: host };
  const socket = connectSecure({ socket: transport, ...named, ...tls });
  // TLS would say goodbye first.
  return { socket, reset: () => (socket.destroyed ? undefined : transport.resetAndDestroy()) };
}

interface Heard {
  readonly reply: ParsedReply;
  readonly closed: boolean;
  readonly trouble: string | undefined;
}

interface Conversation {
  readonly over: Promise<Heard>;
  /** Whether a reply has begun, so that nobody needs to go on speaking. */
  readonly answered: () => boolean;
}

const MOST_REPLY_BYTES = 4 * 1024 * 1024;

function listen(socket: Socket, { timeoutMs, manner, method }: WireOptions): Conversation {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let trouble: string | undefined;
  const over = new Promise<Heard>((resolve) => {
    let ended = false;
    const end = (closed: boolean, cause: string | undefined) => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      resolve({ reply: parseReply(Buffer.concat(chunks), closed, method), closed, trouble: cause });
    };
    const timer = setTimeout(() => end(false, 'TIMEOUT'), timeoutMs);
    let lingering: NodeJS.Timeout | undefined;
    const hear = (chunk: Buffer) => {
      if (ended) return;
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MOST_REPLY_BYTES) {
        end(false, 'REPLY_TOO_LARGE');
        return;
      }
      if (lingering !== undefined || !parseReply(Buffer.concat(chunks), false, method).whole) return;
      clearTimeout(timer);
      lingering = setTimeout(() => end(false, undefined), manner?.lingerMs ?? 0);
    };
    if (manner?.deaf !== true) socket.on('data', hear);
    // A reset is one of the ways in which a receiver may close.
    socket.on('error', (error: NodeJS.ErrnoException) => (trouble ??= error.code ?? 'unknown trouble'));
    socket.on('close', () => {
      clearTimeout(lingering);
      end(true, trouble);
    });
  });
  return { over, answered: () => bytes > 0 };
}

async function speak(
  { socket, reset }: Connection,
  bytes: Buffer,
  manner: Manner,
  { answered }: Conversation,
): Promise<void> {
  const { pieceBytes = bytes.length, pauseMs = 0, stopAfterBytes = bytes.length } = manner;
  for (let at = 0; at < stopAfterBytes; at += pieceBytes) {
    if (socket.destroyed || answered()) return;
    const isTaken = socket.write(bytes.subarray(at, Math.min(at + pieceBytes, stopAfterBytes)));
    if (pauseMs > 0) await pause(pauseMs);
    if (manner.deaf === true && !isTaken && !(await isDrained(socket))) break;
  }
  if (manner.hold !== undefined) {
    socket.write('', () => manner.hold?.sent());
    await manner.hold.until;
    if (!socket.destroyed && !answered()) socket.write(bytes.subarray(stopAfterBytes));
  }
  if (manner.then === 'end') socket.end();
  // What a deaf one could not send will not be taken any more.
  if (manner.then === 'reset' && manner.deaf === true) reset();
  else if (manner.then === 'reset') socket.write('', () => reset());
}

const TAKEN_MS = 3_000;

/** False when the receiver has stopped reading, and when the connection has ended. */
async function isDrained(socket: Socket): Promise<boolean> {
  const gone = new AbortController();
  const { signal } = gone;
  const drained = once(socket, 'drain', { signal }).then(() => true);
  const closed = once(socket, 'close', { signal }).then(() => false);
  try {
    return await Promise.race([drained, closed, pause(TAKEN_MS, false, { signal })]);
  } catch {
    return false; // a reset
  } finally {
    gone.abort();
  }
}
