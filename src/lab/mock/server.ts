import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Response } from 'express';
import helmet from 'helmet';
import { messageOf } from '../../kit/errors.ts';
import { listingOf, listingText } from './listing.ts';
import { readOrder, sendAsked } from './order.ts';
import type { Platform } from './platforms/platform.ts';
import { listenerOf, type ServeOptions } from './platforms/serve.ts';
import { excerptOf } from './report.ts';
import type { Run } from './run.ts';
import type { Fired, Sender } from './sender.ts';
import { printableJson } from '../../kit/log.ts';
import { pick, UsageError } from '../usage.ts';

export interface MockAppOptions extends ServeOptions {
  /** Of the receiver, so that its handlers call the APIs here. */
  readonly variables?: Readonly<Record<string, string>>;
}

/**
 * The mock as a program that keeps running, sends on request, and has the products' own APIs below their names. To be
 * listened to on loopback only.
 */
export function createMockApp(
  senders: readonly Sender[],
  platforms: readonly Platform[] = [],
  { variables = {}, ...serving }: MockAppOptions = {},
): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(helmet(), refuseForeigners);
  app.get('/', (request, response) => {
    const listings = senders.map(({ source }) => ({
      ...listingOf(source),
      admin: platforms.find(({ name }) => name === source.name)?.admin ?? [],
    }));
    if (request.accepts(['text', 'json']) === 'json') response.json(listings);
    else response.type('text').send(overviewText(senders, platforms, request.headers.host ?? ''));
  });
  app.get('/env', (_request, response) => {
    const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
    response.type('text').send(lines.join(''));
  });
  app.post(
    '/send/:source/:type',
    demandJson,
    express.json({ limit: '2mb', strict: true }),
    async (request: Request<{ source: string; type: string }>, response) => {
      const { source, type } = request.params;
      sendJson(response, shown(await sendAsked(senderOf(senders, source), type, readOrder(request.body))));
    },
  );
  for (const platform of platforms) app.use(`/${platform.name}`, listenerOf(platform, serving));
  app.use(answerUnknown, answerError);
  return app;
}

/** A line for a shell that has an event sent. */
export function sendingLine([first]: readonly Sender[], host: string): string {
  const source = first?.source.name ?? 'source';
  const type = Object.keys(first?.source.events ?? {})[0] ?? 'Event';
  return `curl -H 'Content-Type: application/json' -d '{}' http://${host}/send/${source}/${type}`;
}

/** How to use it, with a line to try. */
function overviewText(senders: readonly Sender[], platforms: readonly Platform[], host: string): string {
  return [
    'Try:',
    '',
    `  ${sendingLine(senders, host)}`,
    '',
    'The JSON may have: payload (instead of the example), set ({"a.b": value}), switches ({"name": "choice"}),',
    'add (for members that the event does not have), fault, count, concurrency.',
    '',
    ...(platforms.length === 0
      ? []
      : ["What people do in the products' own pages, and what the mocks can be asked:", '']),
    ...platforms.flatMap(({ admin }) => [...admin.map((address) => `  ${address}`), '']),
    ...senders.map((sender) => listingText(listingOf(sender.source))),
  ].join('\n');
}

/**
 * A page in the developer's browser must not send in his name: neither across origins, nor by a name of its own that it
 * lets resolve to this machine.
 */
const refuseForeigners: RequestHandler = (request, response, next) => {
  const own = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${request.socket.localPort ?? ''}`);
  const { host = '', origin } = request.headers;
  const ownOrigin = origin === undefined || own.some((name) => origin === `http://${name}`);
  if (own.includes(host) && ownOrigin) next();
  else response.status(403).json({ error: `This mock answers this machine only, at http://${own[0] ?? ''}` });
};

/** No web page can send this type to another origin without asking first. */
const demandJson: RequestHandler = (request, response, next) => {
  if (request.is('application/json')) next();
  else response.status(415).json({ error: 'Send JSON, with Content-Type: application/json; {} is enough.' });
};

function senderOf(senders: readonly Sender[], source: string): Sender {
  return pick(
    'source',
    source,
    senders.map((sender) => [sender.source.name, sender]),
  );
}

function shown(sent: Fired | Run): unknown {
  if (!('reply' in sent)) return sent;
  const { reply } = sent;
  return { ...sent, reply: reply && { status: reply.status, ms: reply.ms, body: excerptOf(reply) } };
}

/** For a terminal: a receiver's words are in it. */
function sendJson(response: Response, value: unknown): void {
  response.type('json').send(printableJson(JSON.stringify(value)));
}

const answerUnknown: RequestHandler = (_request, response) => {
  response.status(404).json({ error: 'GET / says what there is.' });
};

const answerError: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (response.headersSent) next(error);
  else if (error instanceof UsageError) sendJson(response.status(400), { error: error.message });
  else if (isUnreadable(error)) response.status(400).json({ error: 'The body is not JSON of at most 2 MB.' });
  else sendJson(response.status(500), { error: messageOf(error) });
};

/** Express's parser marks its errors with the status of a client's mistake. */
function isUnreadable(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'status' in error && Number(error.status) < 500;
}
