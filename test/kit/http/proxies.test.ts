import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { variables } from '../../../src/kit/program/variables.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { sources } from '../../../src/kit/sources/index.ts';
import type { Source } from '../../../src/kit/source.ts';
import { createRandom } from '../../../src/lab/mock/random.ts';
import { createSender } from '../../../src/lab/mock/sender.ts';
import { freePort } from '../../../src/lab/rig/ports.ts';
import { projectFile } from '../../../src/lab/rig/program.ts';
import { makeCertificates, requireOpenssl, type Certificates } from '../../support/certificates.ts';
import { later } from '../../support/fixtures.ts';
import { proxies, requireProxy, startSample, type Proxy, type StartedProxy } from '../../support/proxies.ts';
import { startReceiver, type TestReceiver } from '../../support/receiver.ts';
import { until } from '../../support/until.ts';

const FORM = 'application/x-www-form-urlencoded';
const MEGABYTE = 1_048_576;

/** In front of a receiver that speaks TLS itself. */
const passing: Proxy = { ...proxies.HAProxy, sample: 'haproxy-tls.cfg' };

const hasOpenssl = requireOpenssl('the samples for proxies');

let certificates: Certificates;
beforeAll(async () => {
  if (hasOpenssl) certificates = await makeCertificates();
});
afterAll(async () => {
  if (hasOpenssl) await certificates.remove();
});

/** A proxy before a receiver. */
interface Started extends StartedProxy {
  readonly url: URL;
}

async function startBefore(
  proxy: Proxy,
  receiver: Pick<TestReceiver, 'url'> & { readonly adminUrl: string },
): Promise<Started> {
  const started = await startSample(proxy, {
    receiver: new URL(receiver.url).host,
    adminPort: new URL(receiver.adminUrl).port,
    certificate: certificates.server,
  });
  return { ...started, url: new URL(`https://127.0.0.1:${started.port}`) };
}

describe.each(Object.entries(proxies))('the sample for %s', (name, proxy) => {
  const itWithProxy = requireProxy(`the sample for ${name}`, proxy) && hasOpenssl ? it : it.skip;
  async function started(port = '0'): Promise<{ readonly receiver: TestReceiver; readonly before: Started }> {
    const receiver = await startReceiver({ env: { PORT: port, ADMIN_PORT: '0', TRUST_PROXY_HOPS: '1' } });
    later(() => receiver.stop());
    return {
      receiver,
      before: await startBefore(proxy, { ...receiver, adminUrl: receiver.app.adminUrl ?? '' }),
    };
  }

  function senderTo(source: Source, { url }: Started, receiver: TestReceiver) {
    const sender = createSender({
      source,
      url,
      credentialFor: ({ path }) => ({ kind: 'SECRET', text: receiver.secretOf(path) }),
      random: createRandom(1),
      tls: { ca: certificates.authority.cert },
    });
    later(() => sender.close());
    return sender;
  }

  itWithProxy('passes a HotDocs token of 24 KB in the query, and writes it down nowhere', async () => {
    const { receiver, before } = await started();
    const sender = senderTo(hotdocs, before, receiver);
    const switches = { padToken: '18000' };
    const fired = await sender.fire('InterviewLoadEvent', { switches });
    expect(fired.verdict).toMatchObject({ ok: true });
    await until('the access is in the log', () =>
      /InterviewLoadEvent[^\n]* 200 |"status":200/.test(before.written()),
    );
    await receiver.stop();
    // Whatever it says of a receiver that is away, it says without the token.
    await sender.fire('InterviewLoadEvent', { switches });
    await until('it is in the log', () => /InterviewLoadEvent 50[23]|"status":50[23]/.test(before.written()));
    expect(before.written()).not.toMatch(/eyJ|token/);
  });

  itWithProxy('passes the slashes before ?key= of PhenixID on as they came', async () => {
    const { receiver, before } = await started();
    const { hostname, port } = before.url;
    for (const path of ['/phenixid//?key=nobody', '/phenixid/?key=nobody'])
      expect(await statusOf({ hostname, port, path, method: 'POST' })).toBe(401);
    expect(receiver.log.filter(({ code }) => code === 'installation_unknown')).toHaveLength(2);
    expect((await senderTo(phenixid, before, receiver).fire('OrderSigned')).verdict).toMatchObject({
      ok: true,
    });
  });

  itWithProxy('says where a delivery comes from, whatever its sender says', async () => {
    const { receiver, before } = await started();
    const { hostname, port } = before.url;
    const headers = { 'X-Forwarded-For': '203.0.113.9' };
    const localAddress = '127.0.0.2';
    expect(await statusOf({ hostname, port, path: '/phenixid', method: 'POST', headers, localAddress })).toBe(
      401,
    );
    expect(receiver.log.find(({ code }) => code === 'proof_missing')).toMatchObject({ from: localAddress });
  });

  // HAProxy asks first whether it is ready, and so takes a few seconds.
  if (name !== 'HAProxy')
    itWithProxy('passes the first delivery after a restart of the receiver', async () => {
      const port = String(await freePort());
      const { receiver, before } = await started(port);
      const sender = senderTo(phenixid, before, receiver);
      await receiver.stop();
      expect((await sender.fire('OrderSigned')).verdict.ok).toBe(false);
      const again = await startReceiver({ env: { PORT: port } });
      later(() => again.stop());
      expect((await sender.fire('OrderSigned')).verdict).toMatchObject({ ok: true });
    });

  itWithProxy('passes every event, and nothing that belongs to no product', async () => {
    const { receiver, before } = await started();
    for (const source of sources) {
      const sender = senderTo(source, before, receiver);
      for (const type of Object.keys(source.events))
        expect([type, (await sender.fire(type)).verdict]).toMatchObject([type, { ok: true }]);
    }
    const known = receiver.log.length;
    const { hostname, port } = before.url;
    expect(await statusOf({ hostname, port, path: '/metrics', method: 'POST' })).toBe(404);
    expect(receiver.log).toHaveLength(known);
  });

  itWithProxy('leaves it to the receiver what a body may be', async () => {
    const { receiver, before } = await started();
    const { hostname, port } = before.url;
    const post = (
      body: string,
      headers: Readonly<Record<string, string>>,
      path = '/hotdocs/InterviewLoadEvent',
    ) =>
      statusOf({ hostname, port, path, method: 'POST', headers: { 'Content-Type': FORM, ...headers } }, body);
    const whole = `token=${'a'.repeat(MEGABYTE - 6)}`;
    expect(await post(whole, {})).toBe(401);
    expect(await post(whole, { 'Transfer-Encoding': 'chunked' })).toBe(401);
    expect(await post(whole, { Expect: '100-continue' })).toBe(401);
    expect(receiver.log.map(({ code }) => code)).toEqual(Array(3).fill('proof_malformed'));
    expect(await post(`${whole}b`, {})).toBe(413);
    expect(await post(`${whole}b`, { 'Transfer-Encoding': 'chunked' })).toBe(413);
    expect(await post('{}', { 'Content-Encoding': 'gzip' }, '/phenixid')).toBe(415);
  });

  async function statusOf(options: https.RequestOptions, body = '{}'): Promise<number | undefined> {
    const request = https.request({ ...options, ca: certificates.authority.cert, agent: false });
    // Who announces that he waits for a word waits for it.
    if (options.headers !== undefined && 'Expect' in options.headers) await once(request, 'continue');
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    await once(response.resume(), 'end');
    return response.statusCode;
  }

  it('lets go of a connection before the receiver does', () => {
    const sample = readFileSync(projectFile(`templates/proxies/${proxy.sample}`), 'utf8');
    const [, seconds] =
      /(?:keepalive_timeout|timeout http-keep-alive|\bttl=|\bkeepalive )\s*(\d+)/.exec(sample) ?? [];
    expect(Number(seconds) * 1000).toBeLessThan(Number(variables.KEEP_ALIVE_MS.default));
  });
});

const itWithPassing = requireProxy('TLS passed through', passing) && hasOpenssl ? it : it.skip;

itWithPassing('passes a client certificate on to a receiver that speaks TLS itself', async () => {
  const { authority, server, client } = certificates;
  const receiver = await startReceiver({
    env: {
      ADMIN_PORT: '0',
      TLS_CERT_FILE: server.certFile,
      TLS_KEY_FILE: server.keyFile,
      TLS_CLIENT_CA_FILE: authority.certFile,
      PHENIXID_CLIENT_CERTIFICATE: 'required',
      PHENIXID_CLIENT_CERTIFICATE_SUBJECT: 'phenixid',
    },
  });
  later(() => receiver.stop());
  const { url } = await startBefore(passing, { ...receiver, adminUrl: receiver.app.adminUrl ?? '' });
  const fire = async (tls: object) => {
    const credentialFor = () => ({ kind: 'SECRET', text: receiver.secretOf('/phenixid') });
    const random = createRandom(1);
    const sender = createSender({
      source: phenixid,
      url,
      credentialFor,
      random,
      tls: { ca: authority.cert, ...tls },
    });
    later(() => sender.close());
    return (await sender.fire('OrderSigned')).verdict.ok;
  };
  expect(await fire({})).toBe(false);
  expect(receiver.log.at(-1)).toMatchObject({ code: 'certificate_missing' });
  expect(await fire({ cert: client.cert, key: client.key })).toBe(true);
});
