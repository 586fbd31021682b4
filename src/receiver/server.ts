import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import express, { type RequestHandler } from 'express';
import type { RejectionCode } from '../errors.ts';
import type { Log } from '../log.ts';
import { rejectionReply, sendAndClose, type Reply } from './reply.ts';

export interface ServerOptions {
  readonly route: RequestHandler;
  readonly requestTimeoutMs: number;
  readonly trustProxyHops: number;
  readonly log: Log;
}

/** HotDocs may send its token in the query of a GET, so targets of 16 KB must pass (hotdocs-advance sheet, 8.1 row 31). */
const MAX_HEADER_BYTES = 32 * 1024;

/** The HTTP server: Express around one route, and constant answers to what is not HTTP enough to get there. */
export function createReceiverServer(options: ServerOptions): Server {
  const app = createExpress(options);
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: options.requestTimeoutMs,
    headersTimeout: options.requestTimeoutMs,
    connectionsCheckingInterval: Math.ceil(Math.min(1000, options.requestTimeoutMs / 4)),
    requireHostHeader: true,
  });
  server.on('request', app);
  // The body is asked for only once it is known to be wanted.
  server.on('checkContinue', app);
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    sendAndClose(request, response, rejectionReply('expectation_unknown'));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const code = codeOfBrokenHttp(error);
    answerBrokenHttp(socket, code);
    options.log.warn({ outcome: 'rejected', code, why: error.code ?? error.message });
  });
  return server;
}

function createExpress({ route, trustProxyHops }: ServerOptions): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.set('trust proxy', trustProxyHops);
  app.use(route);
  return app;
}

function codeOfBrokenHttp({ code }: NodeJS.ErrnoException): RejectionCode {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'body_late';
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 'body_too_large';
  return 'request_malformed';
}

function answerBrokenHttp(socket: Duplex, code: RejectionCode): void {
  if (!socket.writable || replyBegun(socket)) socket.destroy();
  else
    socket.end(onTheWire(rejectionReply(code)), () => {
      socket.destroy();
    });
}

/** A second reply in the middle of a first would be read as part of it. */
function replyBegun(socket: Duplex): boolean {
  // Node keeps the response it is sending on the socket, and has no public name for it.
  const { _httpMessage: response } = socket as { _httpMessage?: ServerResponse | null };
  return response?.headersSent === true;
}

function onTheWire({ status, headers, body }: Reply): Buffer {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, 'Connection: close'];
  for (let at = 0; at + 1 < headers.length; at += 2)
    lines.push(`${headers[at] ?? ''}: ${headers[at + 1] ?? ''}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]);
}
