import { createHmac, timingSafeEqual } from 'node:crypto';
import { membersIn, Refusal, type Delivery, type Members, type Parts } from './parts.ts';

export function prove(delivery: Delivery, parts: Parts): Buffer {
  const { source, credential } = delivery.route;
  if (source === 'phenixid') return parts.verifySignature(delivery, parts);
  if (source === 'risr') return parts.verifyToken(trimmed(delivery.body), delivery, parts);
  if (credential.kind === 'TOKEN') return parts.verifyAccessToken(delivery);
  return parts.verifyToken(parts.findToken(delivery), delivery, parts);
}

/** Nothing but these four may stand around a token. */
function trimmed(body: Buffer): string {
  const isBlank = (at: number) => ' \t\r\n'.includes(String.fromCharCode(body[at] ?? 0));
  let [start, end] = [0, body.length];
  while (start < end && isBlank(start)) start += 1;
  while (end > start && isBlank(end - 1)) end -= 1;
  return body.toString('latin1', start, end);
}

/** The form field of a POST, the query parameter of a GET; once, and in no other place. */
export function findToken({ method, query, body }: Delivery): string {
  const inBody = tokensIn(body.toString('latin1'));
  const inQuery = tokensIn(query);
  const [found, elsewhere] = method === 'GET' ? [inQuery, inBody] : [inBody, inQuery];
  const [token, ...others] = found;
  if (token === undefined || others.length > 0 || elsewhere.length > 0) throw new Refusal(401);
  return token;
}

const MOST_FIELDS = 100;

function tokensIn(form: string): string[] {
  const fields = form.split('&', MOST_FIELDS + 1);
  if (fields.length > MOST_FIELDS) throw new Refusal(401);
  return fields
    .map((field) => field.split('='))
    .flatMap(([name, ...value]) => (name === 'token' ? [value.join('=')] : []));
}

/** A JWS in compact form, HS256 and nothing else. */
export function verifyToken(token: string, delivery: Delivery, parts: Parts): Buffer {
  const [header = '', payload = '', signature = '', ...more] = token.split('.');
  if (more.length > 0 || header.length > 1000) throw new Refusal(401);
  const [headerBytes, content, given] = [header, payload, signature].map((part) => parts.decodePart(part));
  if (headerBytes === undefined || content === undefined || given === undefined) throw new Refusal(401);
  parts.checkTokenHeader(parts.readTokenHeader(headerBytes), delivery);
  const right = createHmac('sha256', delivery.route.credential.text).update(`${header}.${payload}`).digest();
  if (!same(given, right)) throw new Refusal(401);
  parts.checkClaims(content, delivery);
  return content;
}

/** One text only for the same bytes: what does not come out again as it went in is refused. */
export function decodePart(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.toString('base64url') !== part) throw new Refusal(401);
  return bytes;
}

/** Plain ASCII, and no member twice: written anew it must have come out the same, blanks aside. */
export function readTokenHeader(bytes: Buffer): Members {
  const text = bytes.toString('latin1');
  if (!/^[\x20-\x7e]*$/.test(text)) throw new Refusal(401);
  const members = parsed(text);
  if (JSON.stringify(members) !== text.replaceAll(' ', '')) throw new Refusal(401);
  return members;
}

/** @throws Refusal when the bytes are no UTF-8 */
function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refusal(401);
  }
}

function parsed(json: string): Members {
  try {
    return membersIn(json);
  } catch {
    throw new Refusal(401);
  }
}

const FORBIDDEN = 'crit b64 jku jwk x5u x5c x5t x5t#S256 zip enc cty __proto__ constructor'.split(' ');

export function checkTokenHeader(header: Members, { route }: Delivery): void {
  const { alg, typ, kid } = header;
  const named = kid === undefined || (typeof kid === 'string' && /^[\w.-]{1,64}$/.test(kid));
  const typed =
    route.source === 'risr' || typ === undefined || (typeof typ === 'string' && typ.toUpperCase() === 'JWT');
  const chooses = FORBIDDEN.some((name) => Object.hasOwn(header, name));
  if (alg !== 'HS256' || !named || !typed || chooses) throw new Refusal(401);
}

/** How far the clocks may differ, in seconds. */
const TOLERANCE_S = { hotdocs: 90, phenixid: 0, risr: 300 };

/** HotDocs sends a JWT; risr sends business data, whose members of these names count if they are numbers. */
export function checkClaims(content: Buffer, { route }: Delivery): void {
  const now = Date.now() / 1000;
  const { exp, nbf, iat } = parsed(textOf(content));
  const times = [exp, nbf, iat].filter((time) => route.source === 'hotdocs' || typeof time === 'number');
  const sane = times.every((time) => time === undefined || (isTime(time) && time < 253_402_300_800));
  const tolerance = TOLERANCE_S[route.source];
  const expired = isTime(exp) && exp + tolerance <= now;
  const early = isTime(nbf) && nbf - tolerance > now;
  const fromLater = route.source === 'hotdocs' && isTime(iat) && iat - tolerance > now;
  if (!sane || expired || early || fromLater) throw new Refusal(401);
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}

/** HMAC-SHA256 of the raw body in one `X-Signature`, hex or base64, with or without a prefix. */
export function verifySignature(delivery: Delivery, parts: Parts): Buffer {
  const [text, ...others] = valuesOf('x-signature', delivery.rawHeaders);
  if (text === undefined || others.length > 0) throw new Refusal(401);
  const given = parts.decodeSignature(text.trim().replace(/^(?:sha256|sha-256|hmac-sha256)[=:]/i, ''));
  const right = createHmac('sha256', delivery.route.credential.text).update(delivery.body).digest();
  if (!same(given, right)) throw new Refusal(401);
  return delivery.body;
}

export function decodeSignature(text: string): Buffer {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  const bare = text.replace(/^(.{43})=$/, '$1');
  const encoding = /[-_]/.test(bare) ? 'base64url' : 'base64';
  const bytes = Buffer.from(bare, encoding);
  if (bytes.toString(encoding).replace('=', '') !== bare) throw new Refusal(401);
  return bytes;
}

/** The whole header is the token, or all of it after one scheme word. */
export function verifyAccessToken({ route, method, query, rawHeaders, body }: Delivery): Buffer {
  const [text, ...others] = valuesOf('authorization', rawHeaders);
  if (text === undefined || others.length > 0) throw new Refusal(401);
  const right = Buffer.from(route.credential.text);
  const candidates = [text, text.replace(/^(?:bearer|token)[ \t]+/i, '')];
  if (!candidates.some((candidate) => same(Buffer.from(candidate, 'latin1'), right))) throw new Refusal(401);
  if (method !== 'GET') return body;
  return Buffer.from(JSON.stringify(Object.fromEntries(new URLSearchParams(query))));
}

export function valuesOf(name: string, rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
}

/** timingSafeEqual throws where the lengths differ. */
function same(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
