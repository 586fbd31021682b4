import http from 'node:http';
import https from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import type { OutgoingRequest, ReceivedReply } from '../../kit/source.ts';

/** The outcome of one request: a reply, or words on why there is none. */
export type Outcome =
  | { readonly kind: 'reply'; readonly reply: ReceivedReply }
  | { readonly kind: 'failure'; readonly cause: FailureCause; readonly says: string; readonly ms: number };

type FailureCause = 'not_running' | 'closed' | 'late' | 'unreachable';

/** How the bytes travel, where they do not travel at once and whole. */
export interface Manner {
  /** The body takes this long. */
  readonly dripMs?: number;
  /** Hangs up after this many bytes of the body, having announced all of them. */
  readonly stopAfterBytes?: number;
}

export interface SendOptions {
  /** From the first byte to the last one of the reply; the time of dripping comes on top. */
  readonly timeoutMs: number;
  readonly connections: Connections;
  readonly manner?: Manner;
}

/** Connections kept alive between requests, as the three products' HTTP clients do. */
export interface Connections {
  agentFor(url: URL): http.Agent;
  close(): void;
}

/** PEM texts or a PKCS#12 store, and whether a certificate that nobody has vouched for will do. */
export type TlsOptions = Pick<
  https.AgentOptions,
  'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'rejectUnauthorized'
>;

export function createConnections(tls: TlsOptions = {}): Connections {
  const plain = new http.Agent({ keepAlive: true });
  const secure = new https.Agent({ keepAlive: true, ...tls });
  return {
    agentFor: (url) => (url.protocol === 'https:' ? secure : plain),
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

/** Sends one request to the origin of a URL. Follows no redirect, and never throws: a failure is an outcome, too. */
export async function send(url: URL, request: OutgoingRequest, options: SendOptions): Promise<Outcome> {
  const sent = await sendOnce(url, request, options);
  // The receiver closed a kept-alive connection just when it was used again; every HTTP client sends once more then.
  return sent === 'connection_was_stale' ? send(url, request, options) : sent;
}

type Attempt = Outcome | 'connection_was_stale';

async function sendOnce(url: URL, request: OutgoingRequest, options: SendOptions): Promise<Attempt> {
  const stopwatch = startStopwatch();
  let outgoing: http.ClientRequest | undefined;
  try {
    outgoing = open(url, request, options);
    return { kind: 'reply', reply: await exchange(outgoing, request.body, options, stopwatch) };
  } catch (error) {
    if (outgoing?.reusedSocket === true && codeOf(error) === 'ECONNRESET') return 'connection_was_stale';
    return failureOf(error, url, stopwatch());
  } finally {
    // A connection that was misused, or whose request the receiver did not want to the end, must not carry another.
    if (options.manner || outgoing?.writableEnded === false) outgoing?.destroy();
  }
}

type Stopwatch = () => number;

/** Milliseconds since now, with one decimal. */
function startStopwatch(): Stopwatch {
  const begun = performance.now();
  return () => Math.round((performance.now() - begun) * 10) / 10;
}

function open(url: URL, request: OutgoingRequest, options: SendOptions): http.ClientRequest {
  const { request: begin } = url.protocol === 'https:' ? https : http;
  return begin({
    protocol: url.protocol,
    // URL keeps the brackets of an IPv6 address, a socket wants none.
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port,
    method: request.method,
    path: request.target,
    headers: withLength(request),
    agent: options.manner ? false : options.connections.agentFor(url),
  });
}

async function exchange(
  outgoing: http.ClientRequest,
  body: Buffer,
  { timeoutMs, manner = {} }: SendOptions,
  stopwatch: Stopwatch,
): Promise<ReceivedReply> {
  const timer = setTimeout(() => outgoing.destroy(new ReplyLate()), timeoutMs + (manner.dripMs ?? 0));
  const reply = replyOf(outgoing, stopwatch);
  writeBody(outgoing, body, manner);
  try {
    return await reply;
  } finally {
    clearTimeout(timer);
  }
}

/** A body has its length announced, unless the request says otherwise itself; without a body nothing is announced. */
function withLength({ headers, body }: OutgoingRequest): Record<string, string> {
  const framed = Object.keys(headers).some((name) => /^(content-length|transfer-encoding)$/i.test(name));
  if (framed || body.length === 0) return { ...headers };
  return { ...headers, 'Content-Length': String(body.length) };
}

const PIECE_BYTES = 65_536;

/** Hands over the body piece by piece and stops as soon as the receiver has answered: it may refuse half-way. */
function writeBody(outgoing: http.ClientRequest, body: Buffer, manner: Manner): void {
  if (manner.stopAfterBytes !== undefined) {
    hangUpAfter(outgoing, body.subarray(0, manner.stopAfterBytes));
    return;
  }
  if (manner.dripMs === undefined && body.length <= PIECE_BYTES) {
    outgoing.end(body.length > 0 ? body : undefined);
    return;
  }
  const pieces = manner.dripMs === undefined ? piecesOf(body, PIECE_BYTES) : dripsOf(body);
  const pauseMs = manner.dripMs === undefined ? 1 : manner.dripMs / pieces.length;
  void writePieces(outgoing, pieces, pauseMs);
}

function hangUpAfter(outgoing: http.ClientRequest, part: Buffer): void {
  outgoing.flushHeaders();
  outgoing.write(part, () => {
    outgoing.socket?.end();
  });
}

/** The pauses leave the receiver's refusal time to arrive before the connection breaks and takes it along. */
async function writePieces(
  outgoing: http.ClientRequest,
  pieces: readonly Buffer[],
  pauseMs: number,
): Promise<void> {
  let over = false;
  const stop = () => (over = true);
  outgoing.once('response', stop).once('close', stop);
  const isOver = () => over;
  for (const piece of pieces) {
    outgoing.write(piece);
    await pause(pauseMs);
    if (isOver()) return;
  }
  outgoing.end();
}

const MOST_DRIPS = 100;

function dripsOf(body: Buffer): Buffer[] {
  return piecesOf(body, Math.ceil(body.length / MOST_DRIPS));
}

function piecesOf(body: Buffer, bytes: number): Buffer[] {
  const count = Math.ceil(body.length / bytes);
  return Array.from({ length: count }, (_, index) => body.subarray(index * bytes, (index + 1) * bytes));
}

const MOST_REPLY_BYTES = 4 * 1024 * 1024;

function replyOf(outgoing: http.ClientRequest, stopwatch: Stopwatch): Promise<ReceivedReply> {
  return new Promise((resolve, reject) => {
    outgoing.on('error', reject);
    // Node tells of a connection closed in silence as an error, too, but not of one closed after our own hanging up.
    outgoing.on('close', () => reject(new ConnectionClosed()));
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > MOST_REPLY_BYTES) outgoing.destroy();
      });
      incoming.on('error', reject);
      incoming.on('end', () => {
        const { statusCode: status = 0, headers } = incoming;
        resolve({ status, headers, body: Buffer.concat(chunks), ms: stopwatch() });
      });
    });
  });
}

class ConnectionClosed extends Error {
  readonly code = 'ECONNRESET';
}

class ReplyLate extends Error {
  readonly code = 'REPLY_LATE';
}

function failureOf(error: unknown, { origin }: URL, ms: number): Outcome {
  const code = codeOf(error);
  switch (code) {
    case 'ECONNREFUSED':
      return failure('not_running', `Nothing listens at ${origin}. Is the receiver running (npm start)?`, ms);
    case 'REPLY_LATE':
      return failure('late', `No reply from ${origin} within ${Math.round(ms / 100) / 10} s.`, ms);
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNABORTED':
      return failure('closed', 'The receiver closed the connection without a whole reply.', ms);
    default:
      return failure('unreachable', `${origin} could not be reached (${code}).`, ms);
  }
}

function failure(cause: FailureCause, says: string, ms: number): Outcome {
  return { kind: 'failure', cause, says, ms };
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown cause';
  if ('code' in error) return String(error.code);
  // Several addresses of one host were tried; any of the errors tells it.
  return 'errors' in error && Array.isArray(error.errors) ? codeOf(error.errors[0]) : 'unknown cause';
}
