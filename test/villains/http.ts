import type { IncomingMessage, ServerOptions, ServerResponse } from 'node:http';
import { valuesOf } from './proof.ts';
import {
  Refusal,
  type Credential,
  type Credentials,
  type Reply,
  type Route,
  type SourceName,
} from './parts.ts';

export const http: ServerOptions = {
  maxHeaderSize: 32_768,
  requestTimeout: 5_000,
  headersTimeout: 5_000,
  connectionsCheckingInterval: 500,
};

/** Paths exactly as they are, with the method that the sender uses. PhenixID may write a slash or two behind its path. */
export function route(request: IncomingMessage, credentials: Credentials): Route {
  const path = pathOf(request);
  const plain = /^\/phenixid\/{0,2}$/.test(path) ? '/phenixid' : path;
  // With several installations there is one more for each.
  const credential = credentials.get(`${plain}?${queryOf(request)}`) ?? credentials.get(plain);
  if (credential === undefined) throw new Refusal(404);
  const [, source, type] = plain.split('/');
  if (!isSource(source)) throw new Refusal(404);
  const found = { path: plain, source, type, credential };
  const methods = methodsOf(found);
  if (!methods.includes(request.method ?? '')) throw new Refusal(405, { Allow: methods.join(', ') });
  checkHead(request);
  return found;
}

export function pathOf({ url = '' }: IncomingMessage): string {
  return url.replace(/\?.*$/s, '');
}

export function queryOf({ url = '' }: IncomingMessage): string {
  return url.includes('?') ? url.slice(url.indexOf('?') + 1) : '';
}

function isSource(text: string | undefined): text is SourceName {
  return text === 'hotdocs' || text === 'phenixid' || text === 'risr';
}

function methodsOf({ source, type }: Pick<Route, 'source' | 'type'>): readonly string[] {
  if (source !== 'hotdocs' || type === 'ActionLink') return ['POST'];
  return type === 'InterviewLoadEvent' ? ['GET', 'POST', 'PUT'] : ['POST', 'GET', 'PUT'];
}

/** What Node lets pass and no sender of these does. */
function checkHead(request: IncomingMessage): void {
  const { rawHeaders, headers } = request;
  if (valuesOf('host', rawHeaders).length > 1) throw new Refusal(400);
  if (!/^(?:identity)?$/i.test(headers['content-encoding'] ?? '')) throw new Refusal(415);
  const coding = headers['transfer-encoding'] ?? 'chunked';
  if (coding.toLowerCase() !== 'chunked') throw new Refusal(400);
}

/** Once, under this very name, decoded once; and not at all where there is one installation only. */
export function checkKey(query: string, { key }: Credential): void {
  const fields = query.split('&').map((field) => field.split('='));
  const keys = fields.flatMap(([name, ...value]) => (name === 'key' ? [value.join('=')] : []));
  if (key === undefined ? keys.length > 0 : keys.length !== 1 || decoded(keys[0]) !== key)
    throw new Refusal(401);
}

function decoded(text = ''): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

export const maxBytes = { hotdocs: 1_048_576, phenixid: 16_384, risr: 1_048_576 };

/** The bytes as they came; too many are refused while they come. */
export function readBody(request: IncomingMessage, _response: ServerResponse, to: Route): Promise<Buffer> {
  const most = maxBytes[to.source];
  const tooLarge = () => new Refusal(413, { Connection: 'close' });
  if (Number(request.headers['content-length'] ?? 0) > most) throw tooLarge();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > most) reject(tooLarge());
      else chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', () => reject(new Refusal(400, { Connection: 'close' })));
  });
}

/** One answer for each status, whatever the cause. */
export function refuse(thrown: unknown): Reply {
  const { status, headers } = thrown instanceof Refusal ? thrown : new Refusal(500);
  const challenge = status === 401 ? { 'WWW-Authenticate': 'Signature' } : {};
  const patience = status === 503 ? { 'Retry-After': '30' } : {};
  return json(status, '{"ok":false}', { ...challenge, ...patience, ...headers });
}

export function finish(reply: Reply): Reply {
  return reply;
}

export function json(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body };
}
