import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen, secretIn } from './listen.ts';

const phenixidSecret = secretIn('PHENIXID_SECRET');
const hotdocsSecret = secretIn('HOTDOCS_NEW_WORK_ITEM_VERSION_COMPLETE_SECRET');
const risrSecret = secretIn('RISR_PROFILE_UPDATED_SECRET');

const checks: Readonly<Record<string, Check>> = {
  '/phenixid': (body, { headers }) => {
    const expected = Buffer.from(createHmac('sha256', phenixidSecret).update(body).digest('hex'));
    return isSame(Buffer.from(String(headers['x-signature'])), expected);
  },
  '/hotdocs/NewWorkItemVersionComplete': (body) =>
    isSigned(body.toString().slice('token='.length), hotdocsSecret),
  '/risr/profile_updated': (body) => isSigned(body.toString(), risrSecret),
};

type Check = (body: Buffer, request: IncomingMessage) => boolean;

// The least that can be done: node:http, one check of the body, a small constant reply. Stores nothing, logs nothing.
listen((request, response) => {
  const isGenuine = checks[request.url ?? ''];
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => reply(response, isGenuine?.(Buffer.concat(chunks), request) === true));
});

/** HS256 written by hand: the algorithm from the header, the signature over the first two parts, compared in constant time. */
function isSigned(token: string, secret: string): boolean {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const { alg } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { alg?: unknown };
  if (alg !== 'HS256') return false;
  const expected = createHmac('sha256', secret).update(`${header}.${payload}`).digest();
  return isSame(Buffer.from(signature, 'base64url'), expected);
}

function isSame(given: Buffer, expected: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function reply(response: ServerResponse, genuine: boolean): void {
  const body = genuine ? '{"ok":true}' : '{"ok":false}';
  response.writeHead(genuine ? 200 : 401, {
    'Content-Type': 'application/json',
    'Content-Length': body.length,
  });
  response.end(body);
}
