import { expect, it } from '@jest/globals';
import { signCompact } from '../../../src/kit/proofs/compact.ts';
import { DeliveryRejected } from '../../../src/kit/errors.ts';
import { jwt } from '../../../src/kit/proofs/jwt.ts';
import { importSecret } from '../../../src/kit/proofs/secrets.ts';
import { deliveryOf, outcomeOf } from './outcome.ts';

const secret = await importSecret('a-secret-of-more-than-32-characters!');
const token = await signCompact(Buffer.from('{"eventId":"1"}'), secret, '{"typ":"JWT","alg":"HS256"}');
const inQuery = jwt({ find: async ({ query }) => query });

it('verifies the token that the source finds in the delivery', async () => {
  const delivery = { ...deliveryOf('unsigned bytes around it'), query: token };
  expect(await inQuery.verify(delivery, [secret])).toEqual({
    content: Buffer.from('{"eventId":"1"}'),
    secret: 1,
    encoding: 'utf8',
    value: { eventId: '1' },
  });
});

it('leaves it to the source to say that there is no token, or more than one', async () => {
  const proof = jwt({
    find: () => {
      throw new DeliveryRejected('proof_ambiguous', 'two fields');
    },
  });
  expect(await outcomeOf(() => proof.verify(deliveryOf(''), [secret]))).toBe('proof_ambiguous');
  expect(await outcomeOf(() => inQuery.verify(deliveryOf(''), [secret]))).toBe('proof_missing');
});

// A24
it.each([
  ` ${token}`,
  `${token}\n`,
  `"${token}"`,
  `Bearer ${token}`,
  token.toUpperCase(),
  encodeURIComponent(`${token}=`),
])('forgives nothing around the token', async (wrapped) => {
  const delivery = { ...deliveryOf(''), query: wrapped };
  expect(await outcomeOf(() => inQuery.verify(delivery, [secret]))).toBe('proof_malformed');
});

it('is strict about type and times unless told otherwise', async () => {
  const sign = (header: string, payload: string) => signCompact(Buffer.from(payload), secret, header);
  const verify = async (text: string) =>
    outcomeOf(() => jwt({ find: () => text }).verify(deliveryOf(''), [secret]));
  expect(await verify(await sign('{"alg":"HS256","typ":"at+jwt"}', '{}'))).toBe('proof_foreign');
  expect(await verify(await sign('{"alg":"HS256"}', '{"exp":null}'))).toBe('proof_malformed');
  expect(await verify(await sign('{"alg":"HS256"}', '{"exp":1}'))).toBe('proof_stale');
  expect(await verify(await sign('{"alg":"HS256"}', '{}'))).toBe('accepted');
});
