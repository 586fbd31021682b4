import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Response } from 'express';
import helmet from 'helmet';
import type { Effects } from '../../src/lab/conformance/stage.ts';
import { HttpError, membersOf, prove } from './express-proof.ts';
import type { Credentials } from './parts.ts';
import { closed, type Running } from './receiver.ts';
import { listenOn } from '../../src/lab/rig/ports.ts';

// A correct receiver as one would write it today: Express, helmet and jose, and what each of them leaves to their user.

const MOST_BYTES = 1_048_576;
const OF_PHENIXID = 16_384;
const LINGER_MS = 500;
const REFUSED = '{"ok":false}';

/** Starts it; events are kept in memory. */
export async function startExpress(credentials: Credentials): Promise<Running> {
  const happened: Happened = { effects: [], quarantined: [], seen: new Set(), newest: new Map() };
  const app = createApp(credentials, happened);
  const server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000 }, app);
  const port = await listenOn(server);
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    effects: async () => ({ effects: happened.effects, quarantined: happened.quarantined }),
    stop: () => closed(server),
  };
}

interface Happened {
  readonly effects: Effects['effects'][number][];
  readonly quarantined: Effects['effects'][number][];
  readonly seen: Set<string>;
  /** The highest revision of each document. */
  readonly newest: Map<string, number>;
}

function createApp(credentials: Credentials, happened: Happened): express.Express {
  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.enable('case sensitive routing').enable('strict routing');
  app.use(helmet(), fit);
  for (const [path, credential] of credentials) {
    const paths = path === '/phenixid' ? [path, `${path}/`, `${path}//`] : [path];
    app.all(paths, onlyBy(methodsOf(path)), async (request, response) => {
      const body = await bodyOf(request, path === '/phenixid' ? OF_PHENIXID : MOST_BYTES);
      const content = await prove(request, body, path, credential);
      keep(content, path, happened);
      reply(response, path);
    });
  }
  app.use((_request, response) => {
    response.status(404).end();
  });
  app.use(onError);
  return app;
}

/** What Node lets pass and no sender of ours does. */
const fit: RequestHandler = (request, _response, next) => {
  const hosts = request.rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host');
  const coding = request.get('transfer-encoding') ?? 'chunked';
  if (hosts.length > 1 || coding.toLowerCase() !== 'chunked') throw new HttpError(400);
  if (!/^(?:identity)?$/i.test(request.get('content-encoding') ?? '')) throw new HttpError(415);
  next();
};

function methodsOf(path: string): readonly string[] {
  return path.startsWith('/hotdocs/') && path !== '/hotdocs/ActionLink' ? ['POST', 'GET', 'PUT'] : ['POST'];
}

function onlyBy(methods: readonly string[]): RequestHandler {
  return (request, response, next) => {
    if (methods.includes(request.method)) next();
    else response.status(405).set('Allow', methods.join(', ')).end();
  };
}

/** express.raw would undo encodings, skip a body without Content-Type and hold its 413 back until all has come. */
function bodyOf(request: Request, most: number): Promise<Buffer> {
  if (Number(request.get('content-length') ?? 0) > most) throw new HttpError(413);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > most) reject(new HttpError(413));
      else chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
  });
}

/** Accepted in any case; what cannot be read or is not known waits for a human. */
function keep(content: Buffer, path: string, { effects, quarantined, seen, newest }: Happened): void {
  const [, source, served] = path.split('/');
  const members = readable(content);
  const text = (name: string) => (typeof members?.[name] === 'string' ? members[name] : '');
  const ref =
    text('eventId') || text('webhook_request_id') || text('taskId') || text('orderId') || text('workItemId');
  // HotDocs has two names for one event.
  const type = text('eventType').replace('LoadInterviewEvent', 'InterviewLoadEvent') || (served ?? '?');
  const known = served === undefined ? /^Order[A-Z]\w+$/.test(type) : type === served;
  if (members === undefined || !known) {
    quarantined.push({ type, ref });
    return;
  }
  // Notifications of PhenixID and clicks on an action link have no id, and are never duplicates.
  const key = source === 'phenixid' || type === 'ActionLink' ? randomUUID() : `${path} ${ref}`;
  const document = `${path} ${text('id')}`;
  const revision = Number(/^\d+(?=-)/.exec(text('rev'))?.[0] ?? Infinity);
  if (seen.has(key) || revision < (newest.get(document) ?? 0)) return;
  seen.add(key);
  if (revision < Infinity) newest.set(document, revision);
  effects.push({ type, ref });
}

function readable(content: Buffer): Record<string, unknown> | undefined {
  try {
    return membersOf(content);
  } catch {
    return undefined;
  }
}

function reply(response: Response, path: string): void {
  response.set('Cache-Control', 'no-store');
  if (path === '/hotdocs/ActionLink') response.type('html').send('<!doctype html><title>Done</title>');
  else if (path.startsWith('/hotdocs/')) response.json({});
  else response.json({ ok: true });
}

/** In place of Express's own page, which shows a stack. */
const onError: ErrorRequestHandler = (error: unknown, request, response, next) => {
  if (response.headersSent) {
    next(error);
    return;
  }
  const status = error instanceof HttpError ? error.status : 500;
  if (status === 401) response.set('WWW-Authenticate', 'Signature');
  response.status(status).type('json');
  if (request.complete) {
    response.send(REFUSED);
    return;
  }
  // Whoever is still sending would lose the reply if the connection ended under it.
  response.set({ Connection: 'close', 'Content-Length': String(REFUSED.length) }).write(REFUSED);
  setTimeout(() => response.end(), LINGER_MS).unref();
  request.resume();
};
