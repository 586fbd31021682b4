import { createHash, createHmac } from 'node:crypto';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hmacHeader, signHmacHeader, type HmacScheme } from '../../../src/kit/proofs/hmac-header.ts';
import { importSecret } from '../../../src/kit/proofs/secrets.ts';
import { deliveryOf, outcomeOf, refusalOf } from './outcome.ts';

const TEXT = 'a-secret-of-more-than-32-characters!';
const secret = await importSecret(TEXT);
const older = await importSecret('the-secret-before-the-last-rotation', 2);
const BODY = '{"taskId":"1","eventType":"OrderSigned"}';
const HMAC = createHmac('sha256', TEXT).update(BODY).digest();
const HEX = HMAC.toString('hex');
const BASE64 = HMAC.toString('base64');
const BASE64URL = HMAC.toString('base64url');

const proof = hmacHeader({ header: 'x-signature', scheme: 'hmac-sha256' });
const outcome = (signature: string, body: Buffer | string = BODY) =>
  outcomeOf(() => proof.verify(deliveryOf(body, ['X-Signature', signature]), [secret]));

it('accepts every spelling its own sender can make, in every scheme', async () => {
  const spelling = fc.record({
    scheme: fc.constantFrom<HmacScheme>('hmac-sha256', 'sha256-body-secret', 'sha256-secret-body'),
    encoding: fc.constantFrom('hex', 'base64', 'base64url'),
    letterCase: fc.constantFrom('lower', 'upper'),
    prefix: fc.constantFrom('', 'sha256=', 'SHA-256:', 'hmac-sha256='),
  });
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), spelling, async (value, given) => {
      const body = Buffer.from(JSON.stringify(value));
      const signature = signHmacHeader(body, secret.bytes, given);
      const proven = await hmacHeader({ header: 'x-signature', scheme: given.scheme }).verify(
        deliveryOf(body, ['x-signature', signature]),
        [older, secret],
      );
      expect(proven).toEqual({ content: body, secret: 1 });
    }),
  );
});

it('says which live secret matched', async () => {
  const delivery = deliveryOf(BODY, [
    'x-SIGNATURE',
    createHmac('sha256', older.bytes).update(BODY).digest('hex'),
  ]);
  expect(await proof.verify(delivery, [secret, older])).toEqual({ content: Buffer.from(BODY), secret: 2 });
});

it.each([
  ` ${HEX}\t`,
  `sha256=${HEX}`,
  `SHA256:${BASE64}`,
  `sha-256=${BASE64URL}`,
  `hmac-sha256=${HEX.toUpperCase()}`,
  `${BASE64URL}=`,
  BASE64.slice(0, -1),
])('accepts the spelling %s', async (signature) => expect(await outcome(signature)).toBe('accepted'));

// B1
it('finds no proof in a missing, empty or blank header', async () => {
  expect(await outcomeOf(() => proof.verify(deliveryOf(BODY), [secret]))).toBe('proof_missing');
  expect(await outcomeOf(() => proof.verify(deliveryOf(BODY, ['X_Signature', HEX]), [secret]))).toBe(
    'proof_missing',
  );
  expect(await outcome('')).toBe('proof_missing');
  expect(await outcome(' \t ')).toBe('proof_missing');
});

// B1, B2, B3, B4, B5
it.each([
  'null',
  'undefined',
  'NaN',
  'sha256=',
  ...[1, 2, 31, 32, 63, 65, 128].map((length) => 'a'.repeat(length)),
  HEX.replace(/..(?=.)/g, '$& '),
  HEX.replace(/../g, '%$&'),
  `${HEX}=`,
  Buffer.concat([HMAC, Buffer.alloc(1)]).toString('base64'),
  HMAC.subarray(0, 16).toString('base64'),
  `${BASE64.slice(0, 8)}\t${BASE64.slice(8)}`,
  `${BASE64}!!`,
  BASE64.replace(/^./, '.'),
  BASE64URL.slice(0, 42),
  `${BASE64URL}AA`,
  `sha-256:sha256=${HEX}`,
  `sha256${HEX}`,
  createHmac('sha512', TEXT).update(BODY).digest('base64'),
  HEX.slice(0, 62),
  HEX.slice(0, 63),
  `${HEX}0`,
  `${HEX}00`,
  `${HEX}zzzz`,
  `${HEX.slice(0, 62)}zz`,
  `${HEX.slice(0, 10)} ${HEX.slice(10)}`,
  `0x${HEX}`,
  `"${HEX}"`,
  `${BASE64}=`,
  `${BASE64}junk`,
  `${BASE64.slice(0, 8)} ${BASE64.slice(8)}`,
  `${BASE64.slice(0, 8)}\n${BASE64.slice(8)}`,
  `=${BASE64.slice(0, -1)}`,
  `${BASE64.slice(0, -2)}==`,
  Buffer.from(HEX).toString('base64'),
  Buffer.from(BASE64).toString('hex'),
  `sha256=sha256=${HEX}`,
  `sha256 =${HEX}`,
  `sha256= ${HEX}`,
  `sha1=${HEX}`,
  `sha512=${HEX}`,
  `v1=${HEX}`,
  `sha1=${createHmac('sha1', TEXT).update(BODY).digest('hex')}`,
  createHmac('sha1', TEXT).update(BODY).digest('hex'),
  createHmac('md5', TEXT).update(BODY).digest('hex'),
  createHmac('sha512', TEXT).update(BODY).digest('hex'),
  createHmac('sha384', TEXT).update(BODY).digest('base64'),
  `${HEX}\u0000`,
  `${HEX}\u00a0`,
  `${HEX.slice(0, 63)}\u00e9`,
])('refuses the spelling %j', async (signature) => expect(await outcome(signature)).toBe('proof_malformed'));

it('refuses ten thousand characters', async () =>
  expect(await outcome('a'.repeat(10_000))).toBe('proof_malformed'));

// B4
it('refuses every other last character that decodes to the same bytes, and a mix of alphabets', async () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const unpadded = BASE64.slice(0, -1);
  const twins = Array.from(alphabet, (last) => unpadded.slice(0, -1) + last).filter(
    (twin) => twin !== unpadded && Buffer.from(twin, 'base64').equals(HMAC),
  );
  expect(twins).toHaveLength(3);
  for (const twin of twins) {
    expect(await outcome(twin)).toBe('proof_malformed');
    expect(await outcome(`${twin}=`)).toBe('proof_malformed');
    const inOther = twin.replaceAll('+', '-').replaceAll('/', '_');
    expect(await outcome(inOther)).toBe('proof_malformed');
    expect(await outcome(`${inOther}=`)).toBe('proof_malformed');
  }
  expect(await outcome(`+_${'A'.repeat(41)}`)).toBe('proof_malformed');
});

// B6
it('refuses more than one signature, whichever of them is right', async () => {
  const wrong = '0'.repeat(64);
  for (const [first, second] of [
    [HEX, wrong],
    [wrong, HEX],
    [HEX, HEX],
  ]) {
    const twice = deliveryOf(BODY, ['X-Signature', first ?? '', 'x-signature', second ?? '']);
    expect(await outcomeOf(() => proof.verify(twice, [secret]))).toBe('proof_ambiguous');
    expect(await outcome(`${first ?? ''}, ${second ?? ''}`)).toBe('proof_ambiguous');
    expect(await outcome(`${first ?? ''} ${second ?? ''}`)).toBe('proof_malformed');
  }
  expect(await outcome(Array(5000).fill(HEX).join(','))).toBe('proof_ambiguous');
});

// B8
it('refuses a signature over anything but this body with this secret', async () => {
  const sign = (message: string, key = TEXT) => createHmac('sha256', key).update(message).digest('hex');
  const others = [
    sign(''),
    sign(JSON.stringify({ eventType: 'OrderSigned', taskId: '1' })),
    sign(`${BODY}?key=north`),
    sign(`POST /phenixid ${BODY}`),
    sign(`/phenixid${BODY}`),
    sign(Buffer.from(BODY).toString('base64')),
    sign(BODY, `${TEXT},the-secret-before-the-last-rotation`),
    sign(BODY, 'phenixid'),
    createHmac('sha3-256', TEXT).update(BODY).digest('hex'),
    createHmac('sha256', TEXT).update(HMAC).digest('hex'),
    Buffer.from(HMAC).reverse().toString('hex'),
    '0'.repeat(64),
    sign(BODY, 'the secret of another sender'),
    sign(BODY, 'the-secret-before-the-last-rotation'),
    sign(BODY, ''),
    sign(TEXT, BODY),
  ];
  for (const signature of others) expect(await outcome(signature)).toBe('proof_mismatch');
  expect(await outcomeOf(() => proof.verify(deliveryOf(BODY, ['x-signature', HEX]), []))).toBe(
    'proof_mismatch',
  );
});

// B9, E1, E2
it.each([
  JSON.stringify(JSON.parse(BODY), null, 2),
  BODY.replace(',', ',\r\n'),
  BODY.replace('{', '{"a":"\\/",'),
  BODY.replace('{', '{"eventType":"OrderAccepted",'),
  BODY.replace('OrderSigned', 'OrderAccepted'),
  BODY.replace('OrderSigned', 'orderSigned'),
  Buffer.from(BODY, 'utf16le'),
  ` ${BODY}`,
  `${BODY} `,
  `${BODY}\r\n`,
  `\uFEFF${BODY}`,
  BODY.replace('1', '0'),
  BODY.replace('"1"', '"\\u0031"'),
  BODY.replace(',', ', '),
  '{"eventType":"OrderSigned","taskId":"1"}',
  '',
])('refuses the body %j under the signature of another', async (body) =>
  expect(await outcome(HEX, body)).toBe('proof_mismatch'),
);

it('signs bytes: an invalid byte is not the replacement character that a text would make of it', async () => {
  const body = Buffer.from([0x22, 0xff, 0x22]);
  const overText = createHmac('sha256', TEXT).update(body.toString('utf8')).digest('hex');
  const overBytes = createHmac('sha256', TEXT).update(body).digest('hex');
  expect(await outcome(overText, body)).toBe('proof_mismatch');
  expect(await outcome(overBytes, body)).toBe('accepted');
});

it.each<HmacScheme>(['hmac-sha256', 'sha256-body-secret', 'sha256-secret-body'])(
  'never takes a hash of the body alone, nor another scheme: %s',
  async (scheme) => {
    const hashed = (...parts: string[]) => createHash('sha256').update(parts.join('')).digest('hex');
    const signatures = {
      'hmac-sha256': HEX,
      'sha256-body-secret': hashed(BODY, TEXT),
      'sha256-secret-body': hashed(TEXT, BODY),
    };
    const chosen = hmacHeader({ header: 'x-signature', scheme });
    const verify = (signature: string) =>
      outcomeOf(() => chosen.verify(deliveryOf(BODY, ['x-signature', signature]), [secret]));
    expect(await verify(hashed(BODY))).toBe('proof_mismatch');
    for (const [made, signature] of Object.entries(signatures)) {
      expect(await verify(signature)).toBe(made === scheme ? 'accepted' : 'proof_mismatch');
    }
  },
);

it('with sha256-secret-body, refuses any byte around one JSON value', async () => {
  const chosen = hmacHeader({ header: 'x-signature', scheme: 'sha256-secret-body' });
  const padding = Buffer.concat([Buffer.from([0x80]), Buffer.alloc(40), Buffer.from([0x02, 0x60])]);
  const bodies: (Buffer | string)[] = [
    `${BODY}\n`,
    `${BODY} `,
    ` ${BODY}`,
    `${BODY}{}`,
    `${BODY}\0`,
    Buffer.concat([Buffer.from(BODY), padding]),
    Buffer.concat([Buffer.from(BODY), padding, Buffer.from(BODY)]),
    '',
  ];
  for (const body of bodies) {
    const signature = createHash('sha256').update(TEXT).update(body).digest('hex');
    const delivery = deliveryOf(body, ['x-signature', signature]);
    expect(await outcomeOf(() => chosen.verify(delivery, [secret]))).toBe('proof_malformed');
  }
});

it('says in no refusal anything of signature, secret or body', async () => {
  const signatures = [`${HEX}00`, '0'.repeat(64), `${HEX},${HEX}`, BASE64.replace('=', '==')];
  for (const signature of signatures) {
    const delivery = deliveryOf(BODY, ['x-signature', signature]);
    const { message } = await refusalOf(() => proof.verify(delivery, [secret]));
    for (const told of [HEX, BASE64, TEXT, 'OrderSigned', '0'.repeat(64)])
      expect(message).not.toContain(told);
  }
});

it.each([
  [`"${'a'.repeat(64)}"`, 'in quotes'],
  ['a'.repeat(40), 'SHA-1'],
  [`sha1=${'a'.repeat(40)}`, 'another hash'],
  ['a'.repeat(128), 'SHA-512'],
  ['a'.repeat(63), 'cut off'],
])('says what the signature %s likely is', async (signature, words) => {
  const headers = ['X-Signature', signature];
  const { message } = await refusalOf(() => proof.verify(deliveryOf(BODY, headers), [secret]));
  expect(message).toContain(words);
});

it('says of one secret that it is one', async () => {
  const headers = ['X-Signature', 'a'.repeat(64)];
  const { message } = await refusalOf(() => proof.verify(deliveryOf(BODY, headers), [secret]));
  expect(message).toContain('with the secret of this endpoint.');
});
