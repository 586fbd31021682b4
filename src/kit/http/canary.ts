import { hash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { z } from 'zod';
import type { Delivery } from '../delivery.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { DeliveryRejected, type RejectionCode } from '../errors.ts';
import type { Log } from '../log.ts';
import {
  CANARY_FIELD,
  CANARY_HEADER,
  CANARY_TOLERANCE_S,
  readCanary,
  type CanaryKey,
} from '../proofs/canary.ts';
import { prove } from '../receiver/receive.ts';
import type { AddressOf } from './address.ts';
import { buildReply, type Reply } from './reply.ts';
import { peerCertificateOf } from './tls.ts';

/** A value as it is told of: that of a token is known by its digest only. */
const told = z.object({
  name: z.string(),
  length: z.number(),
  sha256: z.string(),
  value: z.string().optional(),
});

const described = z.object({
  method: z.string(),
  path: z.string(),
  /** Raw, as written. */
  query: z.array(told),
  headers: z.array(told),
  /** `null`: refused before it was read. `first`: its first 64 bytes in base64. */
  body: z.object({ length: z.number(), sha256: z.string(), first: z.string() }).nullable(),
});
export type Described = z.infer<typeof described>;

/** What a canary is told: what arrived of the very request it came with. */
export const canaryReport = described.extend({
  canary: z.literal('v1'),
  /** Whose secret it holds, and which of the live ones. */
  endpoint: z.string(),
  secret: z.number(),
  /** What a delivery would have come to: `accepted`, or the code of its refusal. */
  outcome: z.string(),
  /** Milliseconds since 1970, by the receiver's clock. */
  receivedAt: z.number(),
  /** The address it counts for, and the other end of the connection. */
  client: z.string(),
  peer: z.string(),
  /** Where the receiver itself speaks TLS; with the fingerprint of the client certificate. */
  tls: z.object({ protocol: z.string(), certificate: z.string().nullable() }).nullable(),
  /** The same id is the same connection. */
  connection: z.object({ id: z.string(), keepAliveMs: z.number() }),
});
export type CanaryReport = z.infer<typeof canaryReport>;

export interface CanaryOptions {
  /** The open ones. */
  readonly endpoints: readonly Endpoint[];
  readonly addressOf: AddressOf;
  readonly log: Log;
  readonly keepAliveMs: number;
  /** Counts canaries by what they came to. Never throws. */
  readonly countedCanary?: ((endpoint: Endpoint, outcome: CanaryOutcome) => void) | undefined;
}
export type CanaryOutcome = 'accepted' | RejectionCode;

/** What the head and the body of a request come to. @throws DeliveryRejected */
export type TakeRequest = () => Promise<{ readonly delivery: Delivery; readonly endpoint: Endpoint }>;

/** The reply to a canary, which we call `id`; `undefined`: it is none. */
export type AnswerCanary = (
  request: IncomingMessage,
  id: string,
  take: TakeRequest,
) => Promise<Reply | undefined>;

/** Where the mark of a canary stands: see `CANARY_HEADER`. */
export const MARK_HEADER = CANARY_HEADER.toLowerCase();
export const MARK_FIELD = `${CANARY_FIELD}=v1.`;

/** Lets a canary go the way of a delivery up to its proof, stores nothing, calls nobody, and tells it what came. */
export function createCanaries(options: CanaryOptions): AnswerCanary {
  const endpoints = new Map<CanaryKey, Endpoint>();
  for (const endpoint of options.endpoints)
    for (const key of endpoint.canaryKeys) endpoints.set(key, endpoint);
  const keys = new Map([...endpoints.keys()].map((key) => [key.id, key]));

  return async (request, id, take) => {
    const key = keyOf(request, keys);
    const meant = key && endpoints.get(key);
    if (key === undefined || meant === undefined) return undefined;
    const { outcome, body } = await check(key, take);
    const report = reportOn(request, body, { key, outcome, ...options });
    const { source, definition } = meant;
    const { secret, client: from } = report;
    options.log.info({
      source: source.name,
      path: definition.path,
      outcome: 'canary',
      request: id,
      code: outcome,
      secret,
      from,
    });
    options.countedCanary?.(meant, outcome);
    return buildReply({ status: 200, type: 'json', body: JSON.stringify(report) });
  };
}

/** By the header or, where that is lost or broken, by the query. */
function keyOf({ headers, url = '' }: IncomingMessage, keys: ReadonlyMap<string, CanaryKey>) {
  const now = Date.now();
  const found =
    readCanary(String(headers[MARK_HEADER] ?? ''), keys, now) ??
    readCanary(url.slice(url.lastIndexOf(MARK_FIELD)), keys, now);
  return found !== undefined && isFirst(found.mark, now) ? found.key : undefined;
}

/** Marks that have been used, and when: whoever sees one on its way has no use for it. Only a holder of a secret adds one. */
const used = new Map<string, number>();
const MOST_USED = 10_000;

function isFirst(mark: string, now: number): boolean {
  for (const [old, at] of used) {
    if (now - at < 2 * CANARY_TOLERANCE_S * 1000) break; // one may be dated so far ahead
    used.delete(old);
  }
  if (used.has(mark) || used.size >= MOST_USED) return false;
  used.set(mark, now);
  return true;
}

/** The whole check of a delivery, with the canary's key in the place of the secret it is derived from. */
async function check(
  key: CanaryKey,
  take: TakeRequest,
): Promise<{ readonly outcome: CanaryOutcome; readonly body: Buffer | undefined }> {
  let body: Buffer | undefined;
  try {
    const { delivery, endpoint } = await take();
    body = delivery.body;
    await prove(delivery, {
      ...endpoint,
      demand(of) {
        const demand = endpoint.demand(of);
        const isItsOwn = endpoint.definition.path === key.path && demand.installation === key.installation;
        return { ...demand, secrets: isItsOwn ? [key.secret] : [] };
      },
    });
    return { outcome: 'accepted', body };
  } catch (error) {
    if (!(error instanceof DeliveryRejected)) throw error;
    return { outcome: error.code, body };
  }
}

interface Checked extends Pick<CanaryOptions, 'addressOf' | 'keepAliveMs'> {
  readonly key: CanaryKey;
  readonly outcome: CanaryOutcome;
}

function reportOn(request: IncomingMessage, body: Buffer | undefined, checked: Checked): CanaryReport {
  const { method = '', url = '', rawHeaders, socket } = request;
  const { key, outcome, addressOf, keepAliveMs } = checked;
  const certificate = peerCertificateOf(socket)?.fingerprint ?? null;
  return {
    canary: 'v1',
    endpoint: key.path,
    secret: key.secret.position,
    outcome,
    receivedAt: Date.now(),
    ...describeRequest({ method, target: url, headers: rawHeaders }, body),
    client: addressOf(request),
    peer: socket.remoteAddress ?? 'gone',
    tls: socket instanceof TLSSocket ? { protocol: socket.getProtocol() ?? '?', certificate } : null,
    connection: { id: idOf(socket), keepAliveMs },
  };
}

const ids = new WeakMap<Socket, string>();

function idOf(socket: Socket): string {
  const id = ids.get(socket) ?? randomBytes(6).toString('hex');
  ids.set(socket, id);
  return id;
}

/** Headers that prove nothing, and say most about a way. */
const SHOWN = new Set([
  ...['host', 'connection', 'content-type', 'content-length', 'content-encoding', 'transfer-encoding'],
  ...['expect', 'via', 'user-agent', 'x-forwarded-for', 'x-forwarded-proto'],
]);
const FIRST_BYTES = 64;

/** A request as it is told of, the same on both ends of the way. `headers`: names and values in turn. */
export function describeRequest(
  {
    method,
    target,
    headers,
  }: { readonly method: string; readonly target: string; readonly headers: readonly string[] },
  body: Buffer | undefined,
): Described {
  const [path = '', ...rest] = target.split('?');
  const query = rest.join('?');
  return {
    method,
    path,
    query: query === '' ? [] : query.split('&').map((pair) => tellField(pair)),
    headers: headers.flatMap((name, at) => (at % 2 === 0 ? [tellHeader(name, headers[at + 1] ?? '')] : [])),
    body: body === undefined ? null : tellBody(body),
  };
}

function tellField(pair: string) {
  const at = pair.indexOf('=');
  const name = at < 0 ? pair : pair.slice(0, at);
  return tell(name, at < 0 ? '' : pair.slice(at + 1));
}

function tellHeader(name: string, value: string) {
  return { ...tell(name, value), ...(SHOWN.has(name.toLowerCase()) && { value }) };
}

function tell(name: string, value: string) {
  return { name, length: value.length, sha256: hash('sha256', value).slice(0, 16) };
}

function tellBody(body: Buffer) {
  const { length } = body;
  return { length, sha256: hash('sha256', body), first: body.toString('base64', 0, FIRST_BYTES) };
}
