import { objectIn, tryJson, type JsonObject } from '../../../kit/reading/json.ts';
import { contentsOf } from '../../../kit/tape/raw.ts';
import { decoded, viewOf, type Case, type Change, type Row } from '../case.ts';
import { bare, spotsOf, TOKEN, tokensIn, withToken, type Spot } from '../spots.ts';
import { isGenuine } from './time.ts';

const WRAPPED = 'Send the token as it is, with nothing around it and nothing about it encoded again.';
const MOVED = 'Have it sent where {docs} says, or see where the proxy in front takes it from.';

/** What a token begins with, also in base64 once more or percent-encoded. */
const LIKE_TOKEN = /(?:ey[JA]|ZXl[KB])/;

/** Where a token of this proof may stand: an access token only in its header. */
function placesOf(of: Case): readonly Spot[] {
  const { proofKind } = viewOf(of);
  const spots = spotsOf(of.request);
  if (proofKind === 'T')
    return spots.filter(({ place, name }) => place === 'header' && name === 'authorization');
  const own =
    proofKind === 'W'
      ? spots.filter(({ place }) => place === 'body')
      : spots.filter(({ place, name }) => place === 'body' || name === 'token' || name === 'authorization');
  return own.filter(({ text }) => LIKE_TOKEN.test(text));
}

/** The token stood where it belongs, but in another spelling. */
function spelled(
  id: string,
  applies: string,
  means: string,
  change: (text: string, spot: Spot) => string | readonly string[],
  twins: readonly string[] = [],
  remedy = WRAPPED,
): Row {
  return {
    id: `token-${id}`,
    applies,
    means,
    remedy,
    twins,
    *variants(of) {
      for (const spot of placesOf(of))
        for (const other of [change(spot.text, spot)].flat())
          if (other !== spot.text) yield { request: spot.with(other) };
    },
  };
}

/** The token stood somewhere else; `found` finds it. */
function moved(
  id: string,
  applies: string,
  means: string,
  found: (spot: Spot, of: Case) => readonly string[],
  remedy = MOVED,
  twins: readonly string[] = [],
): Row {
  return {
    id: `token-${id}`,
    applies,
    means,
    remedy,
    twins,
    *variants(of): Generator<Change> {
      for (const spot of spotsOf(of.request))
        for (const token of found(spot, of)) yield { request: withToken(of, token), detail: spot.name };
    },
  };
}

function named(
  id: string,
  applies: string,
  means: string,
  remedy: string,
  sees: (of: Case) => Iterable<string>,
): Row {
  return { id: `token-${id}`, applies, means, remedy, sees };
}

/** More than any place but a body has room for. */
const LONGEST = 65_536;
const isToken = (text: string) => TOKEN.test(text);
const isOutside = ({ place, name }: Spot) => place === 'header' && name !== 'authorization';

/** What stands in a spot, as the kind of token that is looked for. */
function tokenAt({ text }: Spot, of: Case): readonly string[] {
  if (viewOf(of).proofKind === 'T') return text === '' || text.length > 4_096 ? [] : [bare(text), text];
  const token = bare(text);
  return isToken(token) || (LIKE_TOKEN.test(token) && token.length <= LONGEST) ? [token] : [];
}

/** Headers in tokens, read though nobody has verified them. */
function headersIn(of: Case): readonly { readonly text: string; readonly header: JsonObject }[] {
  const texts = placesOf(of).map(({ text }) => bare(text.trim()));
  return [...new Set(texts)].flatMap((text) => {
    const header = objectIn(contentsOf(text)[0]);
    return header === undefined ? [] : [{ text, header }];
  });
}

function* withAlgorithm(of: Case, shape: RegExp): Generator<string> {
  for (const { text, header } of headersIn(of)) {
    const { alg } = header;
    if (typeof alg === 'string' && shape.test(alg) && text.split('.').length === 3) yield alg.slice(0, 12);
  }
}

const CUT_AT = [1_024, 2_048, 4_096, 8_192, 16_384];

/** What is cut has a length that programs like, measured in one of the ways that they measure. */
function* cutIn(of: Case): Generator<string> {
  for (const { text, name } of placesOf(of)) {
    const parts = bare(text.trim()).split('.');
    const token = bare(text.trim());
    const isShort = parts.length < 3 || (parts.length === 3 && (parts[2] ?? '').length < 43);
    if (!/^ey[JA][\w-]*(?:\.[\w-]*){0,2}$/.test(token) || !isShort) continue;
    const sizes = [
      token.length,
      text.length,
      of.request.body.length,
      of.request.target.length,
      name.length + 2 + text.length,
    ];
    const limit = CUT_AT.find((size) => sizes.some((one) => one === size || one === size - 1));
    yield limit === undefined ? `after ${token.length} characters` : `at ${limit}`;
    return;
  }
}

function unpadded(text: string): string {
  return text.replace(/={1,2}(?=\.|\s*$)/g, '');
}

const outer = spelled(
  'quoted',
  'JWT',
  'no quotation marks stood around the token',
  (text) => text.replace(/^(\s*(?:bearer|token)\s+)?["']([\s\S]*)["']$/i, '$1$2'),
  ['token-json'],
  'Something has turned the token into JSON: in Python send data=token, not json=token. Send it without quotes.',
);

export const ofToken: readonly Row[] = [
  outer,
  spelled(
    'blanks-around',
    'JWT',
    'no blanks stood around the token',
    (text) => [text.replace(/^[ \t+]+|(?<![ \t+])[ \t+]+$/g, ''), text.replace(/^(\S+)[ \t]{2,}/, '$1 ')],
    ['token-lines'],
  ),
  spelled(
    'line-end',
    'JWT',
    'no line end stood behind the token',
    (text) => text.replace(/^[\r\n]+|(?<![\r\n])[\r\n]+$/g, ''),
    ['token-lines', 'body-line-end-behind', 'body-blanks-around'],
  ),
  spelled(
    'lines',
    'JWT',
    'the token were on one line',
    (text) => text.replace(/\s+/g, (blanks) => (/[\r\n]/.test(blanks) ? '' : blanks)),
    ['body-line-ends'],
    'Something wraps long lines, as mail and openssl base64 do. Send the token on one line.',
  ),
  spelled(
    'bearer-doubled',
    'JT',
    'the word Bearer stood before the token once',
    (text) => text.replace(/^(?:bearer\s+){2,}/i, 'Bearer '),
    ['token-scheme'],
  ),
  spelled(
    'bearer-in-body',
    'JW',
    'the word Bearer did not stand before the token',
    (text, { name }) => (name === 'authorization' ? text : text.replace(/^(?:bearer|token|jwt)[\s+]+/i, '')),
    [],
    'The word belongs into an Authorization header only. Send the token alone.',
  ),
  spelled(
    'percent-encoded',
    'JWT',
    'the token were percent-encoded once less',
    (text) => decoded(text) ?? text,
  ),
  spelled(
    'base64',
    'JW',
    'the token were in the alphabet of base64url, with - and _',
    (text) => {
      if (!/[+/]/.test(text)) return text;
      const other = text.replace(/[\w.+/=-]{20,}/g, (token) =>
        token.replaceAll('+', '-').replaceAll('/', '_'),
      );
      return [other, unpadded(other)];
    },
    ['token-plus'],
    'The sender has a base64 of its own: it must write base64url without padding (RFC 7515).',
  ),
  spelled(
    'plus',
    'JWT',
    'no plus signs of the token had become blanks (and base64url has none)',
    (text, { place }) => {
      if (place === 'header')
        return text.replace(
          /^((?:bearer|token) )?(.*)$/i,
          (_, scheme = '', token: string) => String(scheme) + token.replaceAll(' ', '+'),
        );
      const other = text.replaceAll(' ', '-').replaceAll('/', '_');
      return /^[\w./ =-]+$/.test(text) && text.includes(' ') ? [other, unpadded(other)] : text;
    },
    ['token-blanks-around'],
    'The sender must write base64url, which has no plus signs, and percent-encode what it puts into a form.',
  ),
  spelled('padded', 'JW', 'the parts of the token were not padded with equals signs', unpadded),
  {
    id: 'token-lower-case',
    applies: 'T',
    means: 'the token had come in the letters that {secret} has, capital or small',
    remedy: 'Something on the way changes letters, or it was typed so at the sender. Copy it there.',
    *variants(of) {
      for (const spot of placesOf(of))
        for (const text of viewOf(of).texts)
          if (bare(spot.text) !== text && bare(spot.text).toLowerCase() === text.toLowerCase())
            yield { request: spot.with(`Bearer ${text}`) };
    },
  },
  spelled(
    'basic',
    'T',
    'the token had come bare or behind the word Bearer, and not as Basic credentials',
    (text) => {
      const inner = /^basic\s+([\w+/=-]+)$/i.exec(text)?.[1];
      if (inner === undefined) return text;
      const plain = Buffer.from(inner, 'base64').toString('latin1');
      const colon = plain.indexOf(':');
      return [plain, plain.slice(colon + 1), plain.slice(0, Math.max(colon, 0))].map(
        (token) => `Bearer ${token}`,
      );
    },
    [],
    'Set the sender to Bearer or Token, or to the token alone.',
  ),
  spelled(
    'scheme',
    'T',
    'no other word than Bearer or Token had stood before the token',
    (text) => [text.replace(/^[\w-]+[ \t:=]+/, 'Bearer '), text.replace(/^(?:bearer|token)[:=]\s*/i, '')],
    ['token-basic'],
    'Set the sender to Bearer or Token, or to the token alone.',
  ),
  spelled(
    'joined',
    'JT',
    'the Authorization header held one token and no list',
    (text, { name }) =>
      name === 'authorization' && text.includes(',') ? text.split(',').map((one) => one.trim()) : text,
    ['token-beside-another'],
    'A proxy joins two headers, or adds one of its own. Only the sender’s may reach this endpoint.',
  ),
  moved(
    'json',
    'W',
    'the token had come alone and not in JSON',
    (spot) => (spot.place === 'json' ? [spot.text].filter(isToken) : []),
    WRAPPED,
  ),
  moved(
    'form',
    'W',
    'the token had come alone and not in a form',
    (spot) => (spot.place === 'form' ? [spot.text].filter(isToken) : []),
    WRAPPED,
  ),
  moved(
    'other-header',
    'JWT',
    'the token had not come in the header {detail}',
    (spot, of) => (isOutside(spot) ? tokenAt(spot, of) : []),
    'Set the name of the header at the sender to Authorization, or see what the proxy in front does with it.',
    ['token-beside-another'],
  ),
  moved(
    'in-authorization',
    'W',
    'the token had come as the body and not in the Authorization header',
    (spot, of) => (spot.name === 'authorization' ? tokenAt(spot, of) : []),
  ),
  moved(
    'in-cookie',
    'JWT',
    'the token had not come in a cookie',
    (spot, of) => (spot.place === 'cookie' ? tokenAt(spot, of) : []),
    MOVED,
    ['token-beside-another'],
  ),
  moved(
    'in-query',
    'JWT',
    'the token had not come in the query',
    (spot, of) => (spot.place === 'query' ? tokenAt(spot, of) : []),
    'Addresses stand in logs. {docs} says where it belongs; where this sender puts it into the query of a GET, a redirect or a proxy has changed the method.',
    ['token-twice', 'token-beside-another', 'method-changed'],
  ),
  moved(
    'other-field',
    'J',
    'the field of the token were called token, and not {detail}',
    (spot) =>
      ['form', 'json'].includes(spot.place) && spot.name !== 'token' ? [bare(spot.text)].filter(isToken) : [],
    'Set the name of the field at the sender to token.',
    ['token-beside-another', 'body-wrapped', 'body-form-json'],
  ),
  {
    id: 'token-twice',
    applies: 'JW',
    means: 'the token had come once',
    remedy:
      'Something copies it: a form that is merged with a query, a header that is set twice. Have it sent in one place.',
    twins: ['token-beside-another'],
    *variants(of) {
      const tokens = tokensIn(of);
      if (tokens.length === 1 && tokens[0] !== undefined && spotsOf(of.request).length > 0) {
        const count = placesOf(of).filter(({ text }) => bare(text.trim()) === tokens[0]).length;
        if (count > 1) yield { request: withToken(of, tokens[0]) };
      }
      for (const { text } of placesOf(of)) {
        const half = text.slice(0, Math.ceil(text.length / 2)).replace(/(?<![\s,;])[\s,;]+$/, '');
        const doubled = ['', ',', ', ', ' ', '\n', ';'].some((between) => text === half + between + half);
        if (doubled && isToken(bare(half))) yield { request: withToken(of, bare(half)) };
      }
    },
  },
  {
    id: 'token-beside-another',
    applies: 'JW',
    means: 'no other token had come beside it',
    remedy:
      'A gateway in front puts a token of its own into Authorization. It must leave that out on the way to this endpoint.',
    *variants(of) {
      const tokens = tokensIn(of);
      if (tokens.length > 1) for (const token of tokens) yield { request: withToken(of, token) };
    },
  },
  {
    id: 'body-form-json',
    applies: 'J',
    means: 'the token had come as a form, and not inside of JSON',
    remedy: 'Have it sent as a form with the one field token.',
    *variants(of) {
      for (const token of deepTokens(tryJson(of.request.body.toString('utf8'))))
        yield { request: withToken(of, token) };
    },
  },
  ...['HS384', 'HS512'].map((algorithm) =>
    named(
      algorithm.toLowerCase(),
      'JW',
      `The token is signed with ${algorithm}; only HS256 is accepted.`,
      'Set the sender to HS256, see {docs}.',
      (of) => withAlgorithm(of, new RegExp(`^${algorithm}$`, 'i')),
    ),
  ),
  named(
    'alg-none',
    'JW',
    'The token is not signed at all (alg none): anybody can make one.',
    'Switch signing on at the sender, see {docs}. If it is on, somebody is trying.',
    (of) => withAlgorithm(of, /^none$/i),
  ),
  named(
    'asymmetric',
    'JW',
    'The token is signed with a private key ({detail}), as identity providers and gateways do: it is not the sender’s.',
    'See what in front of the receiver puts a token of its own there.',
    (of) => withAlgorithm(of, /^(?:RS|PS|ES|Ed)/),
  ),
  named(
    'encrypted',
    'JW',
    'The token is encrypted (JWE, five parts).',
    'Switch encryption off at the sender.',
    function* (of) {
      if (headersIn(of).some(({ text }) => text.split('.').length === 5)) yield '';
    },
  ),
  named(
    'header-members',
    'JW',
    'The token is made with the secret of this endpoint, but its header says something that is refused: {detail}.',
    'Have the sender write a header of alg HS256 and typ JWT, and no more.',
    function* (of) {
      for (const { text, header } of headersIn(of)) {
        const odd = Object.keys(header).filter(
          (name) =>
            !['alg', 'kid'].includes(name) && !(name === 'typ' && /^jwt$/i.test(String(header[name]))),
        );
        if (header['alg'] === 'HS256' && odd.length > 0 && isToken(text) && isGenuine(text, of))
          yield odd
            .map((name) => name.slice(0, 20))
            .slice(0, 5)
            .join(', ');
      }
    },
  ),
  named(
    'cut',
    'JW',
    'The token is cut off {detail}, so nothing can verify it.',
    'Something on the way has room for no more: a column of a database, a buffer for headers, an address that may have so many characters.',
    cutIn,
  ),
  named(
    'unsecured-json',
    'JW',
    'JSON came where the token should be: signing is off at the sender, or its serialisation is not the compact one.',
    'Switch signing on at the sender, see {docs}.',
    function* (of) {
      const whole = objectIn(of.request.body);
      if (whole !== undefined && deepTokens(whole).length === 0) yield '';
    },
  ),
];

/** The tokens anywhere in a JSON value. */
function deepTokens(value: unknown, depth = 0): readonly string[] {
  if (typeof value === 'string') return isToken(value) ? [value] : [];
  if (typeof value !== 'object' || value === null || depth > 8) return [];
  return Object.values(value).flatMap((inner) => deepTokens(inner, depth + 1));
}
