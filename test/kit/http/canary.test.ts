import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { canaryReport, type CanaryReport } from '../../../src/kit/http/canary.ts';
import { CANARY_HEADER, canaryText, writeCanary } from '../../../src/kit/proofs/canary.ts';
import { readConfig } from '../../../src/kit/program/config.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { example } from '../../../src/example/index.ts';
import type { OutgoingRequest } from '../../../src/kit/source.ts';
import { secretsFor, startReceiver, type TestReceiver } from '../../support/receiver.ts';
import { sources } from '../../../src/kit/sources/index.ts';

const PATH = '/phenixid';
const OLD = 'an-old-secret-that-is-still-live-0123456789';
const NORTH = 'the-secret-of-the-north-0123456789abcdef';
const own = secretsFor(sources);
const env = {
  ...{ ADMIN_PORT: '0', FAILED_PROOF_LIMIT: '1000' },
  PHENIXID_SECRET: `${own['PHENIXID_SECRET'] ?? ''},${OLD}`,
  PHENIXID_NORTH_SECRET: NORTH,
};

let receiver: TestReceiver;
beforeAll(async () => {
  receiver = await startReceiver({ env });
});
afterAll(() => receiver.stop());
let logged: number;
beforeEach(() => {
  logged = receiver.log.length;
});

const newest = () => canaryText(receiver.secretOf(PATH), PATH);

const genuine = () => writeCanary(newest(), Date.now());

/** A delivery of PhenixID proven by this text, with this mark in its header. */
async function marked(text: string, mark: string | undefined): Promise<OutgoingRequest> {
  const request = await receiver.sender.request(phenixid, 'OrderSigned', { secret: text });
  return mark === undefined
    ? request
    : { ...request, headers: { ...request.headers, [CANARY_HEADER]: mark } };
}

async function reportOn(request: OutgoingRequest): Promise<CanaryReport> {
  const { status, body, headers } = await receiver.sender.send(request);
  expect({ status, cache: headers['cache-control'] }).toEqual({ status: 200, cache: 'no-store' });
  return canaryReport.parse(JSON.parse(body.toString()));
}

async function refusedAsForged(request: OutgoingRequest): Promise<void> {
  const forged = await receiver.sender.send(await marked('a-text-that-nobody-knows', undefined));
  const refused = await receiver.sender.send(request);
  expect(refused.status).toBe(401);
  expect(refused.body.equals(forged.body)).toBe(true);
  const [one, other] = receiver.log.slice(-2);
  expect(other).toMatchObject({ outcome: 'rejected', code: one?.['code'] });
}

async function kept(): Promise<number> {
  const { waiting, running, dead, done } = await receiver.app.inbox.stats();
  return waiting + running + dead + done;
}

it('tells a canary what arrived, stores nothing and calls nobody', async () => {
  const before = await kept();
  const request = await marked(newest(), genuine());
  const report = await reportOn(request);
  expect(report).toMatchObject({
    ...{
      canary: 'v1',
      endpoint: PATH,
      secret: 1,
      outcome: 'accepted',
      method: 'POST',
      path: PATH,
      query: [],
    },
    ...{ client: '127.0.0.1', peer: '127.0.0.1', tls: null, body: { length: request.body.length } },
  });
  expect(report.headers).toContainEqual(
    expect.objectContaining({ name: 'Content-Type', value: 'application/json' }),
  );
  const inClear = report.headers
    .filter(({ value }) => value !== undefined)
    .map(({ name }) => name.toLowerCase());
  for (const name of ['x-signature', 'webhook-canary']) expect(inClear).not.toContain(name);
  expect(await kept()).toBe(before);
  const lines = receiver.log.slice(logged);
  expect(lines.map(({ outcome, code }) => [outcome, code])).toEqual([['canary', 'accepted']]);
  expect(lines[0]?.['request']).toMatch(/^[0-9a-f]{12}-[0-9a-z]+$/);
});

it('tells nothing that proves anything', async () => {
  const secret = receiver.secretOf('/hotdocs/InterviewLoadEvent');
  const text = canaryText(secret, '/hotdocs/InterviewLoadEvent');
  const request = await receiver.sender.request(hotdocs, 'InterviewLoadEvent', { secret: text });
  const mark = writeCanary(text, Date.now());
  const { body } = await receiver.sender.send({ ...request, target: `${request.target}&canary=${mark}` });
  const said = body.toString() + JSON.stringify(receiver.log.slice(logged));
  expect(said).toContain('"outcome":"accepted"');
  const [, token = ''] = request.target.split('token=');
  for (const proof of [secret, text, mark, token, token.slice(-43)]) expect(said).not.toContain(proof);
});

it('refuses what a canary proves itself with once its mark is lost', async () => {
  await refusedAsForged(await marked(newest(), undefined));
});

it.each([
  ['made with another secret', () => writeCanary(canaryText('another-secret', PATH), Date.now())],
  [
    'made with the secret of another endpoint',
    () => writeCanary(canaryText(receiver.secretOf(PATH), '/risr/profile_updated'), Date.now()),
  ],
  ['made with the secret itself', () => writeCanary(receiver.secretOf(PATH), Date.now())],
  ['of six minutes ago', () => writeCanary(newest(), Date.now() - 360_000)],
  ['of six minutes ahead', () => writeCanary(newest(), Date.now() + 360_000)],
  ['with another signature', () => genuine().replace(/.$/, (last) => (last === '0' ? '1' : '0'))],
  ['with another time', () => genuine().replace(/\.(\d{10})\./, (_all, at) => `.${Number(at) + 1}.`)],
  ['with another nonce', () => genuine().replace(/\.[0-9a-f]{32}\./, `.${'0'.repeat(32)}.`)],
  ['of another version', () => genuine().replace('v1', 'v2')],
  ['of nothing', () => ''],
])('takes a mark %s for none', async (_words, mark) => {
  await refusedAsForged(await marked(newest(), mark()));
});

it('takes a mark once', async () => {
  const mark = genuine();
  expect((await reportOn(await marked(newest(), mark))).outcome).toBe('accepted');
  await refusedAsForged(await marked(newest(), mark));
});

it('stores a genuine delivery that bears a mark which is none', async () => {
  const before = await kept();
  const request = await receiver.sender.request(phenixid, 'OrderSigned');
  const headers = { ...request.headers, [CANARY_HEADER]: writeCanary('nobody', Date.now()) };
  expect((await receiver.sender.send({ ...request, headers })).status).toBe(200);
  expect(await kept()).toBe(before + 1);
});

it.each([
  ['proof_mismatch', (request: OutgoingRequest) => ({ ...request, body: Buffer.from('{}') })],
  [
    'proof_missing',
    ({ headers, ...request }: OutgoingRequest) => ({
      ...request,
      headers: { [CANARY_HEADER]: headers[CANARY_HEADER] ?? '' },
    }),
  ],
  ['path_unknown', (request: OutgoingRequest) => ({ ...request, target: '/PHENIXID' })],
  ['method_not_allowed', (request: OutgoingRequest) => ({ ...request, method: 'PUT' })],
  [
    'body_encoded',
    (request: OutgoingRequest) => ({
      ...request,
      headers: { ...request.headers, 'Content-Encoding': 'gzip' },
    }),
  ],
  ['body_too_large', (request: OutgoingRequest) => ({ ...request, body: Buffer.alloc(20_000) })],
  ['installation_unknown', (request: OutgoingRequest) => ({ ...request, target: '/phenixid/?key=nobody' })],
  // Its secret is of another installation, of another endpoint.
  ['proof_mismatch', (request: OutgoingRequest) => ({ ...request, target: '/phenixid/?key=north' })],
  ['proof_malformed', (request: OutgoingRequest) => ({ ...request, target: '/risr/profile_updated' })],
])('says %s of what a delivery would be refused for', async (outcome, change) => {
  const request = await marked(newest(), genuine());
  expect(await reportOn(change(request))).toMatchObject({ endpoint: PATH, outcome });
});

it('knows which secret a canary holds, and of which installation', async () => {
  const old = canaryText(OLD, PATH);
  expect(await reportOn(await marked(old, writeCanary(old, Date.now())))).toMatchObject({
    secret: 2,
    outcome: 'accepted',
  });
  const north = canaryText(NORTH, PATH, 'north');
  const request = await marked(north, writeCanary(north, Date.now()));
  expect(await reportOn({ ...request, target: '/phenixid/?key=north' })).toMatchObject({
    outcome: 'accepted',
  });
});

it('is counted apart', async () => {
  await reportOn(await marked(newest(), genuine()));
  const deliveries = async () =>
    ((await receiver.app.metrics?.text()) ?? '')
      .split('\n')
      .filter((line) => line.startsWith('advance_receiver_deliveries_total{'));
  const before = await deliveries();
  await reportOn(await marked(newest(), genuine()));
  expect(await deliveries()).toEqual(before);
  expect(await receiver.app.metrics?.text()).toMatch(
    /advance_receiver_canaries_total\{endpoint="\/phenixid",outcome="accepted"\} [2-9]/,
  );
});

it('is of no secret that has been taken away', async () => {
  const to = await startReceiver({ env });
  const text = canaryText(OLD, PATH);
  const request = async () => {
    const one = await to.sender.request(phenixid, 'OrderSigned', { secret: text });
    return to.sender.send({
      ...one,
      headers: { ...one.headers, [CANARY_HEADER]: writeCanary(text, Date.now()) },
    });
  };
  expect((await request()).status).toBe(200);
  const usual = { PORT: '0', ADMIN_PORT: '0', INBOX_URL: 'memory:', RECORDS_FILE: ':memory:' };
  await to.app.renew(readConfig({ ...usual, ...own }, example));
  expect((await request()).status).toBe(401);
  await to.stop();
});
