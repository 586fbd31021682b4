import { expect, it } from '@jest/globals';
import { signCompact } from '../../../src/kit/proofs/compact.ts';
import { jwsBody } from '../../../src/kit/proofs/jws-body.ts';
import { importSecret } from '../../../src/kit/proofs/secrets.ts';
import { deliveryOf, outcomeOf } from './outcome.ts';

const secret = await importSecret('a-secret-of-more-than-32-characters!');
const token = await signCompact(Buffer.from('{"id":"usr-1"}'), secret);

const outcome = (body: Buffer | string, headers: string[] = []) =>
  outcomeOf(() => jwsBody().verify(deliveryOf(body, headers), [secret]));

it('gives the payload, not the body', async () => {
  const { content } = await jwsBody().verify(deliveryOf(token), [secret]);
  expect(content.toString()).toBe('{"id":"usr-1"}');
});

it.each(['application/json', 'application/jose', 'text/plain; charset=utf-16', 'multipart/form-data', ''])(
  'does not care about the content type %s',
  async (type) => expect(await outcome(token, ['Content-Type', type])).toBe('accepted'),
);

it('trims blanks and line ends on both sides', async () => {
  expect(await outcome(` \t\r\n${token}\n\r\n `)).toBe('accepted');
  for (const blanks of ['\n', '\r\n', ' ', '\t', '\n\n  ']) {
    expect([await outcome(blanks + token), await outcome(token + blanks)]).toEqual(['accepted', 'accepted']);
  }
});

it.each(['', ' ', '\r\n\r\n'])('finds no proof in a body without a token', async (body) =>
  expect(await outcome(body)).toBe('proof_missing'),
);

// A24
it.each([
  ['double quotes', `"${token}"`],
  ['single quotes', `'${token}'`],
  ['a scheme word', `Bearer ${token}`],
  ['a form field', `token=${token}`],
  ['a byte order mark', `\uFEFF${token}`],
  ['a no-break space', `${token}\u00A0`],
  ['a vertical tab', `${token}\v`],
  ['NUL', `${token}\0`],
  ['another token', `${token}\n${token}`],
])('refuses a token with %s', async (_what, body) => expect(await outcome(body)).toBe('proof_malformed'));

it.each(['\v', '\f', '\0', '\u0085', '\u00a0', '\u2028', '\u200b', '\ufeff'])(
  'takes no other character around a token for a blank: %j',
  async (character) => {
    const codes = ['proof_malformed', 'proof_header_refused'];
    expect(codes).toContain(await outcome(character + token));
    expect(codes).toContain(await outcome(token + character));
  },
);

it('refuses bytes that would be the token if their eighth bit were dropped', async () => {
  const body = Buffer.from(token);
  body[5] = (body[5] ?? 0) | 0x80;
  expect(await outcome(body)).toBe('proof_malformed');
});

it('refuses the token in UTF-16', async () =>
  expect(await outcome(Buffer.from(token, 'utf16le'))).toBe('proof_malformed'));

it('honours times where they happen to be, with five minutes of tolerance', async () => {
  const at = (nowS: number) => jwsBody({ now: () => nowS * 1000 });
  const expiring = await signCompact(Buffer.from('{"exp":1000}'), secret);
  expect(await outcomeOf(() => at(1299).verify(deliveryOf(expiring), [secret]))).toBe('accepted');
  expect(await outcomeOf(() => at(1300).verify(deliveryOf(expiring), [secret]))).toBe('proof_stale');
});
