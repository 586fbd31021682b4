import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { Agent, request as open } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { hotdocs } from '../../../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../../../src/kit/sources/phenixid/index.ts';
import { sources } from '../../../../src/kit/sources/index.ts';
import { risr } from '../../../../src/kit/sources/risr/index.ts';
import { createLog } from '../../../../src/kit/log.ts';
import { mount } from '../../../../src/kit/program/mount.ts';
import { createMetrics } from '../../../../src/kit/program/operations/metrics.ts';
import { createRandom, randomUuid } from '../../../../src/lab/mock/random.ts';
import { appOf } from '../../../../src/lab/rig/app.ts';
import { secretsFor } from '../../../../src/lab/rig/secrets.ts';
import { startPostgres, type PostgresServer } from '../../../../src/lab/rig/postgres.ts';
import { later, newInboxUrl } from '../../../support/fixtures.ts';
import { newReceiver } from '../../../support/new-receiver.ts';
import type { TestReceiver, TestReceiverOptions } from '../../../support/receiver.ts';
import { until } from '../../../support/until.ts';

async function start({ env, ...options }: TestReceiverOptions = {}) {
  return newReceiver({ ...options, env: { ADMIN_PORT: '0', INBOX_URL: newInboxUrl(), ...env } });
}

async function scrape({ app }: TestReceiver): Promise<string> {
  const response = await fetch(`${app.adminUrl ?? ''}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return response.text();
}

/** The series of a metric, with their values. */
async function seriesOf(receiver: TestReceiver, name: string): Promise<Record<string, number>> {
  const lines = (await scrape(receiver))
    .split('\n')
    .filter((line) => line.startsWith(`advance_receiver_${name}`));
  return Object.fromEntries(
    lines.map((line) => {
      const end = line.lastIndexOf(' ');
      return [line.slice('advance_receiver_'.length, end), Number(line.slice(end))];
    }),
  );
}

const WITHIN_MS = 1_100;

it('counts deliveries by what came of them, and times those that are genuine', async () => {
  const { receiver, sender } = await start();
  const request = await sender.request(risr, 'profile_updated');
  await sender.send(request);
  await sender.send(request);
  await sender.fire(hotdocs, 'InterviewLoadEvent');
  await sender.fire(phenixid, 'OrderSigned', { secret: 'not the secret of it, but as long' });
  await sender.fire(risr, 'profile_updated', { secret: 'not the secret of it, but as long' });
  await fetch(`${receiver.url}/nowhere`);
  await receiver.app.idle();
  expect(await seriesOf(receiver, 'deliveries_total')).toEqual({
    'deliveries_total{source="risr",event="profile_updated",outcome="accepted",code=""}': 1,
    'deliveries_total{source="risr",event="profile_updated",outcome="duplicate",code=""}': 1,
    'deliveries_total{source="hotdocs",event="InterviewLoadEvent",outcome="answered",code=""}': 1,
    'deliveries_total{source="phenixid",event="",outcome="rejected",code="proof_mismatch"}': 1,
    'deliveries_total{source="risr",event="profile_updated",outcome="rejected",code="proof_mismatch"}': 1,
    'deliveries_total{source="",event="",outcome="rejected",code="path_unknown"}': 1,
  });
  expect(await seriesOf(receiver, 'accept_seconds')).toMatchObject({
    'accept_seconds_count{source="risr",event="profile_updated"}': 2,
    'accept_seconds_bucket{le="+Inf",source="hotdocs",event="InterviewLoadEvent"}': 1,
  });
});

it('counts what is not HTTP enough to be a delivery, and a flood that the log only sums up', async () => {
  const { receiver } = await start({ env: { FAILED_PROOF_LIMIT: '2' } });
  for (let count = 0; count < 9; count += 1)
    await fetch(`${receiver.url}/risr/profile_updated`, { method: 'POST' });
  await fetch(receiver.url, { headers: { 'X-Long': 'x'.repeat(40_000) } });
  const series = await seriesOf(receiver, 'deliveries_total');
  expect(Object.values(series).reduce((sum, one) => sum + one)).toBe(10);
  expect(series).toMatchObject({
    'deliveries_total{source="risr",event="profile_updated",outcome="rejected",code="rate_limited"}': 7,
    'deliveries_total{source="",event="",outcome="rejected",code="headers_too_large"}': 1,
  });
});

it('says by which secret of an endpoint deliveries are proven', async () => {
  const [fresh, old] = ['the-newest-secret-long-enough-to-be-one', 'the-secret-before-it-long-enough-too-x'];
  const { receiver, sender } = await start({ env: { RISR_PROFILE_UPDATED_SECRET: `${fresh},${old}` } });
  for (const secret of [fresh, old, old]) await sender.fire(risr, 'profile_updated', { secret });
  expect(await seriesOf(receiver, 'proofs_total')).toEqual({
    'proofs_total{endpoint="/risr/profile_updated",position="1"}': 1,
    'proofs_total{endpoint="/risr/profile_updated",position="2"}': 2,
  });
});

it('counts and times attempts, and shows what waits, runs and is dead', async () => {
  const held = Promise.withResolvers<undefined>();
  const fail = () => {
    throw new Error('as told');
  };
  const { receiver, sender } = await start({
    handlers: { risr: { profile_updated: fail, booking_updated: () => held.promise } },
    env: { HANDLER_ATTEMPTS: '1', HANDLER_CONCURRENCY: '1' },
  });
  later(() => held.resolve(undefined));
  await sender.fire(risr, 'profile_updated');
  await receiver.app.idle();
  await sender.fire(risr, 'booking_updated');
  await until('it runs', async () => (await receiver.app.inbox.stats()).running === 1);
  await sender.fire(risr, 'profile_updated', { id: 'another' });
  await sleep(50);
  expect(await seriesOf(receiver, 'inbox_')).toEqual({
    'inbox_entries{status="waiting"}': 1,
    'inbox_entries{status="running"}': 1,
    'inbox_entries{status="dead"}': 1,
    inbox_oldest_waiting_seconds: expect.closeTo(0.5, 0),
    inbox_waiting_bytes: expect.any(Number),
  });
  expect(await seriesOf(receiver, 'attempts_total')).toEqual({
    'attempts_total{source="risr",event="profile_updated",outcome="dead"}': 1,
  });
  expect(await seriesOf(receiver, 'handler_seconds_count')).toEqual({
    'handler_seconds_count{source="risr",event="profile_updated"}': 1,
  });
});

it('counts what is taped and what is missed, and says what runs and that it is ready', async () => {
  const { receiver } = await start();
  const refused = Array.from({ length: 60 }, () => fetch(`${receiver.url}/nowhere`));
  await Promise.all(refused);
  await until('it is taped', async () => {
    const { 'taped_total{outcome="written"}': written = 0, 'taped_total{outcome="missed"}': missed = 0 } =
      await seriesOf(receiver, 'taped_total');
    return written > 0 && missed > 0 && written + missed === 60;
  });
  expect(await seriesOf(receiver, 'ready')).toEqual({ ready: 1 });
  const [info = ''] = Object.keys(await seriesOf(receiver, 'build_info'));
  expect(info).toContain(`node="${process.versions.node}"`);
});

it('shows how late the event loop is', async () => {
  const { receiver } = await start();
  await scrape(receiver);
  await sleep(1_050);
  const until = performance.now() + 300;
  while (performance.now() < until);
  await sleep(50);
  const lag = await seriesOf(receiver, 'event_loop_lag');
  expect(lag['event_loop_lag_max_seconds']).toBeGreaterThan(0.2);
});

it('asks the inbox once a second at most, however many ask', async () => {
  const { inbox, readiness } = (await start()).receiver.app;
  let asked = 0;
  const stats = async () => {
    asked += 1;
    return inbox.stats();
  };
  using metrics = createMetrics({ sources: [], steps: [], inbox: { stats }, readiness, tape: undefined });
  for (let count = 0; count < 3; count += 1) await Promise.all([metrics.text(), metrics.text()]);
  expect(asked).toBe(1);
  await sleep(1_050);
  await metrics.text();
  expect(asked).toBe(2);
});

it('keeps as many series whatever comes', async () => {
  const { receiver, sender } = await start({
    env: { FAILED_PROOF_LIMIT: '1000000', HANDLER_ATTEMPTS: '1', TAPE: 'off' },
  });
  const random = createRandom(7);
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  later(() => agent.destroy());
  const text = () => randomUuid(random);
  async function foreign(count: number): Promise<void> {
    const method = ['GET', 'POST', 'PUT', 'PROPFIND', 'DELETE'][count % 5] ?? '';
    const path = [
      `/${text()}`,
      `/phenixid?key=${text()}`,
      `/risr/profile_updated/${text()}`,
      '/risr/profile_updated',
    ][count % 4];
    await new Promise<void>((resolve, reject) => {
      const headers = {
        Host: `${text()}.example`,
        'X-Signature': text(),
        'User-Agent': text(),
        'Content-Type': text(),
      };
      open(`${receiver.url}${path ?? ''}`, { method, agent, headers }, (response) => {
        response.resume().once('end', () => resolve());
      })
        .once('error', reject)
        .end(method === 'GET' ? undefined : text());
    });
  }
  async function genuine(): Promise<void> {
    const content = { orderId: text(), eventType: text(), taskId: text() };
    await sender.send(await sender.sign(phenixid, 'OrderSigned', JSON.stringify(content)));
  }
  async function flood(total: number): Promise<number> {
    let left = total;
    const one = async () => {
      while (left > 0) {
        left -= 1;
        await (left % 10 === 0 ? genuine() : foreign(left));
      }
    };
    await Promise.all(Array.from({ length: 16 }, one));
    await receiver.app.idle();
    return (await scrape(receiver)).split('\n').length;
  }
  const afterFew = await flood(400);
  expect(await flood(2_000)).toBe(afterFew);
  expect(await seriesOf(receiver, 'attempts_total')).toEqual({
    'attempts_total{source="phenixid",event="other",outcome="dead"}': 240,
  });
}, 300_000);

describe('while the inbox does not answer', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  it('answers in time, without figures of the inbox, and has them again afterwards', async () => {
    const url = await server.newDatabase();
    const { receiver } = await start({ env: { INBOX_URL: url } });
    expect(Object.keys(await seriesOf(receiver, 'inbox_'))).toHaveLength(5);
    const other = new pg.Client(url);
    await other.connect();
    later(() => other.end());
    await other.query('BEGIN; LOCK TABLE inbox.entry');
    await sleep(1_000);
    const asked = performance.now();
    expect(await seriesOf(receiver, 'inbox_')).toEqual({});
    expect(performance.now() - asked).toBeLessThan(WITHIN_MS + 1_000);
    expect(await seriesOf(receiver, 'ready')).toEqual({ ready: 0 });
    await other.query('COMMIT');
    await until('it is ready', async () => (await seriesOf(receiver, 'ready'))['ready'] === 1);
    expect(Object.keys(await seriesOf(receiver, 'inbox_'))).toHaveLength(5);
  });
});

it.each([
  [true, /^advance_receiver_ready 1$/m],
  [false, /^$/],
])('gives a host the text without a port, if it is told to count: %s', async (counts, text) => {
  const env = { ...secretsFor({ sources }), INBOX_URL: 'memory:', ADMIN_PORT: 'off' };
  const mounted = await mount(appOf({ handlers: {} }), { env, counts, log: createLog('silent') });
  later(() => mounted.stop());
  expect(await mounted.metrics()).toMatch(text);
});

it('counts nothing where there is no port to ask at', async () => {
  const { receiver } = await start({ env: { ADMIN_PORT: 'off' } });
  expect(receiver.app.metrics).toBeUndefined();
});

const templates = join(import.meta.dirname, '../../../../templates/deploy/prometheus');
const promtool = ['/usr/bin/promtool', process.env['PROMTOOL'] ?? ''].find(
  (path) => path !== '' && existsSync(path),
);

it('names in alerts and dashboard only what it shows, and all of it on the page', async () => {
  const { receiver } = await start();
  const shown = new Set(
    [...(await scrape(receiver)).matchAll(/^# TYPE (\w+)/gm)].map(([, name = '']) => name),
  );
  for (const file of ['alerts.yml', 'dashboard.json']) {
    const named = readFileSync(join(templates, file), 'utf8').match(/advance_receiver_\w+/g) ?? [];
    expect(named.length).toBeGreaterThan(5);
    for (const name of named) expect(shown).toContain(name.replace(/_(bucket|count|sum)$/, ''));
  }
  const page = readFileSync(join(import.meta.dirname, '../../../../src/kit/program/README.md'), 'utf8');
  expect(new Set(page.match(/advance_receiver_\w+/g))).toEqual(shown);
});

if (promtool === undefined)
  process.stderr.write('promtool is not there: what it says of metrics and alerts is not tested.\n');
(promtool === undefined ? it.skip : it)('satisfies promtool', async () => {
  const { receiver, sender } = await start();
  await sender.fire(risr, 'profile_updated');
  await receiver.app.idle();
  const program = promtool ?? '';
  expect(
    execFileSync(program, ['check', 'metrics'], { input: await scrape(receiver), encoding: 'utf8' }),
  ).toBe('');
  expect(
    execFileSync(program, ['check', 'rules', join(templates, 'alerts.yml')], { encoding: 'utf8' }),
  ).toContain('SUCCESS');
});
