import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import type { Delivery } from '../../../src/kit/delivery.ts';
import { DeliveryRejected } from '../../../src/kit/errors.ts';
import { findToken } from '../../../src/kit/sources/hotdocs/wire/token-place.ts';

// Two tokens made by other code; where they are found does not depend on what they say.
const [token = '', other = ''] = z
  .object({ deliveries: z.array(z.object({ token: z.string() })) })
  .parse(JSON.parse(readFileSync(new URL('../../witnesses/hotdocs.json', import.meta.url), 'utf8')))
  .deliveries.map((delivery) => delivery.token);

const multipart = ['Content-Type', 'multipart/form-data; boundary=test'];

function part(disposition: string, value: string): string {
  return `--test\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${value}\r\n`;
}

function post(body: string | Buffer, more: Partial<Delivery> = {}): Delivery {
  return { method: 'POST', query: '', headers: [], body: Buffer.from(body), receivedAt: Date.now(), ...more };
}

function get(query: string, more: Partial<Delivery> = {}): Delivery {
  return post('', { method: 'GET', query, ...more });
}

/** The token, or why there is none; anything but a refusal fails the test. */
async function found(delivery: Delivery): Promise<string> {
  try {
    return await findToken(delivery);
  } catch (error) {
    if (error instanceof DeliveryRejected) return error.code;
    throw error;
  }
}

it.each([
  ['the form field', post(`token=${token}`)],
  ['the form field among others', post(`a=b&token=${token}&c`)],
  ['the form field in capitals', post(`TOKEN=${token}`)],
  ['the form field percent-encoded', post(`token=${token.replaceAll('.', '%2E')}`)],
  ['a form on a PUT', post(`token=${token}`, { method: 'PUT' })],
  ['a form that says it is JSON', post(`token=${token}`, { headers: ['Content-Type', 'application/json'] })],
  ['a form that says it is multipart', post(`token=${token}`, { headers: multipart })],
  ['a form on a GET', get('', { body: Buffer.from(`token=${token}`) })],
  ['a multipart form', post(`${part('name="token"', token)}--test--\r\n`, { headers: multipart })],
  [
    'a multipart form beside a file',
    post(`${part('name="f"; filename="f"', 'x')}${part('name="Token"', token)}--test--\r\n`, {
      headers: multipart,
    }),
  ],
  ...['This is a form in parts.', '', 'a\r\nb', '--tes', 'token=wrong'].map(
    (preamble): [string, Delivery] => [
      `a multipart form behind the preamble ${JSON.stringify(preamble)}`,
      post(`${preamble}\r\n${part('name="token"', token)}--test--\r\nepilogue`, { headers: multipart }),
    ],
  ),
  ['the query of a GET', get(`token=${token}`)],
  ['the query of a GET among others', get(`x=1&Token=${token}`)],
  ['a JSON member', post(` {"Token":"${token}","data":{"token":"x"}}`)],
  ['a JSON member beside a long text', post(JSON.stringify({ text: ',{[\\"\\'.repeat(3_000), token }))],
  ['the Authorization header', post('', { headers: ['authorization', token] })],
  [
    'the Authorization header after Bearer',
    post('{"data":1}', { headers: ['Authorization', `bearer ${token}`] }),
  ],
  [
    'the Authorization header of a request with a broken body',
    post('{', { headers: ['Authorization', token] }),
  ],
  ['the body', post(token)],
  ['two places', post(`token=${token}`, { headers: ['Authorization', `Bearer ${token}`] })],
  [
    'the form, where the Authorization header is about something else',
    post(`token=${token}`, { headers: ['Authorization', 'Basic YTpi'] }),
  ],
])('finds the token in %s', async (_where, delivery) => expect(await found(delivery)).toBe(token));

it('finds the documented form without waiting', () => expect(findToken(post(`token=${token}`))).toBe(token));

it.each([
  ['repeated in a form', post(`token=${token}&token=${token}`)],
  ['repeated in another case', post(`token=${token}&Token=${other}`)],
  ['repeated, once empty', post(`token=${token}&token=`)],
  ['repeated, first empty', post(`token=&token=${token}`)],
  ['repeated, in a query, once in another case', get(`TOKEN=${token}&token=${other}`)],
  [
    'repeated in a multipart form',
    post(`${part('name="token"', token)}${part('name="token"', token)}--test--\r\n`, { headers: multipart }),
  ],
  ['repeated in a query', get(`token=${token}&token=${token}`)],
  ['repeated as a header', post('', { headers: ['Authorization', token, 'authorization', token] })],
  ['repeated as a JSON member in another case', post(`{"token":"${token}","TOKEN":"${token}"}`)],
  ['in two places, differing', post(`token=${token}`, { headers: ['Authorization', other] })],
  ['in query and header of a GET, differing', get(`token=${token}`, { headers: ['Authorization', other] })],
  ['in the query of a POST', post('', { query: `token=${token}` })],
  ['in the query of a POST with the same form', post(`token=${token}`, { query: `token=${token}` })],
  ['in the query of a PUT', post('', { method: 'PUT', query: 'token=' })],
])('refuses as ambiguous a token %s', async (_where, delivery) =>
  expect(await found(delivery)).toBe('proof_ambiguous'),
);

it.each([
  ['nothing at all', post('')],
  ['an empty field', post('token=')],
  ['token[]', post(`token[]=${token}`)],
  ['token[x]', post(`token[x]=${token}`)],
  ['token[0], in a query', get(`token[0]=${token}`)],
  ['token.x', post(`token.x=${token}`)],
  ['token behind a blank', post(`+token=${token}`)],
  ['token before a blank', get(`token+=${token}`)],
  ['a Cyrillic letter for the o', post(`t%D0%BEken=${token}`)],
  ['a field behind a semicolon', get(`a=1;token=${token}`)],
  ['constructor', post(`constructor=${token}`)],
  ['a JSON object behind a byte order mark', post(`\uFEFF{"token":"${token}"}`)],
  ['a part called token[]', post(`${part('name="token[]"', token)}--test--\r\n`, { headers: multipart })],
  ['token%00', post(`token%00=${token}`)],
  ['a Kelvin sign for the k', post(`to\u212aen=${token}`)],
  ['a byte order mark', post(`\ufefftoken=${token}`)],
  ['a question mark in front', post(`?token=${token}`)],
  ['a question mark in front, in a query', get(`?token=${token}`)],
  [
    'a file of that name',
    post(`${part('name="token"; filename="t"', token)}--test--\r\n`, { headers: multipart }),
  ],
  ['a cookie', post('', { headers: ['Cookie', `token=${token}`] })],
  ['a token in quotes', post(`"${token}"`)],
  ['a token and a line end', post(`${token}\n`)],
  ['a JSON object without one', post('{"data":{"eventId":"e"}}')],
  ['a nested member', post(`{"data":{"token":"${token}"}}`)],
  ['a multipart form without a header that says so', post(`${part('name="token"', token)}--test--\r\n`)],
  ['a header that is no token', post('', { headers: ['Authorization', 'Bearer opaque'] })],
])('misses the token in %s', async (_what, delivery) => expect(await found(delivery)).toBe('proof_missing'));

it.each([
  ['a form with more than 1000 fields', post(`${'a&'.repeat(1000)}token=${token}`)],
  ['a query with more than 1000 fields', get(`${'a&'.repeat(1000)}token=${token}`)],
  [
    'a multipart form with more than 1000 parts',
    post(`${part('name="a"', '').repeat(1001)}--test--\r\n`, { headers: multipart }),
  ],
  ['a multipart form cut off', post(part('name="token"', token), { headers: multipart })],
  ['a multipart form with another boundary', post('--other\r\n--other--\r\n', { headers: multipart })],
  ['a part without a name', post(`${part('filename="t"', token)}--test--\r\n`, { headers: multipart })],
  ['broken JSON', post('{"token":')],
  ['JSON with a comma behind', post(`{"token":"${token}",}`)],
  ['a JSON list of one', post(`{"token":["${token}"]}`)],
  ['a JSON object of it', post(`{"token":{"value":"${token}"}}`)],
  ['a JSON object with toString', post(`{"token":{"toString":"${token}"}}`)],
  ['JSON null', post('{"token":null}')],
  ['a JSON member before another one', post(`{"token":"${token}","token":"wrong"}`)],
  ['a JSON member behind another one', post(`{"token":"${other}","token":"${token}"}`)],
  ['a JSON prototype', post(`{"__proto__":{"token":"${token}"}}`)],
  ['a JSON list', post(`["${token}"]`)],
  ['a token that is no text', post('{"token":7}')],
])('refuses as malformed %s', async (_what, delivery) =>
  expect(await found(delivery)).toBe('proof_malformed'),
);

it('finds a token among odd fields, and under an escaped name', async () => {
  const odd = `__proto__[a]=1&&=&a[]=2&token=${token}&constructor&toString=3`;
  for (const fields of [odd, `%74oken=${token}`]) {
    expect([await found(post(fields)), await found(get(fields))]).toEqual([token, token]);
  }
});

it('finds a token among exactly 1000 fields', async () => {
  expect(await found(post(`${'a&'.repeat(999)}token=${token}`))).toBe(token);
});

it('takes any bytes, query and headers for a token or refuses them', async () => {
  const hint = fc.constantFrom(
    'token=',
    '&',
    '{"token":"',
    '"}',
    '--test',
    '\r\n',
    '%',
    'a.b.c',
    '\0',
    '__proto__=',
    '[',
  );
  const mixed = fc.array(fc.oneof(hint, fc.string({ unit: 'binary' }))).map((parts) => parts.join(''));
  const body = fc.oneof(
    mixed.map((value) => Buffer.from(value)),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  );
  const name = fc.constantFrom('Authorization', 'content-type', 'Content-Type', 'x');
  const value = fc.oneof(
    fc.constantFrom(...multipart.slice(1), 'multipart/form-data; boundary="\\', 'multipart/form-data;'),
    mixed,
  );
  const headers = fc.array(fc.tuple(name, value)).map((pairs) => pairs.flat());
  const delivery = fc.record({
    method: fc.constantFrom('GET', 'POST', 'PUT'),
    query: mixed,
    headers,
    body,
    receivedAt: fc.constant(0),
  });
  await fc.assert(
    fc.asyncProperty(delivery, async (any) => expect(typeof (await found(any))).toBe('string')),
    { numRuns: 500 },
  );
});

async function wordsOn(delivery: Delivery): Promise<string> {
  try {
    return await findToken(delivery);
  } catch (error) {
    if (error instanceof DeliveryRejected) return error.message;
    throw error;
  }
}

it.each([
  [
    'a token of its own in Authorization',
    post(`token=${token}`, { headers: ['Authorization', `Bearer ${other}`] }),
    /in the body and the Authorization header\. Does a gateway/,
  ],
  [
    'a second Authorization header',
    post('', { headers: ['Authorization', other, 'Authorization', token] }),
    /more than once in the Authorization header\. Does a gateway/,
  ],
  ['the field twice', post(`token=${token}&token=${token}`), /more than once in the body\.$/],
  ['quotes around the body', post(`"${token}"`), /quotes, blanks or a line end/],
  ['a line end behind the body', post(`${token}\r\n`), /quotes, blanks or a line end/],
  ['another kind of authorization', post('{}', { headers: ['Authorization', 'abc'] }), /ends in _TOKEN/],
  ['an empty field', post('token='), /it is empty/],
  ['nothing at all', post(''), /redirect or a proxy/],
  ['a form without it', post('a=b'), /set to HMAC authentication/],
])('says the likely cause where there is %s', async (_, delivery, words) => {
  const message = await wordsOn(delivery);
  expect(message).toMatch(words);
  for (const part of [token, other].flatMap((one) => one.split('.'))) expect(message).not.toContain(part);
});
