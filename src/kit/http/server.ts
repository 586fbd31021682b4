import { createServer, IncomingMessage, ServerResponse, type RequestListener, type Server } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ipKeyGenerator } from 'express-rate-limit';
import express, { type Request, type RequestHandler, type Response } from 'express';
import { DeliveryRejected, messageOf, rejections } from '../errors.ts';
import { answerBrokenHttp, codeOfBrokenHttp, cutShortOn, UNTOLD } from './broken-http.ts';
import { breakOff, expectContinue, hasBody } from './read-body.ts';
import type { RefusalLog } from './refusal-log.ts';
import { rejectionReply, sendAndClose } from './reply.ts';
import { createTlsServer, farEndOf, type TlsIdentity } from './tls.ts';

export interface ServerOptions {
  readonly route: RequestHandler;
  readonly requestTimeoutMs: number;
  readonly maxConnections: number;
  readonly keepAliveMs: number;
  /** Speaks HTTPS with it, and nothing else; plain HTTP without. */
  readonly tls?: TlsIdentity | undefined;
  readonly refusals: RefusalLog;
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
    // Runs from the first byte of a request; of the first one from the connection on, see `createSilentKeeper`.
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
  const keepSilent = createSilentKeeper(server, options);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket instanceof Socket && keepSilent(socket)) return;
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

/**
 * Node gives a new connection the time of one request, also while nothing of it has come, and then looks at it no more until its
 * first byte. What this makes keeps such a connection as an idle one is kept, and says whether it does.
 */
function createSilentKeeper(
  server: Server,
  { requestTimeoutMs, keepAliveMs }: Pick<ServerOptions, 'requestTimeoutMs' | 'keepAliveMs'>,
): (socket: Socket) => boolean {
  const bytesOfHandshake = new WeakMap<Socket, number>();
  const isSilent = (socket: Socket) => socket.bytesRead === (bytesOfHandshake.get(socket) ?? 0);
  const kept = new Set<Socket>();
  const begin = ({ socket }: IncomingMessage) => {
    if (kept.delete(socket)) socket.setTimeout(0);
  };
  server.on('secureConnection', (socket: Socket) => bytesOfHandshake.set(socket, socket.bytesRead));
  server.on('request', begin).on('checkContinue', begin);
  // Node does not count them among the idle ones.
  const closeIdle = server.closeIdleConnections.bind(server);
  server.closeIdleConnections = () => {
    closeIdle();
    for (const socket of kept) if (isSilent(socket)) socket.destroy();
  };
  return (socket) => {
    if (keepAliveMs <= requestTimeoutMs || !server.listening || !isSilent(socket)) return false;
    kept.add(socket);
    socket.setTimeout(keepAliveMs - requestTimeoutMs).once('close', () => kept.delete(socket));
    return true;
  };
}

export type ListenerOptions = Pick<ServerOptions, 'route' | 'refusals'>;

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
export function createReceiverListener({ route, refusals }: ListenerOptions): ExpressSide {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.use(route);
  const listener: RequestListener = (request, response) => {
    // `expressMessages` makes these two what Express's typings ask for.
    app(request as Request, response as Response, (error: unknown) => {
      refuseUnrouted(request, response, error, refusals);
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
  refusals: RefusalLog,
): void {
  const from = request.socket.remoteAddress;
  if (response.headersSent) response.destroy();
  else sendAndClose(request, response, rejectionReply(error ? 'internal_error' : 'request_malformed'));
  if (error) refusals.tellDefect({ code: 'internal_error', why: messageOf(error) }, from, error);
  else refusals.tell({ code: 'request_malformed', why: 'The request target is not a path.' }, from);
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

/**
 * What is known of a connection. `silent`: nothing good so far, and no request under way. `arriving`: the same, while the
 * body of a request is on its way. `proven`: it has had a reply of 2xx. `waiting`: for the reply to a whole request.
 */
type Standing = 'silent' | 'arriving' | 'proven' | 'waiting';

interface Connection {
  readonly socket: Socket;
  readonly network: string;
  proven: boolean;
  /** `undefined`: it has ended. */
  standing: Standing | undefined;
}

/** While no more than this part of all connections are unproven, nobody floods us, and the proven count like the others. */
const FEW = 0.1;

/**
 * Keeps so many connections open at a time. For a further one, the network that has most of one standing loses its oldest
 * of them, unproven ones first: it cannot keep others out, and a delivery takes less time than all the connections of a
 * flood do. A body that never ends is no merit, so what still arrives is unproven; it counts apart, so that silence
 * does not cut it.
 */
export function limitConnections(server: Server, most: number): void {
  const open = new Map<string, Connection>();
  const connections = new WeakMap<Socket, Connection>();
  const groups = { silent: new Group(), arriving: new Group(), proven: new Group(), waiting: new Group() };

  function move(connection: Connection, to: Standing | undefined): void {
    if (connection.standing === undefined) return;
    groups[connection.standing].delete(connection);
    connection.standing = to;
    if (to !== undefined) groups[to].add(connection);
  }

  function makeRoom(): void {
    const { silent, arriving, proven, waiting } = groups;
    const isFlood = silent.size + arriving.size > most * FEW;
    const oldest =
      oldestOfMost(isFlood ? [silent, arriving] : [silent, arriving, proven]) ?? oldestOfMost([waiting]);
    if (oldest === undefined) return;
    move(oldest, undefined);
    oldest.socket.destroy();
  }

  server.on('connection', (socket: Socket) => {
    const { silent, arriving, proven, waiting } = groups;
    if (silent.size + arriving.size + proven.size + waiting.size >= most) makeRoom();
    const network = ipKeyGenerator(socket.remoteAddress ?? '');
    const connection: Connection = { socket, network, proven: false, standing: 'silent' };
    silent.add(connection);
    const end = farEndOf(socket);
    open.set(end, connection);
    connections.set(socket, connection);
    socket.once('close', () => {
      move(connection, undefined);
      if (open.get(end) === connection) open.delete(end);
    });
  });
  // With TLS the socket of a request is another than that of its connection.
  server.on('secureConnection', (socket: Socket) => {
    const connection = open.get(farEndOf(socket));
    if (connection !== undefined) connections.set(socket, connection);
  });
  const begin = (request: IncomingMessage, response: ServerResponse) => {
    const connection = connections.get(request.socket);
    if (connection === undefined) return;
    move(connection, hasBody(request) && !connection.proven ? 'arriving' : 'waiting');
    request.once('end', () => {
      if (connection.standing === 'arriving') move(connection, 'waiting');
    });
    response.once('close', () => {
      connection.proven ||= response.statusCode >= 200 && response.statusCode < 300;
      move(connection, connection.proven ? 'proven' : 'silent');
    });
  };
  server.on('request', begin).on('checkContinue', begin);
}

/** Connections of one standing, by network, in the order in which they came to it. */
class Group {
  readonly #byNetwork = new Map<string, Set<Connection>>();
  size = 0;

  add(connection: Connection): void {
    const { network } = connection;
    const those = this.#byNetwork.get(network) ?? new Set();
    this.#byNetwork.set(network, those.add(connection));
    this.size += 1;
  }

  delete(connection: Connection): void {
    const those = this.#byNetwork.get(connection.network);
    if (those?.delete(connection) !== true) return;
    this.size -= 1;
    if (those.size === 0) this.#byNetwork.delete(connection.network);
  }

  networks(): Iterable<ReadonlySet<Connection>> {
    return this.#byNetwork.values();
  }
}

function oldestOfMost(groups: readonly Group[]): Connection | undefined {
  let most: ReadonlySet<Connection> = new Set();
  for (const group of groups) for (const those of group.networks()) if (those.size > most.size) most = those;
  return most.values().next().value;
}
