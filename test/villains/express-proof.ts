import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import { compactVerify, decodeProtectedHeader } from 'jose';
import type { Credential } from './parts.ts';

// What the receiver on Express must see before it believes a request.

export class HttpError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

/** The bytes that are proven. @throws HttpError 401 */
export async function prove(
  request: Request,
  body: Buffer,
  path: string,
  { kind, text, key }: Credential,
): Promise<Buffer> {
  if (path === '/phenixid') return signed(request, body, text, key);
  if (path.startsWith('/risr/')) return verified(body.toString('latin1').trim(), text, path);
  if (kind === 'TOKEN') return vouchedFor(request, body, text);
  return verified(tokenOf(request, body), text, path);
}

/** Compared as text, in each spelling that a sender may choose: nothing is decoded, so nothing is decoded leniently. */
function signed(request: Request, body: Buffer, secret: string, key: string | undefined): Buffer {
  const right = createHmac('sha256', secret).update(body).digest();
  const [hex, base64, base64url] = [
    right.toString('hex'),
    right.toString('base64'),
    right.toString('base64url'),
  ];
  const given = (request.get('x-signature') ?? '').replace(/^(?:hmac-)?sha-?256[=:]/i, '');
  const lower = /^[0-9A-F]{64}$/i.test(given) ? given.toLowerCase() : given;
  const spellings = [hex, base64, base64.slice(0, 43), base64url, `${base64url}=`];
  const keys = new URLSearchParams(queryOf(request)).getAll('key');
  const misnamed = keys.join() !== (key ?? '') || keys.length !== (key === undefined ? 0 : 1);
  if (misnamed || !spellings.some((spelling) => same(spelling, lower))) throw new HttpError(401);
  return body;
}

function same(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function queryOf({ url }: Request): string {
  return url.split('?').slice(1).join('?');
}

const MOST_FIELDS = 100;

function tokenOf(request: Request, body: Buffer): string {
  const inQuery = new URLSearchParams(queryOf(request)).getAll('token');
  const form = body.toString('latin1');
  if (form.split('&', MOST_FIELDS + 1).length > MOST_FIELDS) throw new HttpError(401);
  const inBody = new URLSearchParams(form).getAll('token');
  const [token, ...others] = [...inQuery, ...inBody];
  const misplaced = request.method === 'GET' ? inBody : inQuery;
  if (token === undefined || others.length > 0 || misplaced.length > 0) throw new HttpError(401);
  return token;
}

/** jose decodes leniently, takes the last of two members and lets a token bring keys of its own: these it never sees. */
async function verified(token: string, secret: string, path: string): Promise<Buffer> {
  try {
    const parts = token.split('.', 4).map((part) => [part, Buffer.from(part, 'base64url')] as const);
    const [header] = parts;
    const members = decodeProtectedHeader(token);
    const { alg, typ = 'JWT', kid = '', ...others } = members;
    const known = alg === 'HS256' && Object.keys(others).length === 0;
    const plain = JSON.stringify(members) === header?.[1].toString('latin1').replaceAll(' ', '');
    const canonical = parts.every(([part, bytes]) => bytes.toString('base64url') === part);
    const typed = path.startsWith('/risr/') || typ.toUpperCase() === 'JWT';
    const named = typeof kid === 'string' && /^[\w.-]{0,64}$/.test(kid);
    if (!plain || !canonical || !typed || !named || !known) throw new HttpError(401);
    const key = createSecretKey(Buffer.from(secret));
    const { payload } = await compactVerify(token, key, { algorithms: ['HS256'] });
    checkTimes(membersOf(Buffer.from(payload)), path);
    return Buffer.from(payload);
  } catch {
    throw new HttpError(401);
  }
}

function checkTimes(claims: Record<string, unknown>, path: string): void {
  const toleranceS = path.startsWith('/risr/') ? 300 : 60;
  const now = Date.now() / 1000;
  const { exp, nbf, iat } = claims;
  const strict = path.startsWith('/hotdocs/');
  const times = [exp, nbf, iat].filter((time) => (strict ? time !== undefined : typeof time === 'number'));
  // 253402300800 is the end of the year 9999.
  const sane = times.every((time) => typeof time === 'number' && time >= 0 && time < 253_402_300_800);
  const expired = typeof exp === 'number' && exp + toleranceS <= now;
  const early = typeof nbf === 'number' && nbf - toleranceS > now;
  const fromLater = strict && typeof iat === 'number' && iat - toleranceS > now;
  if (!sane || expired || early || fromLater) throw new HttpError(401);
}

function vouchedFor(request: Request, body: Buffer, token: string): Buffer {
  const values = request.rawHeaders.filter(
    (_, at) => request.rawHeaders[at - 1]?.toLowerCase() === 'authorization' && at % 2 === 1,
  );
  const [given = '', ...others] = values;
  const bare = given.replace(/^(?:bearer|token) +/i, '');
  if (others.length > 0 || !(same(given, token) || same(bare, token))) throw new HttpError(401);
  if (request.method !== 'GET') return body;
  return Buffer.from(JSON.stringify(Object.fromEntries(new URLSearchParams(queryOf(request)))));
}

export function membersOf(content: Buffer): Record<string, unknown> {
  const value: unknown = JSON.parse(
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content),
  );
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new HttpError(401);
  return value as Record<string, unknown>; // an object that JSON.parse made
}
