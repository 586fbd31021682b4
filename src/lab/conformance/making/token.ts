import { createHmac } from 'node:crypto';
import type { EndpointUnderTest } from '../rule.ts';
import type { WireRequest } from '../wire.ts';

/** A genuine token taken apart, with what its sender knows. */
export interface Token {
  readonly whole: string;
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
  readonly payloadJson: string;
  readonly secret: string;
}

export function encode(content: string | Buffer): string {
  return Buffer.from(content).toString('base64url');
}

/** Signed whatever the parts are, and by no code that the receiver could share. */
export function signParts(
  header: string,
  payload: string,
  key: string | Buffer,
  algorithm = 'sha256',
): string {
  const input = `${header}.${payload}`;
  return `${input}.${createHmac(algorithm, key).update(input).digest('base64url')}`;
}

const COMPACT = /ey[\w-]+\.[\w-]+\.[\w-]+/;

/** Takes the token out of a genuine request, wherever it travels in it. */
export function tokenIn(request: WireRequest, { credential }: Pick<EndpointUnderTest, 'credential'>): Token {
  const places = [
    request.target,
    ...request.headers.map(([, value]) => value),
    request.body.toString('latin1'),
  ];
  const whole = COMPACT.exec(places.join('\n'))?.[0] ?? '';
  const [header = '', payload = '', signature = ''] = whole.split('.');
  const payloadJson = Buffer.from(payload, 'base64url').toString();
  return { whole, header, payload, signature, payloadJson, secret: credential.text };
}

/** The request with another text where its token stands, spelled as its place demands: it arrives as it is. */
export function withToken<Request extends WireRequest>(
  request: Request,
  { whole }: Token,
  text: string,
): Request {
  const put = (place: string, spelled: string) =>
    place.replace(whole, () => Buffer.from(spelled).toString('latin1'));
  const body = request.body.toString('latin1');
  return {
    ...request,
    target: put(request.target, encodeURIComponent(text)),
    headers: request.headers.map(([name, value]) => [name, put(value, text)]),
    body: Buffer.from(put(body, spelledInBody(request, body, text)), 'latin1'),
  };
}

function spelledInBody({ headers }: WireRequest, body: string, text: string): string {
  const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  if (type.startsWith('application/x-www-form-urlencoded')) return encodeURIComponent(text);
  return body.startsWith('{') ? JSON.stringify(text).slice(1, -1) : text;
}
