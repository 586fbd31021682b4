import { headerValues, type Delivery } from '../../../delivery.ts';
import { DeadLetter, DeliveryRejected } from '../../../errors.ts';
import { isObject, strictJson } from '../../../reading/json.ts';
import { accessTokenHeader } from '../../../proofs/access-token.ts';
import type { OutgoingRequest } from '../../../source.ts';
import {
  multipartFields,
  multipartOf,
  placeFields,
  urlencodedValues,
  type Blank,
  type Field,
} from './form.ts';
import type { Choices } from '../switches.ts';

// The documentation contradicts itself (HD-13, HD-14): a form field named "token", but also the Authorization header,
// and a GET has no form. So several places are searched, and the bytes of the body, not its Content-Type, say what it
// is. What is found must still verify, so an odd place costs nothing; two different tokens are refused, as nothing
// could tell them apart.

/** The form as Advance is documented to send it, and nothing else in it. */
const PLAIN_FORM = /^token=([\w.-]*)$/;
/** Two dots and base64url; whether it verifies is for others to say. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]*$/;
/** Not by `toLowerCase`: that takes the Kelvin sign for a k. */
const FIELD_NAME = /^token$/i;

/**
 * The token of a delivery, from wherever Advance may have put it.
 * @throws DeliveryRejected `proof_missing`, `proof_malformed`, `proof_ambiguous`
 */
export function findToken(delivery: Delivery): string | Promise<string> {
  const outside = [tokensInQuery(delivery), tokensInHeader(delivery)];
  const inBody = tokensInBody(delivery);
  if (inBody instanceof Promise) return inBody.then((tokens) => theOne(tokens, outside, delivery));
  return theOne(inBody, outside, delivery);
}

/** What one place holds; `undefined` when it could not be read. */
type Tokens = readonly string[] | undefined;

const PLACES = ['the body', 'the query', 'the Authorization header'];

function theOne(inBody: Tokens, outside: readonly (readonly string[])[], delivery: Delivery): string {
  const places = [inBody ?? [], ...outside];
  const [token, ...others] = new Set(places.flat());
  if (others.length > 0 || places.some((tokens) => tokens.length > 1)) throw ambiguous(places);
  if (token !== undefined && token !== '') return token;
  if (inBody === undefined) {
    throw new DeliveryRejected(
      'proof_malformed',
      'The body is a broken form or broken JSON, or has too many fields.',
    );
  }
  throw new DeliveryRejected(
    'proof_missing',
    'Expected a form field "token", or a token in the query of a GET, a JSON member, the Authorization header or as the ' +
      `whole body. ${causeOfNone(delivery, token)}`,
  );
}

function ambiguous(places: readonly (readonly string[])[]): DeliveryRejected {
  const named = (holds: (tokens: readonly string[]) => boolean) =>
    PLACES.filter((_, index) => holds(places[index] ?? [])).join(' and ');
  const repeated = named(({ length }) => length > 1);
  const problem =
    repeated === ''
      ? `Different tokens came in ${named(({ length }) => length > 0)}.`
      : `The token came more than once in ${repeated}.`;
  const cause =
    (places[2] ?? []).length > 0
      ? ' Does a gateway or proxy in front put a token of its own into Authorization? It must leave that out on the way to ' +
        'this endpoint.'
      : '';
  return new DeliveryRejected('proof_ambiguous', problem + cause);
}

/** Why there is no token, as far as it can be seen. */
function causeOfNone(delivery: Delivery, token: string | undefined): string {
  if (token === '') return 'The field is there, and it is empty.';
  const body = delivery.body.toString('utf8', 0, LOOKED_AT).trim();
  if (COMPACT.test(body.replaceAll(/^["']|["']$/g, ''))) {
    return 'The body is a token with quotes, blanks or a line end around it: it is to be sent alone.';
  }
  if (headerValues(delivery, 'authorization').length > 0) {
    return (
      'The Authorization header holds none of three parts. Is the webhook set to token authentication? Then its token ' +
      'belongs into the variable that ends in _TOKEN.'
    );
  }
  if (body === '' && delivery.query === '')
    return 'The request is empty. Did a redirect or a proxy drop its body?';
  return 'Is the webhook set to HMAC authentication?';
}

/** Of a body that is no token; only for words. */
const LOOKED_AT = 16_384;

function tokensInQuery({ method, query }: Delivery): readonly string[] {
  if (query === '') return [];
  const tokens = tokensInForm(query);
  if (tokens === undefined)
    throw new DeliveryRejected('proof_malformed', 'The query has too many parameters.');
  if (tokens.length > 0 && method !== 'GET') {
    throw new DeliveryRejected(
      'proof_ambiguous',
      `A token in the query of a ${method}: only a GET has it there.`,
    );
  }
  return tokens;
}

function tokensInHeader(delivery: Delivery): readonly string[] {
  return headerValues(delivery, 'authorization')
    .map((value) => value.replace(/^[\w-]+[ \t]+/, ''))
    .filter((value) => COMPACT.test(value));
}

function tokensInBody(delivery: Delivery): Tokens | Promise<Tokens> {
  const { body } = delivery;
  if (body.length === 0) return [];
  const multipart = multipartOf(delivery);
  if (multipart !== undefined) return multipartFields(multipart).then(tokensIn);
  if (startsJson(body)) return tokensInJson(body);
  const text = body.toString('utf8');
  const plain = PLAIN_FORM.exec(text)?.[1];
  if (plain !== undefined) return [plain];
  return COMPACT.test(text) ? [text] : tokensInForm(text);
}

function tokensIn(fields: readonly Field[] | undefined): Tokens {
  return fields?.filter(([name]) => FIELD_NAME.test(name)).map(([, value]) => value);
}

function tokensInForm(text: string): Tokens {
  return urlencodedValues(text, FIELD_NAME, 'token'.length);
}

function tokensInJson(body: Buffer): Tokens {
  if (hasManyValues(body)) return undefined;
  const json = jsonOf(body);
  if (!isObject(json)) return undefined;
  const found = Object.entries(json).filter(([name]) => FIELD_NAME.test(name));
  const tokens = found.flatMap(([, value]) => (typeof value === 'string' ? [value] : []));
  return tokens.length === found.length ? tokens : undefined;
}

function jsonOf(body: Buffer): unknown {
  try {
    return strictJson(body); // a member that comes twice is two tokens
  } catch (error) {
    if (error instanceof DeadLetter) return undefined;
    throw error;
  }
}

/** Whether the first byte that is no blank opens an object or a list. */
function startsJson(body: Buffer): boolean {
  let at = 0;
  while (at < MAX_BLANKS && isBlank(body[at])) at += 1;
  return body[at] === BRACE || body[at] === BRACKET;
}

const MAX_BLANKS = 1_024;

/** More than anything that has a token in it; to read them all takes time, and nobody has proven anything yet. */
const MAX_VALUES = 1_000;

/** Counts what begins a value in JSON text, outside of its strings. */
function hasManyValues(body: Buffer): boolean {
  let count = 0;
  for (let at = 0; at < body.length && count <= MAX_VALUES; at += 1) {
    const byte = body[at];
    if (byte === QUOTE) at = endOfString(body, at);
    else if (byte === COMMA || byte === BRACE || byte === BRACKET) count += 1;
  }
  return count > MAX_VALUES;
}

/** Where the closing quote is: one before which the backslashes are in pairs. */
function endOfString(body: Buffer, start: number): number {
  let end = start;
  for (;;) {
    end = body.indexOf(QUOTE, end + 1);
    if (end === -1) return body.length;
    let slashes = 0;
    while (body[end - 1 - slashes] === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end;
  }
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BRACE = 0x7b;
const BRACKET = 0x5b;
const BACKSLASH = 0x5c;

/** The sender's half. */
export function placeToken(token: string, to: Blank, { carrier, authForm }: Choices): OutgoingRequest {
  const request = { method: to.method, target: to.path };
  const place = placeOn(to.method, carrier);
  switch (place) {
    case 'form':
    case 'query':
    case 'multipart':
      return placeFields([['token', token]], to, place);
    case 'header':
      return {
        ...request,
        headers: { Authorization: accessTokenHeader(token, authForm) },
        body: Buffer.alloc(0),
      };
    case 'json':
      return {
        ...request,
        headers: { 'Content-Type': 'application/json; charset=utf-8' },
        body: Buffer.from(JSON.stringify({ token })),
      };
    case 'body':
      return { ...request, headers: { 'Content-Type': 'application/jwt' }, body: Buffer.from(token) };
  }
}

/** A token in the query of anything but a GET is not plausible: it falls back to the form. */
function placeOn(method: string, carrier: Choices['carrier']): Exclude<Choices['carrier'], 'usual'> {
  if (carrier !== 'usual' && carrier !== 'query') return carrier;
  return method === 'GET' ? 'query' : 'form';
}
