import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Effects } from '../../src/lab/conformance/stage.ts';
import { effectsOf, Journal } from './journal.ts';
import { queryOf } from './http.ts';
import type { Credentials, Parts, Reply } from './parts.ts';

/** A receiver that has been started, on a port of its own. */
export interface Running {
  readonly url: URL;
  /** What became of accepted events, where a receiver tells it. */
  readonly effects?: () => Promise<Effects>;
  /** Ends when it is asked to, and starts again at the same address. */
  readonly terminate?: () => Promise<void>;
  /** Where it is asked how it is. */
  readonly health?: URL;
  /** Loses what is in memory only, and starts again at the same address. */
  readonly restart?: () => Promise<void>;
  stop(): Promise<void>;
}

/** Puts a receiver together. */
export function createReceiver(parts: Parts): (credentials: Credentials) => Promise<Running> {
  return async (credentials) => {
    const folder = mkdtempSync(join(tmpdir(), 'receiver-'));
    const open = () => new Journal(join(folder, 'journal'));
    let journal = open();
    let server = await listen(parts, credentials, journal, 0);
    const port = portOf(server);
    const halt = async () => {
      await closed(server);
      journal.close();
    };
    return {
      url: new URL(`${parts.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`),
      effects: async () => effectsOf(journal),
      restart: async () => {
        await halt();
        journal = open();
        server = await listen(parts, credentials, journal, port);
      },
      async stop() {
        await halt();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  };
}

async function listen(
  parts: Parts,
  credentials: Credentials,
  journal: Journal,
  port: number,
): Promise<Server> {
  const listener = inTurn(parts.mostWaiting, (request, response) => {
    void handle(request, response, parts, credentials, journal);
  });
  const server: Server =
    parts.tls === undefined
      ? createServer(parts.http, listener)
      : createSecureServer({ ...parts.http, ...parts.tls }, listener);
  parts.prepare(server);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: Pick<Server, 'address'>): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return address.port;
}

export async function closed(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  if (server.listening) await once(server, 'close');
}

/** Behind a request that ends its connection none is acted upon; Node gives a response its socket when its turn comes. */
function inTurn(mostWaiting: number, listener: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, number>();
  return (request, response) => {
    const { socket } = request;
    const count = (waiting.get(socket) ?? 0) + 1;
    if (response.socket !== null) listener(request, response);
    else if (count > mostWaiting) socket.destroy();
    else {
      waiting.set(socket, count);
      response.once('socket', () => {
        waiting.set(socket, (waiting.get(socket) ?? 0) - 1);
        listener(request, response);
      });
    }
  };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  parts: Parts,
  credentials: Credentials,
  journal: Journal,
): Promise<void> {
  let reply: Reply;
  try {
    reply = await receive(request, response, parts, credentials, journal);
  } catch (thrown) {
    reply = parts.refuse(thrown, request);
  }
  write(parts.finish(reply, request), request, response);
}

async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  parts: Parts,
  credentials: Credentials,
  journal: Journal,
): Promise<Reply> {
  const route = parts.route(request, credentials);
  if (route.source === 'phenixid') parts.checkKey(queryOf(request), route.credential);
  const body = await parts.readBody(request, response, route);
  const { method = '', headers, rawHeaders } = request;
  const delivery = { route, method, query: queryOf(request), headers, rawHeaders, body };
  const content = parts.prove(delivery, parts);
  const event = parts.read(content, delivery);
  await parts.store(event, journal);
  return parts.answer(event, delivery);
}

const LINGER_MS = 1_000;

/** Whoever is still sending is listened to for a moment, so that the reply is not lost in a reset. */
function write({ status, headers, body }: Reply, request: IncomingMessage, response: ServerResponse): void {
  const length = { 'Content-Length': Buffer.byteLength(body) };
  if (request.complete) {
    response.writeHead(status, { ...headers, ...length }).end(request.method === 'HEAD' ? '' : body);
    return;
  }
  response.writeHead(status, { ...headers, ...length, Connection: 'close' }).write(body);
  const end = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  request.once('end', end).once('close', end).resume();
}
