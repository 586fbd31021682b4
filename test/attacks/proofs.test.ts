import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { withHeader, withHeaders } from '../../src/lab/conformance/making/edit.ts';
import type { WireRequest } from '../../src/lab/conformance/wire.ts';
import { endpoint } from '../../src/kit/endpoint/definition.ts';
import type { RejectionCode } from '../../src/kit/errors.ts';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { encode, signParts, tokenIn, withToken } from '../../src/lab/conformance/making/token.ts';
import {
  credentialAt,
  expectAccepted,
  expectDiscreetLog,
  expectRefused,
  expectRefusedAlone,
  genuine,
  send,
  startTarget,
  stored,
  type Sender,
  type Target,
} from './support.ts';

// Of groups A, B and C what no single request can show, or what needs an endpoint set up for it.

const COMPLETE = 'NewWorkItemVersionComplete';
const ACCESS_TOKEN = 'an-access-token-typed-into-the-webhook';
const WORDY_TOKEN = 'Bearer of good tidings to the webhook';

const form: Sender = { source: hotdocs, type: COMPLETE, path: `/hotdocs/${COMPLETE}` };
const body: Sender = { source: risr, type: 'profile_updated', path: '/risr/profile_updated' };
const order: Sender = { source: phenixid, type: 'OrderSigned', path: '/phenixid' };
/** An endpoint that asks for issuer, audience and age. */
const demanding: Sender = { ...form, path: '/hotdocs/demanding' };
/** Endpoints of the legacy method. */
const byToken: Sender = { ...form, path: '/hotdocs/by-token' };
const wordy: Sender = { ...form, path: '/hotdocs/wordy' };
const onLoad: Sender = { source: hotdocs, type: 'InterviewLoadEvent', path: '/hotdocs/on-load' };

let target: Target;

beforeAll(async () => {
  target = await startTarget({
    further: [
      endpoint('/hotdocs/demanding', hotdocs, COMPLETE),
      endpoint('/hotdocs/by-token', hotdocs, COMPLETE),
      endpoint('/hotdocs/wordy', hotdocs, COMPLETE),
      endpoint('/hotdocs/on-load', hotdocs, 'InterviewLoadEvent'),
    ],
    env: {
      HOTDOCS_DEMANDING_ISSUER: 'https://acme.advance.example',
      HOTDOCS_DEMANDING_AUDIENCE: 'receiver-of-acme',
      HOTDOCS_DEMANDING_MAX_AGE_S: '600',
      HOTDOCS_BY_TOKEN_SECRET: undefined,
      HOTDOCS_BY_TOKEN_TOKEN: ACCESS_TOKEN,
      HOTDOCS_WORDY_SECRET: undefined,
      HOTDOCS_WORDY_TOKEN: WORDY_TOKEN,
      HOTDOCS_ON_LOAD_SECRET: undefined,
      HOTDOCS_ON_LOAD_TOKEN: 'the-access-token-of-another-webhook',
      PHENIXID_SOUTH_SECRET: 'a-secret-of-the-installation-south-of-many-bytes',
      PHENIXID_SOUTH_KEY: 'Site South+1%',
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
async function claiming(sender: Sender, claims: Claims): Promise<WireRequest> {
  const request = await genuine(target, sender);
  const token = tokenIn(request, { credential: credentialAt(target.receiver, sender.path) });
  const members = claims(Math.floor(Date.now() / 1000));
  const payload = encode(token.payloadJson.replace('{', `{${members},`));
  return withToken(request, token, signParts(token.header, payload, token.secret));
}

/** What an endpoint that asks for issuer, audience and age wants to see. */
const proper: Claims = (now) =>
  `"iss":"https://acme.advance.example","aud":"receiver-of-acme","iat":${now - 5}`;

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
])('A19, A21: refuses a token with %s', async (_name, claims, code) => {
  await expectRefused(
    target,
    () => claiming(demanding, proper),
    async () => claiming(demanding, claims),
    code,
  );
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
    const token = tokenIn(request, { credential: credentialAt(target.receiver, form.path) });
    const respelled = signParts(encode('{"alg":"HS256"}'), token.payload, token.secret);
    const before = await stored(target.receiver);
    const { reply } = await send(target, withToken(request, token, respelled));
    expect(reply.status).toBe(200);
    expect(await stored(target.receiver)).toBe(before);
  });

  it('refuses a wrong signature over an event that is known already', async () => {
    const request = await genuine(target, form);
    await expectAccepted(target, request);
    const token = tokenIn(request, { credential: credentialAt(target.receiver, form.path) });
    const forged = withToken(request, token, signParts(token.header, token.payload, 'wrong'));
    await expectRefusedAlone(target, forged, 'proof_mismatch');
  });
});

it('B12: gives a challenge that is rightly signed the usual reply, and not the challenge', async () => {
  const request = withHeader(await genuine(target, order), 'x-signature');
  const challenge = Buffer.from('{"type":"url_verification","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmd"}');
  const mac = createHmac('sha256', target.receiver.secretOf(order.path)).update(challenge).digest('hex');
  const signed = withHeaders({ ...request, body: challenge }, ['X-Signature', mac]);
  const { reply } = await expectAccepted(target, signed);
  expect(reply.body).toBe('{"ok":true}');
});

function authorized(request: WireRequest, value: string): WireRequest {
  return withHeaders(withHeader(request, 'authorization'), ['Authorization', value]);
}

it('C1: takes an access token that begins with a scheme word as a whole', async () => {
  await expectRefused(
    target,
    () => genuine(target, wordy),
    (request) => authorized(request, WORDY_TOKEN.replace('Bearer ', '')),
    'proof_mismatch',
  );
  await expectAccepted(target, authorized(await genuine(target, wordy), `Bearer ${WORDY_TOKEN}`));
});

it('C1: refuses a wrong access token on a GET that carries the event in its query', async () => {
  await expectRefused(
    target,
    () => genuine(target, onLoad),
    (request) => authorized(request, 'wrong'),
    'proof_mismatch',
  );
});

it('C3: accepts a key with signs that need escapes', async () => {
  const request = await genuine(target, { ...order, switches: { key: 'Site South+1%' } });
  expect(request.target).toBe('/phenixid/?key=Site%20South%2B1%25');
  await expectAccepted(target, request);
});

it('C4: writes no access token when what it vouches for cannot be read or handled', async () => {
  const request = await genuine(target, byToken);
  const misfit = `{"eventType":"${COMPLETE}","data":{"workItemId":7,"${ACCESS_TOKEN}":"${ACCESS_TOKEN}"}}`;
  await expectAccepted(target, { ...request, body: Buffer.from(misfit) });
  await expectAccepted(target, { ...request, body: Buffer.from(`not JSON at all: ${ACCESS_TOKEN}`) });
  await target.receiver.app.idle();
  const [dead] = await target.receiver.app.inbox.list({ status: 'dead', limit: 1 });
  expect(dead?.note).not.toContain(ACCESS_TOKEN);
});
