import { objectIn } from '../../kit/reading/json.ts';
import { pairsOf } from '../../kit/tape/raw.ts';
import type { RawRequest } from '../raw-request.ts';
import { viewOf, withHeader, type Case } from './case.ts';

/** A text of a request in which a token may stand, and the same request with another text there. */
export interface Spot {
  readonly place: 'query' | 'form' | 'json' | 'body' | 'header' | 'cookie';
  /** Of the header, field or member; in lower case, empty for the body. */
  readonly name: string;
  readonly text: string;
  with(text: string | undefined): RawRequest;
}

/** A token of three parts. */
export const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const all = new WeakMap<RawRequest, readonly Spot[]>();

export function spotsOf(request: RawRequest): readonly Spot[] {
  const known = all.get(request) ?? [...inQuery(request), ...inBody(request), ...inHeaders(request)];
  all.set(request, known);
  return known;
}

function inQuery(request: RawRequest): readonly Spot[] {
  const at = request.target.indexOf('?');
  if (at === -1) return [];
  const path = request.target.slice(0, at);
  return fieldsOf(request.target.slice(at + 1)).map((field) => ({
    ...field,
    place: 'query',
    with: (text) => {
      const query = field.pairs(text);
      return { ...request, target: query === '' ? path : `${path}?${query}` };
    },
  }));
}

function inBody(request: RawRequest): readonly Spot[] {
  const { body } = request;
  if (body.length === 0) return [];
  const whole = body.toString('latin1');
  const spots: Spot[] = [
    {
      place: 'body',
      name: '',
      text: whole,
      with: (text = '') => ({ ...request, body: Buffer.from(text, 'latin1') }),
    },
  ];
  const json = objectIn(body);
  if (json !== undefined) {
    for (const [name, value] of Object.entries(json)) {
      if (typeof value !== 'string') continue;
      const changed = (text: string | undefined) => Buffer.from(JSON.stringify({ ...json, [name]: text }));
      spots.push({
        place: 'json',
        name: name.toLowerCase(),
        text: value,
        with: (text) => ({ ...request, body: changed(text) }),
      });
    }
  } else if (/^[\w.%-]{1,100}=/.test(whole)) {
    for (const field of fieldsOf(whole))
      spots.push({
        ...field,
        place: 'form',
        with: (text) => ({ ...request, body: Buffer.from(field.pairs(text)) }),
      });
  }
  return spots;
}

interface Field {
  readonly name: string;
  readonly text: string;
  /** All fields, with another text for this one. */
  pairs(text: string | undefined): string;
}

/** A plus stays one: what is looked for has no blanks. */
function fieldsOf(encoded: string): readonly Field[] {
  const pairs = encoded.split('&');
  return pairs.map((pair, at) => {
    const equals = pair.indexOf('=');
    const name = equals === -1 ? pair : pair.slice(0, equals);
    return {
      name: unescaped(name).toLowerCase(),
      text: unescaped(equals === -1 ? '' : pair.slice(equals + 1)),
      pairs: (text) =>
        pairs
          .flatMap((other, place) =>
            place !== at ? [other] : text === undefined ? [] : [`${name}=${encodeURIComponent(text)}`],
          )
          .join('&'),
    };
  });
}

function unescaped(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
}

function inHeaders(request: RawRequest): readonly Spot[] {
  return pairsOf(request).flatMap(([written, value]): Spot[] => {
    const name = written.toLowerCase();
    if (name !== 'cookie')
      return [{ place: 'header', name, text: value, with: (text) => withHeader(request, name, text) }];
    return value.split(/;\s*/).map((cookie) => ({
      place: 'cookie',
      name: cookie.split('=')[0]?.toLowerCase() ?? '',
      text: cookie.slice(cookie.indexOf('=') + 1),
      with: () => withHeader(request, name, undefined),
    }));
  });
}

/** The text of a header without the word before it. */
export function bare(text: string): string {
  return text.replace(/^[\w-]+[ \t]+/, '');
}

/** The tokens of three parts that stand anywhere in it, each once. */
export function tokensIn({ request }: Case): readonly string[] {
  const texts = spotsOf(request)
    .map(({ text }) => bare(text.trim()))
    .filter((text) => TOKEN.test(text));
  return [...new Set(texts)];
}

/** The request with a token where its sender puts it, and in no other place. */
export function withToken(of: Case, token: string): RawRequest {
  const { request } = of;
  const { proofKind, path, query } = viewOf(of);
  const plain = withHeader(request, 'authorization', undefined);
  if (proofKind === 'T') return withHeader(plain, 'authorization', `Bearer ${token}`);
  if (proofKind === 'W') return { ...plain, body: Buffer.from(token) };
  const others = query.split('&').filter((pair) => pair !== '' && !/^token(?:=|$)/i.test(pair));
  const isGet = request.method === 'GET';
  const target = [...others, ...(isGet ? [`token=${encodeURIComponent(token)}`] : [])].join('&');
  const type = isGet ? undefined : 'application/x-www-form-urlencoded';
  return {
    ...withHeader(plain, 'content-type', type),
    target: target === '' ? path : `${path}?${target}`,
    body: Buffer.from(isGet ? '' : `token=${encodeURIComponent(token)}`),
  };
}
