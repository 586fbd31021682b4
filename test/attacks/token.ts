import { createHmac } from 'node:crypto';
import { bytesOf, credentialAt, type Sender, type Target, type Wire } from './support.ts';

/** A genuine token taken apart, with what its sender knows. */
export interface Token {
  readonly whole: string;
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
  readonly payloadJson: string;
  readonly secret: string;
  readonly path: string;
}

export function encode(content: string | Buffer): string {
  return Buffer.from(content).toString('base64url');
}

/** Signed with node:crypto and no line of ours, whatever the parts are. */
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
export function tokenIn({ receiver }: Target, request: Wire, { path }: Sender): Token {
  const whole = COMPACT.exec(bytesOf(request).toString('latin1'))?.[0] ?? '';
  const [header = '', payload = '', signature = ''] = whole.split('.');
  const payloadJson = Buffer.from(payload, 'base64url').toString();
  return { whole, header, payload, signature, payloadJson, secret: credentialAt(receiver, path).text, path };
}

/** The request with another text where its token stands. */
export function withToken(request: Wire, { whole }: Token, text: string): Wire {
  const bytes = Buffer.from(text).toString('latin1');
  const replaced = (place: string) => place.replace(whole, () => bytes);
  return {
    ...request,
    target: replaced(request.target),
    headers: request.headers.map(([name, value]) => [name, replaced(value)]),
    body: Buffer.from(replaced(request.body.toString('latin1')), 'latin1'),
  };
}
