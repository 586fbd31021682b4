import { expect, it } from '@jest/globals';
import { importSecret } from '../../../src/kit/proofs/secrets.ts';

it.each(['utf8', 'base64'] as const)('refuses an empty secret read as %s', async (encoding) => {
  await expect(importSecret('', 1, encoding)).rejects.toThrow();
});

it('reads a secret as its UTF-8 bytes unless told otherwise', async () => {
  const { bytes } = await importSecret('nyckel-åäö-2031');
  expect(bytes).toEqual(Buffer.from('nyckel-åäö-2031', 'utf8'));
});

it.each([
  ['base64', 'base64'],
  ['base64url', 'base64url'],
] as const)('reads %s with either alphabet, with padding or without', async (_what, alphabet) => {
  const bytes = Buffer.alloc(32, 0xfb);
  const text = bytes.toString(alphabet);
  expect((await importSecret(text, 1, 'base64')).bytes).toEqual(bytes);
  expect((await importSecret(text.replace('=', ''), 1, 'base64')).bytes).toEqual(bytes);
});

it.each(['ab=this-is-not-base64-but-long-enough', 'two words that are no base64 either', 'c2hvcnQ='])(
  'does not make a weak key of a text that is no base64: %s',
  async (text) => {
    await expect(importSecret(text, 1, 'base64')).rejects.toThrow(/not base64 of at least 16 bytes/);
  },
);

it('does not print the secret it refuses', async () => {
  await expect(importSecret('ab=my-private-secret', 1, 'base64')).rejects.not.toThrow(/my-private/);
});
