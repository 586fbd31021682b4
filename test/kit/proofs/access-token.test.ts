import { expect, it } from '@jest/globals';
import { accessToken, accessTokenHeader } from '../../../src/kit/proofs/access-token.ts';
import { importSecret } from '../../../src/kit/proofs/secrets.ts';
import { deliveryOf, outcomeOf, refusalOf } from './outcome.ts';

const TEXT = 'token-typed-in-at-the-sender';
const secret = await importSecret(TEXT);
const proof = accessToken({ content: ({ body }) => body });
const outcome = (...values: string[]) =>
  outcomeOf(() =>
    proof.verify(
      deliveryOf(
        '{}',
        values.flatMap((value) => ['Authorization', value]),
      ),
      [secret],
    ),
  );

it.each(['bare', 'bearer', 'token'] as const)('accepts the form its own sender writes: %s', async (form) =>
  expect(await outcome(accessTokenHeader(TEXT, form))).toBe('accepted'),
);

it.each([`BEARER ${TEXT}`, `tOkEn \t ${TEXT}`])(
  'takes the scheme word in any letter case: %s',
  async (value) => expect(await outcome(value)).toBe('accepted'),
);

it('gives what the source calls the content, and says which secret matched', async () => {
  const older = await importSecret('token-before-the-last-rotation', 2);
  const fromQuery = accessToken({ content: async ({ query }) => Buffer.from(query) });
  const delivery = { ...deliveryOf('', ['authorization', 'token-before-the-last-rotation']), query: 'a=1' };
  expect(await fromQuery.verify(delivery, [secret, older])).toEqual({
    content: Buffer.from('a=1'),
    secret: 2,
  });
});

it('does not ask for the content before the token holds', async () => {
  const eager = accessToken({
    content: () => {
      throw new Error('asked');
    },
  });
  const delivery = deliveryOf('', ['Authorization', 'wrong']);
  expect(await outcomeOf(() => eager.verify(delivery, [secret]))).toBe('proof_mismatch');
});

it('finds no proof in a missing or empty header', async () => {
  expect(await outcome()).toBe('proof_missing');
  expect(await outcome('')).toBe('proof_missing');
});

it('refuses two headers, even with the same token', async () => {
  expect(await outcome(TEXT, TEXT)).toBe('proof_ambiguous');
  expect(await outcome('wrong', TEXT)).toBe('proof_ambiguous');
});

it.each([
  `${TEXT}x`,
  TEXT.slice(0, -1),
  TEXT.toUpperCase(),
  'Bearer wrong',
  `Digest token="${TEXT}"`,
  `${TEXT},token-before-the-last-rotation`,
  `${TEXT}+`,
  `${TEXT}%ZZ`,
  TEXT.replace('t', '\u00c1\u00b4'),
  Array.from(TEXT, (letter) => String.fromCharCode(letter.charCodeAt(0) | 0x80)).join(''),
  TEXT.repeat(500),
  ...['constructor', '__proto__', 'toString', '{}'],
  `Basic ${TEXT}`,
  `Bearer Bearer ${TEXT}`,
  `Bearer${TEXT}`,
  `Bearer: ${TEXT}`,
  `"${TEXT}"`,
  `${TEXT}, ${TEXT}`,
  'Bearer',
  'Bearer ',
  'null',
])('refuses the value %s', async (value) => expect(await outcome(value)).toBe('proof_mismatch'));

it('compares the whole value first: a token may begin with a scheme word', async () => {
  const odd = await importSecret('Bearer of good news');
  const delivery = deliveryOf('', ['Authorization', 'Bearer of good news']);
  expect(await outcomeOf(() => proof.verify(delivery, [odd]))).toBe('accepted');
});

it('compares bytes: letters outside ASCII as they were on the wire', async () => {
  const accented = await importSecret('nyckel-åäö-2031');
  const onTheWire = Buffer.from('nyckel-åäö-2031').toString('latin1');
  const verify = (value: string) =>
    outcomeOf(() => proof.verify(deliveryOf('', ['Authorization', value]), [accented]));
  expect(await verify(onTheWire)).toBe('accepted');
  expect(await verify('nyckel-åäö-2031')).toBe('proof_mismatch');
});

it('says in no refusal anything of the token', async () => {
  const delivery = deliveryOf('', ['Authorization', 'my-private-value']);
  const { message } = await refusalOf(() => proof.verify(delivery, [secret]));
  expect(message).not.toContain('my-private-value');
  expect(message).not.toContain(TEXT);
});

it.each([
  ['eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln', 'A JWT came'],
  ['Bearer eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln', 'A JWT came'],
  ['Basic YTpi', 'Credentials of another kind came'],
  [`"${TEXT}"`, 'in quotes'],
  [TEXT.toUpperCase(), 'upper and lower case'],
])('says what %s likely is', async (value, words) => {
  const delivery = deliveryOf('', ['Authorization', value]);
  const { message } = await refusalOf(() => proof.verify(delivery, [secret]));
  expect(message).toContain(words);
  expect(message).toContain('does not hold the access token of this endpoint');
});
