import type { Request, Response } from 'express';
import { nextRequestId, type Delivery } from '../delivery.ts';
import { DeliveryRejected, rejections, type RejectionCode } from '../errors.ts';
import { whyAndWhere } from '../failure.ts';
import { TEST_NOTE } from '../handling/handle.ts';
import type { Came } from '../facts/observer.ts';
import { InboxUnavailable } from '../inbox/inbox.ts';
import { called, logged, since, type Log } from '../log.ts';
import { forwardedCertificate } from '../proofs/client-certificate.ts';
import type { Received, ReceiverParts } from '../receiver/answer.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { BodyBudget } from './body-budget.ts';
import { createCanaries, MARK_FIELD, MARK_HEADER, type CanaryOptions } from './canary.ts';
import type { CountFailure } from './rate-limit.ts';
import { hasBody, readBody } from './read-body.ts';
import type { RefusalLine, RefusalLog } from './refusal-log.ts';
import { receive, type Genuine } from '../receiver/receive.ts';
import { named, rejectionReply, sendAndClose, sendReply, type Reply } from './reply.ts';
import type { Tracing } from '../tracing.ts';
import type { Taping } from './taping.ts';
import { peerCertificateOf } from './tls.ts';

export interface RouterOptions extends CanaryOptions {
  /** By their paths, those that would be open had they a secret, and the variable that is missing. */
  readonly closed: ReadonlyMap<string, { readonly endpoint: Endpoint; readonly variable: string }>;
  readonly tools: ReceiverParts;
  readonly countFailure: CountFailure;
  readonly bodies: BodyBudget;
  readonly isDraining: () => boolean;
  /** Whether it will drain soon, or does: whoever keeps a connection should look for another receiver. */
  readonly isLeaving: () => boolean;
  readonly refusals: RefusalLog;
  /** Writes deliveries down as they came; `undefined`: none are. */
  readonly taping: Taping | undefined;
  /** `undefined`: no spans are told. */
  readonly tracing?: Tracing | undefined;
  /** Counts genuine deliveries, once their senders are answered. Never throws. */
  readonly counted?: ((received: Genuine, ms: number) => void) | undefined;
  /** Told of each genuine delivery, once its sender is answered. Never throws. */
  readonly observed?: ((came: Came) => void) | undefined;
}

export type Route = (request: Request, response: Response) => Promise<void>;

/** Express's side of receiving: turns a request into a delivery, and what came of it into a reply and a log line. */
export function createRouter(options: RouterOptions): Route {
  const { tools, log } = options;
  const endpoints = byPath(options.endpoints);
  const replies = new RefusalReplies(options.endpoints);

  /** A connection that stays open would hold up the shutdown, or be cut while a delivery is just sent on it. */
  function closeIfLeaving(response: Response): void {
    if (options.isLeaving()) response.shouldKeepAlive = false;
  }

  const take = takeFor(options, endpoints);
  const canaries = createCanaries(options);

  return async (request: Request, response: Response): Promise<void> => {
    const started = performance.now();
    const id = nextRequestId();
    const path = pathOf(request.url);
    const endpoint = endpoints.get(path);
    const span = endpoint && options.tracing?.receive(id, endpoint, request.rawHeaders);
    let body: Buffer | undefined;
    try {
      const as = { id, trace: span?.trace };
      const report = bearsMark(request) && (await canaries(request, id, () => take(request, response, as)));
      if (report) {
        closeIfLeaving(response);
        span?.end('canary');
        refuse(request, response, named(report, id));
        return;
      }
      const { delivery, endpoint: at } = await take(request, response, as);
      body = delivery.body;
      const received = await receive(delivery, at, tools);
      closeIfLeaving(response);
      sendReply(response, named(received.reply, id));
      const ms = since(started);
      tools.step?.(id, 'replied', { status: received.reply.status, ms });
      span?.end(received.outcome);
      logReceived(log, received, id, ms);
      options.counted?.(received, ms);
      options.taping?.received?.(request, {
        ...outcomeOf(received, id),
        ...{ from: options.addressOf(request), body },
      });
      options.observed?.({ delivery, target: request.url, endpoint: at, received });
    } catch (error) {
      const from = options.addressOf(request); // a connection that has ended has none
      const code = await codeOf(error, () => options.countFailure(request, response));
      span?.end(code);
      closeIfLeaving(response);
      const line = refusalLine(error, code, request, endpoint, { id, started });
      const meant = endpoint ?? options.closed.get(path)?.endpoint;
      const { why } = line;
      const refused = { request: id, endpoint: meant, outcome: code, from, why, body };
      options.taping?.refused(request, response, refused);
      refuse(request, response, named(replies.of(code, endpoint), id));
      if (code === 'internal_error') options.refusals.tellDefect(line, from, error);
      else options.refusals.tell(line, from);
    }
  };
}

/** Whether it may be a canary; to look costs a delivery nothing. */
function bearsMark({ headers, url }: Request): boolean {
  return headers[MARK_HEADER] !== undefined || url.includes(MARK_FIELD);
}

/** What we call a delivery, and its span. */
interface Named {
  readonly id: string;
  readonly trace: string | undefined;
}

/** The first steps of every delivery: its path, its head, its body. @throws DeliveryRejected */
function takeFor(options: RouterOptions, endpoints: ReadonlyMap<string, Endpoint>) {
  const noteForwarded = forwardedNote(options.log);
  return async (request: Request, response: Response, as: Named) => {
    const endpoint = endpoints.get(pathOf(request.url));
    if (endpoint === undefined) throw unknownPath(request, options.closed);
    refuseUnfit(request, endpoint, options.isDraining());
    const body = await readBody(request, response, endpoint.limits.maxBodyBytes, options.bodies);
    if (endpoint.demandsCertificate) noteForwarded(request);
    return { delivery: deliveryOf(request, as, body, endpoint), endpoint };
  };
}

/** Said once: whoever sends such a header can send many. */
function forwardedNote(log: Log): (request: Request) => void {
  let noted = false;
  return ({ rawHeaders }) => {
    const header = forwardedCertificate(rawHeaders);
    if (header === undefined || noted) return;
    noted = true;
    log.warn({
      outcome: 'ignored',
      why:
        `A header ${header} speaks of a client certificate. Headers are not believed, since anybody can write them: ` +
        'where a certificate is required, TLS must reach the receiver itself, with no proxy that ends it. Said once.',
    });
  };
}

/** Exact paths, compared as they came: Express would decode, and match other cases and slashes. */
function byPath(endpoints: readonly Endpoint[]): ReadonlyMap<string, Endpoint> {
  return new Map(
    endpoints.flatMap((endpoint) => pathsOf(endpoint).map((path): [string, Endpoint] => [path, endpoint])),
  );
}

/** PhenixID's `?key=` brings a slash before the `?`, and a second one when the configured URL ends with one. */
export function pathsOf({ definition: { path }, source }: Pick<Endpoint, 'definition' | 'source'>): string[] {
  return source.installations === true ? [path, `${path}/`, `${path}//`] : [path];
}

export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}

function unknownPath(request: Request, closed: RouterOptions['closed']): DeliveryRejected {
  const path = pathOf(request.url);
  if (!path.startsWith('/')) {
    return new DeliveryRejected('request_malformed', 'The request target is not a path.');
  }
  const variable = closed.get(path)?.variable;
  if (variable === undefined) return new DeliveryRejected('path_unknown', 'No endpoint has this path.');
  return new DeliveryRejected('endpoint_closed', `${variable} is not set, so this endpoint is closed.`);
}

/** @throws DeliveryRejected for what its head alone rules out */
export function refuseUnfit(
  request: Pick<Request, 'method' | 'httpVersion' | 'rawHeaders'>,
  { methods }: Pick<Endpoint, 'methods'>,
  draining: boolean,
): void {
  if (!methods.includes(request.method)) {
    throw new DeliveryRejected('method_not_allowed', `${request.method} instead of ${methods.join(' or ')}.`);
  }
  if (request.httpVersion !== '1.1' && request.httpVersion !== '1.0') {
    throw new DeliveryRejected('request_malformed', `HTTP/${request.httpVersion} instead of HTTP/1.1.`);
  }
  const hosts = countOf('host', request.rawHeaders);
  if (hosts > 1 || (hosts === 0 && request.httpVersion === '1.1')) {
    throw new DeliveryRejected('request_malformed', `${hosts} Host headers instead of one.`);
  }
  if (draining) throw new DeliveryRejected('draining', 'The receiver is shutting down.');
}

function countOf(name: string, rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const candidate = rawHeaders[at];
    if (candidate?.length === name.length && candidate.toLowerCase() === name) count += 1;
  }
  return count;
}

function deliveryOf(
  request: Request,
  { id, trace }: Named,
  body: Buffer,
  { demandsCertificate }: Endpoint,
): Delivery {
  const { method, url, rawHeaders } = request;
  const query = url.indexOf('?');
  return {
    method,
    query: query === -1 ? '' : url.slice(query + 1),
    headers: rawHeaders,
    body,
    receivedAt: Date.now(),
    request: id,
    trace,
    peerCertificate: demandsCertificate ? peerCertificateOf(request.socket) : undefined,
  };
}

/** The code for anything thrown on the way. Failed proofs are counted here, and nothing else is. */
async function codeOf(error: unknown, countFailure: () => Promise<boolean>): Promise<RejectionCode> {
  if (error instanceof InboxUnavailable) return error.code;
  if (!(error instanceof DeliveryRejected)) return 'internal_error';
  if (rejections[error.code][0] !== 401) return error.code;
  return (await countFailure()) ? 'rate_limited' : error.code;
}

function refuse(request: Request, response: Response, reply: Reply): void {
  if (response.headersSent) return;
  // Where the framing is in doubt, so is the beginning of the next request.
  const doubtful = reply.status === 400 || (hasBody(request) && !request.complete);
  if (doubtful) sendAndClose(request, response, reply);
  else sendReply(response, reply);
}

/** The constant replies to refused deliveries, built once. */
class RefusalReplies {
  readonly #byCode = new Map<RejectionCode, Reply>();
  readonly #wrongMethod = new Map<Endpoint, Reply>();

  constructor(endpoints: readonly Endpoint[]) {
    for (const code of Object.keys(rejections)) {
      // `rejections` is the very definition of the union.
      this.#byCode.set(code as RejectionCode, rejectionReply(code as RejectionCode));
    }
    for (const endpoint of endpoints) {
      const allow = ['Allow', endpoint.methods.join(', ')];
      this.#wrongMethod.set(endpoint, rejectionReply('method_not_allowed', allow));
    }
  }

  of(code: RejectionCode, endpoint: Endpoint | undefined): Reply {
    const own = code === 'method_not_allowed' && endpoint ? this.#wrongMethod.get(endpoint) : undefined;
    return own ?? this.#byCode.get(code) ?? rejectionReply(code);
  }
}

function logReceived(log: Log, received: Received, request: string, ms: number): void {
  const { outcome, entry, note } = received;
  const line = {
    source: entry.source,
    type: logged(entry.type),
    ...called(entry),
    outcome,
    seq: entry.seq,
    request,
    secret: entry.secret,
    ms,
    ...((outcome === 'failed' || note === TEST_NOTE) && whyAndWhere(note)),
  };
  if (outcome === 'failed') log.error(line);
  else log.info(line);
}

function outcomeOf({ outcome, entry: { endpoint, seq }, note }: Received, request: string) {
  return { request, outcome, endpoint, seq, why: note };
}

function refusalLine(
  error: unknown,
  code: RejectionCode,
  request: Request,
  endpoint: Endpoint | undefined,
  { id, started }: { readonly id: string; readonly started: number },
): RefusalLine {
  return {
    source: endpoint?.source.name,
    type: endpoint?.definition.type,
    path: endpoint ? endpoint.definition.path : logged(pathOf(request.url)),
    code,
    request: id,
    ms: since(started),
    why: error instanceof Error ? error.message : String(error),
  };
}
