import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen } from './listen.ts';

/** The least that can be done: node:http, one check of the body, a small constant reply. Stores nothing, logs nothing. */
export function serveRaw(isGenuine: (body: Buffer, request: IncomingMessage) => boolean): void {
  listen((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => reply(response, isGenuine(Buffer.concat(chunks), request)));
  });
}

/** HS256 written by hand: the algorithm from the header, the signature over the first two parts, compared in constant time. */
export function isSigned(token: string, secret: string): boolean {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const { alg } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { alg?: unknown };
  if (alg !== 'HS256') return false;
  const expected = createHmac('sha256', secret).update(`${header}.${payload}`).digest();
  const given = Buffer.from(signature, 'base64url');
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
