import {
  createServer,
  IncomingMessage,
  ServerResponse,
  STATUS_CODES,
  type RequestListener,
  type Server,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import express, { type Request, type RequestHandler, type Response } from 'express';
import { DeliveryRejected, rejections, type RejectionCode } from '../errors.ts';
import type { Log } from '../log.ts';
import { limitConnections } from './connections.ts';
import { breakOff, expectContinue } from './read-body.ts';
import type { RefusalLog } from './refusal-log.ts';
import { rejectionReply, sendAndClose, type Reply } from './reply.ts';
import { createTlsServer, type TlsIdentity } from './tls.ts';

export interface ServerOptions {
  readonly route: RequestHandler;
  readonly requestTimeoutMs: number;
  readonly maxConnections: number;
  readonly keepAliveMs: number;
  /** Speaks HTTPS with it, and nothing else; plain HTTP without. */
  readonly tls?: TlsIdentity | undefined;
  readonly refusals: RefusalLog;
  readonly log: Log;
}

/** HotDocs may send its token in the query of a GET, so targets of 16 KB must pass (HD-8). */
export const MAX_HEADER_BYTES = 32 * 1024;

/** The HTTP server: Express around one route, and constant answers to what is not HTTP enough to get there. */
export function createReceiverServer(options: ServerOptions): Server {
  const { refusals } = options;
  const { listener, messages } = createReceiverListener(options);
  const inTurn = queueRequests(refusals);
  const app = inTurn(listener);
  const http = {
    ...messages,
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: options.requestTimeoutMs,
    // Runs from the first byte of a request, so an idle connection may be kept for longer.
    headersTimeout: options.requestTimeoutMs,
    keepAliveTimeout: options.keepAliveMs,
    connectionsCheckingInterval: Math.ceil(Math.min(1000, options.requestTimeoutMs / 4)),
    // The router asks for one: Node would answer without a body.
    requireHostHeader: false,
  };
  const server: Server = options.tls ? createTlsServer(options.tls, http, refusals) : createServer(http);
  limitConnections(server, options.maxConnections);
  server.on('request', app);
  // The body is asked for only once it is known to be wanted.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    expectContinue(request);
    app(request, response);
  });
  const refuseExpectation = inTurn((request, response) => {
    sendAndClose(request, response, rejectionReply('expectation_unknown'));
    const why = rejections.expectation_unknown[1];
    refusals.tell({ code: 'expectation_unknown', why }, request.socket.remoteAddress);
  });
  server.on('checkExpectation', refuseExpectation);
  server.on('connect', ({ socket: { remoteAddress } }, socket) => {
    // Node has let go of this socket: an error that nobody listens to would end the process.
    socket.on('error', () => undefined);
    answerBrokenHttp(socket, 'request_malformed');
    const why = 'CONNECT: this is no proxy.';
    refusals.tell({ code: 'request_malformed', why }, remoteAddress);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const code = codeOfBrokenHttp(error);
    const why = error.code ?? error.message;
    const { remoteAddress } = socket as Duplex & Pick<Socket, 'remoteAddress'>; // it is of TCP
    // Whatever follows on a connection that we have ended breaks the same request again.
    const answered = socket.writableEnded;
    // A request that is cut short has a line of its own.
    const cutShort = cutShortOn(socket);
    if (cutShort !== undefined) breakOff(cutShort, new DeliveryRejected(code, why));
    answerBrokenHttp(socket, code);
    if (cutShort === undefined && !answered && !UNTOLD.includes(error.code))
      refusals.tell({ code, why }, remoteAddress);
  });
  return server;
}

export type ListenerOptions = Pick<ServerOptions, 'route' | 'refusals' | 'log'>;

/** Express around one route. */
interface ExpressSide {
  readonly listener: RequestListener;
  /** What the server is to make its requests and responses from. */
  readonly messages: {
    readonly IncomingMessage: typeof IncomingMessage;
    readonly ServerResponse: typeof ServerResponse;
  };
}

/** What any HTTP server can hand its requests to. */
export function createReceiverListener({ route, refusals, log }: ListenerOptions): ExpressSide {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.use(route);
  const listener: RequestListener = (request, response) => {
    // `expressMessages` makes these two what Express's typings ask for.
    app(request as Request, response as Response, (error: unknown) => {
      refuseUnrouted(request, response, error, { refusals, log });
    });
  };
  return { listener, messages: expressMessages(app) };
}

/**
 * Requests and responses that are Express's from birth. Express otherwise changes the prototype of each one that comes,
 * which makes every later look at it slow: a fifth of the throughput.
 */
function expressMessages(app: express.Express): ExpressSide['messages'] {
  class ExpressRequest extends IncomingMessage {}
  class ExpressResponse extends ServerResponse {}
  Object.setPrototypeOf(ExpressRequest.prototype, app.request);
  Object.setPrototypeOf(ExpressResponse.prototype, app.response);
  // Each now inherits from what it stands in for.
  app.request = ExpressRequest.prototype as Request;
  app.response = ExpressResponse.prototype as unknown as Response;
  // The typings let a response be made for any subclass of a request; the server makes it for the one given here.
  return { IncomingMessage: ExpressRequest, ServerResponse: ExpressResponse as typeof ServerResponse };
}

/** In place of Express's own page, which shows target and stack. It finds no path in targets like `http://?`. */
function refuseUnrouted(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  { refusals, log }: Pick<ListenerOptions, 'refusals' | 'log'>,
): void {
  const from = request.socket.remoteAddress;
  const code = error ? 'internal_error' : 'request_malformed';
  if (response.headersSent) response.destroy();
  else sendAndClose(request, response, rejectionReply(code));
  if (error) log.error({ outcome: 'rejected', code, err: error });
  else refusals.tell({ code, why: 'The request target is not a path.' }, from);
}

/** No sender sends a request before it has the reply to the last one; so many are waited with all the same. */
const MAX_WAITING = 16;

/**
 * The requests of a connection one after the other: behind one that ends it, none may be acted upon (RFC 9112, 9.6).
 * Node stops reading only when replies pile up, and there is none to a request that waits. So it is we who end a
 * connection on which too many do.
 */
function queueRequests(refusals: RefusalLog): (listener: RequestListener) => RequestListener {
  const waiting = new WeakMap<Socket, number>();

  function wait(socket: Socket, change: 1 | -1): number {
    const count = (waiting.get(socket) ?? 0) + change;
    waiting.set(socket, count);
    return count;
  }

  return (listener) => (request, response) => {
    const { socket } = request;
    const { remoteAddress } = socket;
    // Node reads ahead, but gives a response its socket only when its turn has come, and then says so.
    if (response.socket !== null) {
      listener(request, response);
      return;
    }
    // What has been read together with the request that was one too many.
    if (socket.destroyed) return;
    if (wait(socket, 1) > MAX_WAITING) {
      socket.destroy();
      const why = `More than ${MAX_WAITING} requests on one connection without waiting for replies.`;
      refusals.tell({ code: 'request_malformed', why }, remoteAddress);
      return;
    }
    response.once('socket', () => {
      wait(socket, -1);
      listener(request, response);
    });
  };
}

/** Whoever resets a connection may have had every reply, and behind a request that ends its connection nothing is read. */
const UNTOLD: readonly (string | undefined)[] = ['ECONNRESET', 'HPE_CLOSED_CONNECTION'];

function codeOfBrokenHttp({ code }: NodeJS.ErrnoException): RejectionCode {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'body_late';
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 'body_too_large';
  return 'request_malformed';
}

function answerBrokenHttp(socket: Duplex, code: RejectionCode): void {
  const response = responseOn(socket);
  // A second reply in the middle of a first would be read as part of it.
  if (!socket.writable || response?.headersSent === true) socket.destroy();
  // What is broken came behind a whole request: that one gets its own reply, and the connection ends with it.
  else if (response?.req.complete === true) response.shouldKeepAlive = false;
  else
    socket.end(onTheWire(rejectionReply(code)), () => {
      socket.destroy();
    });
}

/** The request that has reached the route, and has not come to its end. */
function cutShortOn(socket: Duplex): IncomingMessage | undefined {
  const request = responseOn(socket)?.req;
  return request?.complete === false ? request : undefined;
}

/** The response that a connection is busy with. Node keeps it on the socket, and has no public name for it. */
function responseOn(socket: Duplex): ServerResponse | null | undefined {
  return (socket as { _httpMessage?: ServerResponse | null })._httpMessage;
}

function onTheWire({ status, headers, body }: Reply): string {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, 'Connection: close'];
  for (let at = 0; at + 1 < headers.length; at += 2)
    lines.push(`${headers[at] ?? ''}: ${headers[at + 1] ?? ''}`);
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
