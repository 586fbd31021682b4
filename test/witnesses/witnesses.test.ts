import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { accessToken } from '../../src/kit/proofs/access-token.ts';
import { signCompact, unsignedCompact } from '../../src/kit/proofs/compact.ts';
import { hmacHeader, signHmacHeader, type HmacSpelling } from '../../src/kit/proofs/hmac-header.ts';
import { jwsBody } from '../../src/kit/proofs/jws-body.ts';
import { jwt } from '../../src/kit/proofs/jwt.ts';
import { importSecret } from '../../src/kit/proofs/secrets.ts';
import { deliveryOf, outcomeOf } from '../kit/proofs/outcome.ts';

const hotdocs = witnesses(
  'hotdocs',
  z.object({
    secret: z.string(),
    claims: z.record(z.string(), z.string()),
    deliveries: z.array(
      z.object({
        name: z.string(),
        token: z.string(),
        keyEncodings: z.array(z.enum(['utf8', 'base64'])),
        outcome: z.string(),
      }),
    ),
  }),
);

const phenixid = witnesses(
  'phenixid',
  z.object({
    header: z.string(),
    deliveries: z.array(
      z.object({
        name: z.string(),
        scheme: z.enum(['hmac-sha256', 'sha256-body-secret', 'sha256-secret-body']),
        secret: z.string(),
        signature: z.string(),
        body: z.string(),
        outcome: z.string(),
      }),
    ),
  }),
);

const risr = witnesses(
  'risr',
  z.object({
    payload: z.string(),
    deliveries: z.array(
      z.object({ name: z.string(), secret: z.string(), body: z.string(), outcome: z.string() }),
    ),
    signatures: z.array(
      z.object({ delivery: z.string(), base64url: z.string(), hex: z.string(), base64: z.string() }),
    ),
  }),
);

const bodyIsToken = jwt({ find: ({ body }) => body.toString('latin1') });

function witnesses<Schema extends z.ZodType>(source: string, schema: Schema): z.output<Schema> {
  const file = new URL(`./${source}.json`, import.meta.url);
  return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
}

it.each(hotdocs.deliveries)('HotDocs: $name: $outcome', async ({ token, keyEncodings, outcome }) => {
  const secrets = await Promise.all(
    keyEncodings.map((encoding) => importSecret(hotdocs.secret, 1, encoding)),
  );
  expect(await outcomeOf(() => bodyIsToken.verify(deliveryOf(token), secrets))).toBe(outcome);
});

it('HotDocs: the content is the claims', async () => {
  const [delivery] = hotdocs.deliveries;
  const secret = await importSecret(hotdocs.secret);
  const proven = await bodyIsToken.verify(deliveryOf(delivery?.token ?? ''), [secret]);
  expect(JSON.parse(proven.content.toString())).toEqual(hotdocs.claims);
});

it('HotDocs: any single character changed is refused', async () => {
  const [delivery] = hotdocs.deliveries;
  const secret = await importSecret(hotdocs.secret);
  for (const token of withOneCharacterChanged(delivery?.token ?? '')) {
    expect(await outcomeOf(() => bodyIsToken.verify(deliveryOf(token), [secret]))).toMatch(/^proof_/);
  }
});

// HD-18, HD-19: the vendor's example of the legacy method, bare and behind either scheme word.
it.each(['exampletoken', 'Bearer exampletoken', 'bearer exampletoken', 'Token exampletoken'])(
  'HotDocs: accepts the access token in the form %s',
  async (value) => {
    const proof = accessToken({ content: ({ body }) => body });
    const delivery = deliveryOf('{}', ['Authorization', value]);
    const secret = await importSecret('exampletoken');
    expect(await outcomeOf(() => proof.verify(delivery, [secret]))).toBe('accepted');
  },
);

it.each(phenixid.deliveries)(
  'PhenixID: $name: $outcome',
  async ({ scheme, secret, signature, body, outcome }) => {
    const proof = hmacHeader({ header: phenixid.header, scheme });
    const delivery = deliveryOf(body, ['X-Signature', signature]);
    const secrets = [await importSecret(secret)];
    expect(await outcomeOf(() => proof.verify(delivery, secrets))).toBe(outcome);
  },
);

it('PhenixID: any single character of body or signature changed is refused', async () => {
  const [delivery] = phenixid.deliveries;
  const { body, signature, secret } = delivery ?? { body: '', signature: '', secret: '' };
  const proof = hmacHeader({ header: phenixid.header, scheme: 'hmac-sha256' });
  const secrets = [await importSecret(secret)];
  const changed = [
    ...withOneCharacterChanged(body).map((other) => deliveryOf(other, ['X-Signature', signature])),
    ...withOneCharacterChanged(signature).map((other) => deliveryOf(body, ['X-Signature', other])),
  ];
  for (const one of changed) {
    expect(await outcomeOf(() => proof.verify(one, secrets))).toMatch(/^proof_/);
  }
});

it.each(risr.deliveries)('risr: $name: $outcome', async ({ secret, body, outcome }) => {
  const secrets = [await importSecret(secret)];
  expect(await outcomeOf(() => jwsBody().verify(deliveryOf(body), secrets))).toBe(outcome);
});

it('risr: the content is the payload, byte for byte', async () => {
  const [delivery] = risr.deliveries;
  const secret = await importSecret(delivery?.secret ?? '');
  const proven = await jwsBody().verify(deliveryOf(delivery?.body ?? ''), [secret]);
  expect(proven.content.toString()).toBe(risr.payload);
});

it('risr: any single character changed is refused', async () => {
  const [delivery] = risr.deliveries;
  const secrets = [await importSecret(delivery?.secret ?? '')];
  for (const body of withOneCharacterChanged(delivery?.body ?? '')) {
    expect(await outcomeOf(() => jwsBody().verify(deliveryOf(body), secrets))).toMatch(/^proof_/);
  }
});

it.each(risr.signatures)(
  'risr: $delivery: the right signature is refused in hex and in base64',
  async (row) => {
    const { secret, body } = risr.deliveries.find(({ name }) => name === row.delivery) ?? {
      secret: '',
      body: '',
    };
    const secrets = [await importSecret(secret)];
    const withSignature = (signature: string) => deliveryOf(body.replace(/[^.]*$/, signature));
    expect(await outcomeOf(() => jwsBody().verify(withSignature(row.base64url), secrets))).toBe('accepted');
    expect(await outcomeOf(() => jwsBody().verify(withSignature(row.hex), secrets))).toBe('proof_malformed');
    expect(await outcomeOf(() => jwsBody().verify(withSignature(row.base64), secrets))).toBe(
      'proof_malformed',
    );
  },
);

it('risr: our own sender writes the same bodies', async () => {
  const bodyNamed = (name: string) => risr.deliveries.find((delivery) => delivery.name === name)?.body;
  const secret = await importSecret(risr.deliveries[0]?.secret ?? '');
  const payload = Buffer.from(risr.payload);
  expect(await signCompact(payload, secret)).toBe(bodyNamed('as python-jose writes a dict'));
  expect(await signCompact(payload, secret, '{"typ":"JWT","alg":"HS256"}')).toBe(
    bodyNamed('header members in the other order'),
  );
  expect(unsignedCompact(payload)).toBe(bodyNamed('alg none'));
});

const plain: HmacSpelling = { scheme: 'hmac-sha256', encoding: 'hex', letterCase: 'lower', prefix: '' };

it.each<[string, HmacSpelling]>([
  ['HMAC-SHA256 in lower-case hex', plain],
  ['HMAC-SHA256 in upper-case hex', { ...plain, letterCase: 'upper' }],
  ['HMAC-SHA256 in hex with a prefix', { ...plain, prefix: 'sha256=' }],
  ['HMAC-SHA256 in base64', { ...plain, encoding: 'base64' }],
  ['HMAC-SHA256 in unpadded base64url', { ...plain, encoding: 'base64url' }],
  [
    'SHA-256 of body and secret, in hex, where sha256-body-secret is set',
    { ...plain, scheme: 'sha256-body-secret' },
  ],
  [
    'SHA-256 of secret and body, in hex, where sha256-secret-body is set',
    { ...plain, scheme: 'sha256-secret-body' },
  ],
])('PhenixID: our own sender writes the same %s', (name, spelling) => {
  const { body, secret, signature } = phenixid.deliveries.find((delivery) => delivery.name === name) ?? {
    body: '',
    secret: '',
    signature: undefined,
  };
  expect(signHmacHeader(Buffer.from(body), Buffer.from(secret), spelling)).toBe(signature);
});

// RFC 7515, appendix A.1: https://www.rfc-editor.org/rfc/rfc7515#appendix-A.1
it('accepts the example token of the JWS standard at its own time, and not today', async () => {
  const token =
    'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9' +
    '.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ' +
    '.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
  const secret = await importSecret(
    'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
    1,
    'base64',
  );
  const then = jwt({ find: () => token, issuer: 'joe', now: () => 1_300_819_000_000 });
  const today = jwt({ find: () => token, issuer: 'joe' });
  expect(await outcomeOf(() => then.verify(deliveryOf(''), [secret]))).toBe('accepted');
  expect(await outcomeOf(() => today.verify(deliveryOf(''), [secret]))).toBe('proof_stale');
});

const opensslRuns = spawnSync('openssl', ['version']).status === 0;
if (!opensslRuns)
  process.stderr.write('NOT TESTED: signatures made by openssl, which is not installed here.\n');
const itWithOpenssl = opensslRuns ? it : it.skip;

itWithOpenssl('accepts a header signature made by openssl', async () => {
  const body = '{"taskId":"öppen-1","eventType":"OrderSigned"}';
  const signature = opensslHmac('a-secret-between-two-programs', body).toString('hex');
  const proof = hmacHeader({ header: 'x-signature', scheme: 'hmac-sha256' });
  const secrets = [await importSecret('a-secret-between-two-programs')];
  expect(await outcomeOf(() => proof.verify(deliveryOf(body, ['X-Signature', signature]), secrets))).toBe(
    'accepted',
  );
});

itWithOpenssl('accepts a token signed by openssl', async () => {
  // Both parts written out, so that no line of our own code takes part: {"alg":"HS256"} and {"ok":true}
  const input = 'eyJhbGciOiJIUzI1NiJ9.eyJvayI6dHJ1ZX0';
  const signature = opensslHmac('a-secret-between-two-programs', input).toString('base64url');
  const secrets = [await importSecret('a-secret-between-two-programs')];
  expect(await outcomeOf(() => jwsBody().verify(deliveryOf(`${input}.${signature}`), secrets))).toBe(
    'accepted',
  );
});

function opensslHmac(secret: string, message: string): Buffer {
  return execFileSync('openssl', ['dgst', '-sha256', '-hmac', secret, '-binary'], { input: message });
}

/** For each place the text with another character there: one of the same alphabet, so that only the bytes are wrong. */
function withOneCharacterChanged(text: string): string[] {
  return Array.from(text, (character, at) => {
    const other = character === '0' ? '1' : '0';
    return text.slice(0, at) + other + text.slice(at + 1);
  });
}
