import {
  createServer,
  IncomingMessage,
  ServerResponse,
  STATUS_CODES,
  type RequestListener,
  type Server,
} from 'node:http';
import type { Duplex } from 'node:stream';
import express, { type Request, type RequestHandler, type Response } from 'express';
import { rejections, type RejectionCode } from '../errors.ts';
import type { Log } from '../log.ts';
import { expectContinue } from './read-body.ts';
import { rejectionReply, sendAndClose, type Reply } from './reply.ts';
import { createTlsServer, type TlsIdentity } from './tls.ts';

export interface ServerOptions {
  readonly route: RequestHandler;
  readonly requestTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly trustProxyHops: number;
  /** Speaks HTTPS with it, and nothing else; plain HTTP without. */
  readonly tls?: TlsIdentity | undefined;
  readonly log: Log;
}

/** HotDocs may send its token in the query of a GET, so targets of 16 KB must pass (HD-8). */
export const MAX_HEADER_BYTES = 32 * 1024;

/** The HTTP server: Express around one route, and constant answers to what is not HTTP enough to get there. */
export function createReceiverServer(options: ServerOptions): Server {
  const { listener, messages } = createReceiverListener(options);
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
  const server: Server = options.tls ? createTlsServer(options.tls, http, options.log) : createServer(http);
  server.on('request', app);
  // The body is asked for only once it is known to be wanted.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    expectContinue(request);
    app(request, response);
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    sendAndClose(request, response, rejectionReply('expectation_unknown'));
    const why = rejections.expectation_unknown[1];
    options.log.warn({ outcome: 'rejected', code: 'expectation_unknown', why });
  });
  server.on('connect', (_request, socket) => {
    // Node has let go of this socket: an error that nobody listens to would end the process.
    socket.on('error', () => undefined);
    answerBrokenHttp(socket, 'request_malformed');
    options.log.warn({ outcome: 'rejected', code: 'request_malformed', why: 'CONNECT: this is no proxy.' });
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const code = codeOfBrokenHttp(error);
    // Whatever follows on a connection that we have ended breaks the same request again.
    const answered = socket.writableEnded;
    answerBrokenHttp(socket, code);
    // Whoever resets a connection may have had every reply; a request that this cuts short has a line of its own.
    if (!answered && error.code !== 'ECONNRESET')
      options.log.warn({ outcome: 'rejected', code, why: error.code ?? error.message });
  });
  return server;
}

export type ListenerOptions = Pick<ServerOptions, 'route' | 'trustProxyHops' | 'log'>;

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
export function createReceiverListener({ route, trustProxyHops, log }: ListenerOptions): ExpressSide {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.set('trust proxy', trustProxyHops);
  app.use(route);
  const listener: RequestListener = (request, response) => {
    // `expressMessages` makes these two what Express's typings ask for.
    app(request as Request, response as Response, (error: unknown) => {
      refuseUnrouted(request, response, error, log);
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
function refuseUnrouted(request: IncomingMessage, response: ServerResponse, error: unknown, log: Log): void {
  const code = error ? 'internal_error' : 'request_malformed';
  if (response.headersSent) response.destroy();
  else sendAndClose(request, response, rejectionReply(code));
  if (error) log.error({ outcome: 'rejected', code, err: error });
  else log.warn({ outcome: 'rejected', code, why: 'The request target is not a path.' });
}

/** The requests of a connection one after the other: behind one that ends it, none may be acted upon (RFC 9112, 9.6). */
function inTurn(listener: RequestListener): RequestListener {
  return (request, response) => {
    // Node reads ahead, but gives a response its socket only when its turn has come, and then says so.
    if (response.socket !== null) listener(request, response);
    else
      response.once('socket', () => {
        listener(request, response);
      });
  };
}

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
