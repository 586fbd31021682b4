import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { endpoint } from '../../src/kit/endpoints.ts';
import type { RejectionCode } from '../../src/kit/errors.ts';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import {
  expectAccepted,
  expectDiscreetLog,
  expectRefused,
  expectRefusedAlone,
  genuine,
  send,
  startTarget,
  stored,
  withHeaders,
  withoutHeader,
  type Sender,
  type Target,
  type Wire,
} from './support.ts';
import { encode, signParts, tokenIn, withToken } from './token.ts';

const COMPLETE = 'NewWorkItemVersionComplete';
const form: Sender = { source: hotdocs, type: COMPLETE, path: `/hotdocs/${COMPLETE}` };
const body: Sender = { source: risr, type: 'profile_updated', path: '/risr/profile_updated' };
/** An endpoint that asks for issuer, audience and age. */
const demanding: Sender = { ...form, path: '/hotdocs/demanding' };
/** An endpoint of the legacy method. */
const byToken: Sender = { ...form, path: '/hotdocs/by-token' };
/** The same webhook of another tenant. */
const otherTenant: Sender = { ...form, path: '/hotdocs/other-tenant' };

const tokenSenders: readonly Sender[] = [
  ...Object.keys(hotdocs.events).map((type) => ({ source: hotdocs, type, path: `/hotdocs/${type}` })),
  ...Object.keys(risr.events).map((type) => ({ source: risr, type, path: `/risr/${type}` })),
  otherTenant,
];

let target: Target;

beforeAll(async () => {
  target = await startTarget({
    further: [demanding, byToken, otherTenant].map(
      ({ path }) => endpoint(path as `/${string}`, hotdocs, COMPLETE), // written with a slash just above
    ),
    env: {
      HOTDOCS_DEMANDING_ISSUER: 'https://acme.advance.example',
      HOTDOCS_DEMANDING_AUDIENCE: 'receiver-of-acme',
      HOTDOCS_DEMANDING_MAX_AGE_S: '600',
      HOTDOCS_BY_TOKEN_SECRET: undefined,
      HOTDOCS_BY_TOKEN_TOKEN: 'an-access-token-typed-into-the-webhook',
    },
  });
});

afterAll(async () => {
  expectDiscreetLog(target);
  await target.receiver.stop();
});

/** The members of a payload, by the time of day in seconds. */
type Claims = (nowS: number) => string;

/** A genuine request whose payload has these members besides, rightly signed. */
async function claiming(sender: Sender, claims: Claims): Promise<Wire> {
  const request = await genuine(target, sender);
  return reclaimed(request, sender, claims);
}

function reclaimed(request: Wire, sender: Sender, claims: Claims): Wire {
  const token = tokenIn(target, request, sender);
  const members = claims(Math.floor(Date.now() / 1000));
  const payload = encode(token.payloadJson.replace('{', `{${members},`));
  return withToken(request, token, signParts(token.header, payload, token.secret));
}

async function refusesClaims(sender: Sender, claims: Claims, code: RejectionCode): Promise<void> {
  await expectRefused(
    target,
    () => genuine(target, sender),
    (request) => reclaimed(request, sender, claims),
    code,
  );
}

describe('A19: a token outside its time', () => {
  it.each<[string, Claims, RejectionCode]>([
    ['exp in the past', (now) => `"exp":${now - 100}`, 'proof_stale'],
    ['exp 0', () => '"exp":0', 'proof_stale'],
    ['exp as digits in a string', (now) => `"exp":"${now + 600}"`, 'proof_malformed'],
    ['exp as a date', () => '"exp":"2099-01-01T00:00:00Z"', 'proof_malformed'],
    ['exp null', () => '"exp":null', 'proof_malformed'],
    ['exp NaN', () => '"exp":NaN', 'proof_malformed'],
    ['exp 1e308', () => '"exp":1e308', 'proof_malformed'],
    ['exp 1e400', () => '"exp":1e400', 'proof_malformed'],
    ['exp negative', () => '"exp":-1', 'proof_malformed'],
    ['exp in milliseconds', (now) => `"exp":${(now + 600) * 1000}`, 'proof_malformed'],
    ['exp true', () => '"exp":true', 'proof_malformed'],
    ['exp as a list', (now) => `"exp":[${now + 600}]`, 'proof_malformed'],
    ['nbf in the future', (now) => `"nbf":${now + 100}`, 'proof_stale'],
    ['nbf as a string', (now) => `"nbf":"${now}"`, 'proof_malformed'],
    ['nbf 1e308', () => '"nbf":1e308', 'proof_malformed'],
    ['iat in the future', (now) => `"iat":${now + 100}`, 'proof_stale'],
    ['iat far in the future', (now) => `"iat":${now + 315_360_000}`, 'proof_stale'],
    ['iat null', () => '"iat":null', 'proof_malformed'],
  ])('HotDocs: refuses %s', async (_name, claims, code) => {
    await refusesClaims(form, claims, code);
  });

  it.each<[string, Claims]>([
    ['no times at all', () => '"times":"none"'],
    ['exp in the future', (now) => `"exp":${now + 600}`],
    ['times within the tolerance of 90 s', (now) => `"exp":${now - 60},"nbf":${now + 60},"iat":${now + 60}`],
    ['iat long ago', (now) => `"iat":${now - 31_536_000}`],
  ])('HotDocs: accepts %s', async (_name, claims) => {
    await expectAccepted(target, await claiming(form, claims));
  });

  it.each<[string, Claims, RejectionCode]>([
    ['exp in the past', (now) => `"exp":${now - 400}`, 'proof_stale'],
    ['exp 0', () => '"exp":0', 'proof_stale'],
    ['exp NaN', () => '"exp":NaN', 'proof_malformed'],
    ['exp 1e308', () => '"exp":1e308', 'proof_stale'],
    ['exp 1e400', () => '"exp":1e400', 'proof_stale'],
    ['exp negative', () => '"exp":-1', 'proof_stale'],
    ['nbf in the future', (now) => `"nbf":${now + 400}`, 'proof_stale'],
    ['nbf 1e308', () => '"nbf":1e308', 'proof_stale'],
  ])('risr: refuses %s', async (_name, claims, code) => {
    await refusesClaims(body, claims, code);
  });

  // The payload is business data: a member that merely has the name of a claim is none.
  it.each<[string, Claims]>([
    ['exp as a date in words', () => '"exp":"end of term"'],
    ['exp null', () => '"exp":null'],
    ['iat far in the future', (now) => `"iat":${now + 315_360_000}`],
    ['times within the tolerance of 300 s', (now) => `"exp":${now - 240},"nbf":${now + 240}`],
  ])('risr: accepts %s', async (_name, claims) => {
    await expectAccepted(target, await claiming(body, claims));
  });
});

/** What an endpoint that asks for issuer, audience and age wants to see. */
const proper: Claims = (now) =>
  `"iss":"https://acme.advance.example","aud":"receiver-of-acme","iat":${now - 5}`;

describe('A19, A21: a token for somebody else, or that does not say', () => {
  it.each<[string, Claims, RejectionCode]>([
    ['no iat where an age is asked for', (now) => proper(now).replace(/,"iat".*/, ''), 'proof_stale'],
    ['an iat too long ago', (now) => proper(now - 800), 'proof_stale'],
    ['a foreign iss', (now) => proper(now).replace('acme.', 'evil.'), 'proof_foreign'],
    ['an iss with a slash more', (now) => proper(now).replace('example"', 'example/"'), 'proof_foreign'],
    ['an iss in capitals', (now) => proper(now).replace('https', 'HTTPS'), 'proof_foreign'],
    ['an iss in a list', (now) => proper(now).replace(/"iss":("[^"]+")/, '"iss":[$1]'), 'proof_foreign'],
    ['no iss', (now) => proper(now).replace(/^"iss":"[^"]+",/, ''), 'proof_foreign'],
    ['a foreign aud', (now) => proper(now).replace('-of-acme', '-of-evil'), 'proof_foreign'],
    [
      'a list of foreign auds',
      (now) => proper(now).replace('"receiver-of-acme"', '["a","b"]'),
      'proof_foreign',
    ],
    ['an empty list of auds', (now) => proper(now).replace('"receiver-of-acme"', '[]'), 'proof_foreign'],
    ['no aud', (now) => proper(now).replace(/"aud":"[^"]+",/, ''), 'proof_foreign'],
  ])('refuses %s', async (_name, claims, code) => {
    await expectRefused(
      target,
      () => claiming(demanding, proper),
      async () => claiming(demanding, claims),
      code,
    );
  });

  it('refuses sub, tenant and environment of another tenant: they are told apart by their secrets', async () => {
    const claims: Claims = () => '"sub":"evil","tenancyMoniker":"evil","environment":"test"';
    await expectRefused(
      target,
      () => genuine(target, form),
      async (request) =>
        withToken(
          request,
          tokenIn(target, request, form),
          tokenIn(target, await claiming(otherTenant, claims), otherTenant).whole,
        ),
      'proof_mismatch',
    );
  });
});

/** The genuine token under another header, rightly signed. */
async function underHeader(sender: Sender, header: string): Promise<Wire> {
  const request = await genuine(target, sender);
  const token = tokenIn(target, request, sender);
  return withToken(request, token, signParts(encode(header), token.payload, token.secret));
}

describe('A22: a genuine token of another kind', () => {
  it.each([
    '"at+jwt"',
    '"dpop+jwt"',
    '"application/at+jwt"',
    '"JOSE"',
    '"JWT "',
    '""',
    '["JWT"]',
    'null',
    '1',
  ])('HotDocs: refuses typ %s', async (typ) => {
    await expectRefused(
      target,
      () => genuine(target, form),
      () => underHeader(form, `{"alg":"HS256","typ":${typ}}`),
      'proof_foreign',
    );
  });

  it.each([
    ['HotDocs', '{"alg":"HS256","typ":"jwt"}', form],
    ['HotDocs', '{"alg":"HS256"}', form],
    // The risr sheet ignores typ.
    ['risr', '{"alg":"HS256","typ":"at+jwt"}', body],
    ['risr', '{"typ":"JWT","alg":"HS256"}', body],
  ])('%s: accepts a token under %s', async (_name, header, sender) => {
    await expectAccepted(target, await underHeader(sender, header));
  });
});

describe('A23: a token for one endpoint at another', () => {
  it.each(tokenSenders.map((sender): [string, Sender] => [sender.path, sender]))(
    'refuses a token for %s everywhere else',
    async (_path, sender) => {
      const mine = tokenIn(target, await genuine(target, sender), sender);
      for (const other of tokenSenders.filter(({ path }) => path !== sender.path)) {
        await expectRefused(
          target,
          () => genuine(target, other),
          (request) => withToken(request, tokenIn(target, request, other), mine.whole),
          'proof_mismatch',
        );
      }
    },
  );

  it('refuses a payload of its own that is signed with the secret of another endpoint', async () => {
    for (const sender of tokenSenders) {
      const others = tokenSenders.filter(({ path }) => path !== sender.path);
      const secret = target.receiver.secretOf(others[0]?.path ?? '');
      await expectRefused(
        target,
        () => genuine(target, sender),
        (request) => {
          const token = tokenIn(target, request, sender);
          return withToken(request, token, signParts(token.header, token.payload, secret));
        },
        'proof_mismatch',
      );
    }
  });
});

const jsonHeader = ['Content-Type', 'application/json'] as const;

/** The request of the legacy method about the same event: an Authorization header, and the event unsigned. */
async function legacy(sender: Sender, token: string): Promise<Wire> {
  const { payloadJson } = tokenIn(target, await genuine(target, form), form);
  return {
    method: 'POST',
    target: sender.path,
    headers: [['Authorization', token], jsonHeader],
    body: Buffer.from(payloadJson),
  };
}

describe('A27: the legacy method in place of a signature', () => {
  it.each<[string, (request: Wire) => Promise<Wire>, RejectionCode]>([
    [
      'its secret as an access token',
      () => legacy(form, target.receiver.secretOf(form.path)),
      'proof_missing',
    ],
    [
      "another endpoint's access token",
      () => legacy(form, target.receiver.secretOf(byToken.path)),
      'proof_missing',
    ],
    [
      "another endpoint's access token beside a token with a wrong signature",
      async (request) => {
        const token = tokenIn(target, request, form);
        const forged = withToken(request, token, signParts(token.header, token.payload, 'wrong'));
        return withHeaders(forged, ['Authorization', target.receiver.secretOf(byToken.path)]);
      },
      'proof_mismatch',
    ],
    [
      'its own event unsigned, without any proof',
      async () => withoutHeader(await legacy(form, ''), 'authorization'),
      'proof_missing',
    ],
  ])('an endpoint with a secret refuses %s', async (_name, attack, code) => {
    await expectRefused(target, () => genuine(target, form), attack, code);
  });

  it.each<[string, (request: Wire) => Promise<Wire>, RejectionCode]>([
    [
      'a token signed with its access token',
      async (request) => {
        const token = signParts(
          encode('{"alg":"HS256","typ":"JWT"}'),
          encode(request.body),
          target.receiver.secretOf(byToken.path),
        );
        return { ...request, headers: [], body: Buffer.from(`token=${token}`) };
      },
      'proof_missing',
    ],
    [
      'a genuine token of another endpoint, in the form',
      async () => ({ ...(await genuine(target, form)), target: byToken.path }),
      'proof_missing',
    ],
    [
      'a genuine token of another endpoint, in the Authorization header',
      async () => {
        const sender = { ...form, switches: { carrier: 'header', verb: 'POST' } };
        return { ...(await genuine(target, sender)), target: byToken.path };
      },
      'proof_mismatch',
    ],
    [
      'a genuine token of another endpoint beside a wrong access token',
      async () => ({
        ...withHeaders(await genuine(target, form), ['Authorization', 'wrong']),
        target: byToken.path,
      }),
      'proof_mismatch',
    ],
  ])('an endpoint with an access token refuses %s', async (_name, attack, code) => {
    await expectRefused(target, () => genuine(target, byToken), attack, code);
  });

  // The sheet takes for a token only what looks like one: a proxy's own Authorization header decides nothing.
  it('an endpoint with a secret accepts a genuine token whatever else the Authorization header says', async () => {
    const request = await genuine(target, form);
    await expectAccepted(target, withHeaders(request, ['Authorization', 'Basic cHJveHk6cHJveHk=']));
  });
});

describe('A28: a token once more', () => {
  it.each([
    ['HotDocs', form],
    ['risr', body],
    ['HotDocs, with an access token', byToken],
  ])('%s: answers it as before, and stores nothing', async (_name, sender) => {
    const request = await genuine(target, sender);
    const first = await expectAccepted(target, request);
    const before = await stored(target.receiver);
    const again = await send(target, request);
    expect([again.reply.status, again.reply.body]).toEqual([first.reply.status, first.reply.body]);
    expect(again.lines).toContainEqual(expect.objectContaining({ outcome: 'duplicate' }));
    expect(await stored(target.receiver)).toBe(before);
  });

  it('takes the same jti under another signature for the same event when its content is the same', async () => {
    const request = await claiming(form, () => '"jti":"1"');
    await expectAccepted(target, request);
    const token = tokenIn(target, request, form);
    const respelled = signParts(encode('{"alg":"HS256"}'), token.payload, token.secret);
    const before = await stored(target.receiver);
    const { reply } = await send(target, withToken(request, token, respelled));
    expect(reply.status).toBe(200);
    expect(await stored(target.receiver)).toBe(before);
  });

  it('refuses a wrong signature over an event that is known already', async () => {
    const request = await genuine(target, form);
    await expectAccepted(target, request);
    const token = tokenIn(target, request, form);
    const forged = withToken(request, token, signParts(token.header, token.payload, 'wrong'));
    await expectRefusedAlone(target, forged, 'proof_mismatch');
  });
});
