import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import express, { type ErrorRequestHandler } from 'express';
import fastify from 'fastify';
import { compactVerify } from 'jose';
import { listenOn } from '../../src/lab/rig/ports.ts';
import type { Effect } from '../../src/lab/conformance/stage.ts';
import type { Credential, Credentials } from './parts.ts';
import { closed, type Running } from './receiver.ts';

// Correct receivers as a good engineer writes them who has never heard of the suite: a framework as it comes, a library for
// the tokens, and nothing against what the framework lets through.

const MOST_BYTES = 1_100_000;

interface Came {
  readonly path: string;
  readonly method: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** On Express, with its own parser and router. */
export async function startNaturalExpress(credentials: Credentials): Promise<Running> {
  const kept = new Kept();
  const app = express();
  app.disable('x-powered-by');
  app.use(express.raw({ type: () => true, limit: MOST_BYTES }));
  for (const [path, credential] of credentials) {
    app.all(path, async (request, response) => {
      if (!methodsOf(path).includes(request.method)) {
        response.status(405).set('Allow', methodsOf(path).join(', ')).end();
        return;
      }
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const [, query = ''] = request.url.split('?');
      const content = await provenIn(
        { path, method: request.method, query, headers: request.headers, body },
        credential,
      );
      if (content === undefined) {
        response.status(401).set('WWW-Authenticate', 'Signature').json({ ok: false });
        return;
      }
      kept.take(path, content);
      const [type, text] = answerTo(path);
      response.type(type).send(text);
    });
  }
  const onError: ErrorRequestHandler = (error: { status?: number }, _request, response, _next) => {
    response.status(error.status ?? 500).json({ ok: false });
  };
  app.use(onError);
  const server = createServer({ maxHeaderSize: 32_768 }, app);
  const port = await listenOn(server);
  return { url: new URL(`http://127.0.0.1:${port}`), effects: async () => kept, stop: () => closed(server) };
}

/** On Fastify, with its own parser and router. */
export async function startNaturalFastify(credentials: Credentials): Promise<Running> {
  const kept = new Kept();
  const app = fastify({ bodyLimit: MOST_BYTES, maxParamLength: 10_000, http: { maxHeaderSize: 32_768 } });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler(async (error: { statusCode?: number }, _request, reply) => {
    await reply.status(error.statusCode ?? 500).send({ ok: false });
  });
  for (const [path, credential] of credentials) {
    app.route({
      url: path,
      method: [...methodsOf(path)],
      async handler({ url, method, headers, body }, reply) {
        const [, query = ''] = url.split('?');
        const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
        const content = await provenIn({ path, method, query, headers, body: bytes }, credential);
        if (content === undefined)
          return reply.status(401).header('WWW-Authenticate', 'Signature').send({ ok: false });
        kept.take(path, content);
        const [type, text] = answerTo(path);
        return reply.type(type).send(text);
      },
    });
  }
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  return { url: new URL(url), effects: async () => kept, stop: () => app.close() };
}

function methodsOf(path: string): readonly string[] {
  return path.startsWith('/hotdocs/') && path !== '/hotdocs/ActionLink' ? ['POST', 'GET', 'PUT'] : ['POST'];
}

function answerTo(path: string): readonly [type: string, text: string] {
  if (path === '/hotdocs/ActionLink') return ['text/html', '<!doctype html><title>Done</title>'];
  return ['application/json', path.startsWith('/hotdocs/') ? '{}' : '{"ok":true}'];
}

/** What is proven; nothing where it is not. */
async function provenIn(
  { path, method, query, headers, body }: Came,
  credential: Credential,
): Promise<Buffer | undefined> {
  if (path === '/phenixid') {
    const given = String(headers['x-signature'] ?? '');
    const right = createHmac('sha256', credential.text).update(body).digest();
    const bytes = Buffer.from(given, given.length === 64 ? 'hex' : 'base64');
    return bytes.length === right.length && timingSafeEqual(bytes, right) ? body : undefined;
  }
  const carried = method === 'GET' ? query : body.toString();
  const token = path.startsWith('/risr/')
    ? body.toString().trim()
    : new URLSearchParams(carried).get('token');
  try {
    const key = new TextEncoder().encode(credential.text);
    const { payload } = await compactVerify(token ?? '', key, { algorithms: ['HS256'] });
    return path.startsWith('/risr/') || isInTime(Buffer.from(payload)) ? Buffer.from(payload) : undefined;
  } catch {
    return undefined;
  }
}

const TOLERANCE_S = 300;

function isInTime(payload: Buffer): boolean {
  const { exp, nbf } = membersOf(payload) ?? {};
  const now = Date.now() / 1_000;
  return (
    (exp === undefined || (typeof exp === 'number' && exp + TOLERANCE_S > now)) &&
    (nbf === undefined || (typeof nbf === 'number' && nbf - TOLERANCE_S < now))
  );
}

function membersOf(content: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(content.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** In memory: every event once, no state of a document after a newer one, and what cannot be read put aside. */
class Kept {
  readonly effects: Effect[] = [];
  readonly quarantined: Effect[] = [];
  readonly #seen = new Set<string>();
  readonly #newest = new Map<string, number>();

  take(path: string, content: Buffer): void {
    const members = membersOf(content);
    const text = (name: string) => (typeof members?.[name] === 'string' ? members[name] : '');
    const [, source, served] = path.split('/');
    const type = text('eventType') || (served ?? '?');
    const ref =
      text('eventId') ||
      text('webhook_request_id') ||
      text('taskId') ||
      text('orderId') ||
      text('workItemId');
    const isKnown = served === undefined ? /^Order[A-Z]\w+$/.test(type) : type === served;
    if (members === undefined || !isKnown) {
      this.quarantined.push({ type, ref });
      return;
    }
    const key = source === 'phenixid' || type === 'ActionLink' ? randomUUID() : `${path} ${ref}`;
    const document = `${path} ${text('id')}`;
    const revision = Number(/^\d+(?=-)/.exec(text('rev'))?.[0] ?? Infinity);
    if (this.#seen.has(key) || revision < (this.#newest.get(document) ?? 0)) return;
    this.#seen.add(key);
    if (revision < Infinity) this.#newest.set(document, revision);
    this.effects.push({ type, ref });
  }
}
