import { createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { base64url, FORM, header, tokenOf, type Mistake, type Pairs, type Plan, type Wire } from './plan.ts';

type More = Partial<Omit<Mistake, 'id' | 'way' | 'on'>>;

function token(id: string, way: string, on: string, more: More): Mistake {
  return { id: `token-${id}`, way, on, ...more };
}

/** The value of its header, where the token travels in one. */
const inHeader = (change: (value: string) => string): More => ({
  carrier: 'header',
  wire: header('Authorization', change),
});

const padded = (part: string) => part.padEnd(Math.ceil(part.length / 4) * 4, '=');
const parts = (change: (part: string) => string) => (value: string) => value.split('.').map(change).join('.');
const wrapped = (end: string) => (value: string) => (value.match(/.{1,76}/g) ?? []).join(end);
/** A secret and an id with which the token has what the alphabets differ in. */
const DIFFERS: More = { payload: { note: '\u00bf?>~\u00ff\u00fe?>?>~~~', more: '>>>???>>>???' } };

const spelling: readonly Mistake[] = [
  token('quoted', 'alone', 'JW', { respell: (value) => `"${value}"`, also: ['body-quoted'] }),
  token(
    'quoted',
    'in the header',
    'JT',
    inHeader((value) => value.replace(/(\S+)$/, '"$1"')),
  ),
  token('blanks-around', 'behind', 'J', { respell: (value) => `${value} ` }),
  token('blanks-around', 'on both sides', 'J', { respell: (value) => ` ${value} ` }),
  token('line-end', 'LF', 'J', { respell: (value) => `${value}\n`, also: ['token-lines'] }),
  token('line-end', 'CR LF', 'J', { respell: (value) => `${value}\r\n`, also: ['token-lines'] }),
  token(
    'bearer-doubled',
    'twice',
    'JT',
    inHeader((value) => `Bearer Bearer ${value.replace('Bearer ', '')}`),
  ),
  token('bearer-in-body', 'before it', 'JW', { respell: (value) => `Bearer ${value}` }),
  token('percent-encoded', 'its dots', 'JW', { respell: (value) => value.replaceAll('.', '%2E') }),
  token('percent-encoded', 'once more', 'T', {
    agreed: 'k3j+9f/2mQ==x7&4w%t8z6r5p2n9v3h1bd',
    ...inHeader(encodeURIComponent),
  }),
  token('plus', '+ as a blank', 'JW', { ...DIFFERS, respell: (value) => value.replaceAll('-', ' ') }),
  token('plus', '+ as a blank', 'T', {
    agreed: 'k3j+9f/2mQ==x7&4w+t8z6r5p2n9v3h1bd',
    ...inHeader((value) => value.replaceAll('+', ' ')),
  }),
  token('base64', 'in the other alphabet', 'JW', {
    ...DIFFERS,
    respell: (value) => value.replaceAll('-', '+').replaceAll('_', '/'),
  }),
  token('padded', 'each part', 'JW', { respell: parts(padded) }),
  token('lines', 'LF', 'JW', { respell: wrapped('\n') }),
  token('lines', 'CR LF', 'JW', { respell: wrapped('\r\n') }),
  token('lower-case', 'whole', 'T', {
    agreed: 'kQ7XvN2mRz9TbW4sYp6HcD3fJ8gL5aEu',
    ...inHeader((value) => value.toLowerCase()),
    also: ['secret-lower-case'],
  }),
  token(
    'basic',
    'as a password',
    'T',
    inHeader((value) => `Basic ${base64(`advance:${value}`)}`),
  ),
  token(
    'basic',
    'as a name',
    'T',
    inHeader((value) => `Basic ${base64(`${value}:`)}`),
  ),
  token(
    'basic',
    'alone',
    'T',
    inHeader((value) => `Basic ${base64(value)}`),
  ),
  token(
    'scheme',
    'ApiKey',
    'T',
    inHeader((value) => `ApiKey ${value}`),
  ),
  token(
    'scheme',
    'JWT',
    'T',
    inHeader((value) => `JWT ${value}`),
  ),
];

function base64(value: string): string {
  return Buffer.from(value).toString('base64');
}

/** The sender puts it where it is not looked for. */
function elsewhere(
  id: string,
  way: string,
  on: string,
  place: (value: string, plan: Plan) => Partial<Wire>,
): Mistake {
  return {
    id: `token-${id}`,
    way,
    on,
    place: (value, plan) => ({
      method: 'POST',
      target: plan.path,
      headers: [],
      body: plan.lane === 'T' ? plan.content : Buffer.alloc(0),
      ...place(value, plan),
    }),
  };
}

const form = (text: string) => ({ headers: [FORM], body: Buffer.from(text) });
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
/** Of a gateway: it has nothing to do with the sender. */
const FOREIGN = `${base64url('{"alg":"RS256","kid":"2024-01","typ":"JWT"}')}.${base64url('{"iss":"https://login.example","aud":"api"}')}.${base64url(Buffer.alloc(256, 7))}`;

const places: readonly Mistake[] = [
  ...['X-Auth-Token', 'X-JWT', 'X-Access-Token'].map((name) =>
    elsewhere('other-header', name, 'JT', (value) => ({ headers: [[name, value]] })),
  ),
  elsewhere('in-cookie', 'of its own', 'J', (value) => ({
    headers: [['Cookie', `lang=sv; token=${value}`]],
  })),
  elsewhere('in-query', 'of a POST', 'J', (value, { path }) => ({ target: `${path}?token=${value}` })),
  elsewhere('in-query', 'in the place of the body', 'W', (value, { path }) => ({
    target: `${path}?token=${value}`,
  })),
  elsewhere('in-query', 'of an access token', 'T', (value, { path }) => ({
    target: `${path}?access_token=${value}`,
  })),
  elsewhere('twice', 'in the body', 'W', (value) => ({ body: Buffer.from(`${value},${value}`) })),
  elsewhere('twice', 'in the form', 'J', (value) => form(`token=${value}&token=${value}`)),
  elsewhere('beside-another', 'of a gateway', 'J', (value) => ({
    headers: [FORM, ['Authorization', `Bearer ${FOREIGN}`]] as Pairs,
    body: Buffer.from(`token=${value}`),
  })),
  elsewhere('joined', 'with that of a gateway', 'J', (value) => ({
    headers: [['Authorization', `Bearer ${FOREIGN}, Bearer ${value}`]],
  })),
  elsewhere('joined', 'with another', 'T', (value) => ({
    headers: [['Authorization', `Bearer ${value}, Bearer ${FOREIGN}`]],
  })),
  elsewhere('json', 'token', 'W', (value) => ({ body: Buffer.from(JSON.stringify({ token: value })) })),
  elsewhere('json', 'jwt', 'W', (value) => ({ body: Buffer.from(JSON.stringify({ jwt: value })) })),
  elsewhere('in-authorization', 'as of an identity provider', 'W', (value) => ({
    headers: [['Authorization', `Bearer ${value}`]],
  })),
  elsewhere('other-field', 'of a form', 'J', (value) => form(`jwt=${value}`)),
  elsewhere('other-field', 'of JSON', 'J', (value) => ({
    body: Buffer.from(JSON.stringify({ data: value })),
  })),
  elsewhere('form', 'token', 'W', (value) => form(`token=${value}`)),
  elsewhere('unsecured-json', 'the event alone', 'JW', (_, { content }) => ({
    headers: [['Content-Type', 'application/json']],
    body: content,
  })),
];

/** The content is long enough for the place where it is cut. */
const cutAt = (bytes: number): More => ({
  payload: { note: 'lorem ipsum '.repeat(bytes / 12) },
  body: (body) => body.subarray(0, bytes),
});

const HS = (bits: number): More => ({
  sign: ({ content, key }) => tokenOf(content, key, `{"alg":"HS${bits}","typ":"JWT"}`, `sha${bits}`),
});

const others: readonly Mistake[] = [
  ...[1024, 2048, 4096, 8192].map((bytes) => token('cut', `at ${bytes}`, 'JW', cutAt(bytes))),
  token('hs384', 'signed', 'JW', HS(384)),
  token('hs512', 'signed', 'JW', HS(512)),
  token('alg-none', 'with an empty signature', 'JW', {
    sign: ({ content }) => `${base64url('{"alg":"none","typ":"JWT"}')}.${base64url(content)}.`,
  }),
  token('encrypted', 'as a JWE', 'JW', {
    sign: () =>
      [
        base64url('{"alg":"dir","enc":"A256GCM"}'),
        '',
        ...[12, 300, 16].map((n) => base64url(randomBytes(n))),
      ].join('.'),
  }),
  token('asymmetric', 'RS256', 'JW', {
    sign: ({ content }) => {
      const input = `${base64url('{"alg":"RS256","typ":"JWT"}')}.${base64url(content)}`;
      return `${input}.${createSign('RSA-SHA256').update(input).sign(RSA.privateKey, 'base64url')}`;
    },
  }),
  token('header-members', 'another typ', 'J', {
    sign: ({ content, key }) => tokenOf(content, key, '{"alg":"HS256","typ":"at+jwt"}'),
  }),
  token('header-members', 'one more', 'JW', {
    sign: ({ content, key }) => tokenOf(content, key, '{"alg":"HS256","typ":"JWT","cty":"json"}'),
  }),
];

export const tokenMistakes: readonly Mistake[] = [...spelling, ...places, ...others];
