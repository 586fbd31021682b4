import { Agent } from 'node:http';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import type { Source } from '../../../src/kit/source.ts';
import { createEndpoint } from '../../../src/lab/conformance/endpoints.ts';
import { examine, type Examination, type ExamineOptions } from '../../../src/lab/doctor/examine.ts';
import { faults, type FaultId } from '../../../src/lab/doctor/findings.ts';
import { probes } from '../../../src/lab/doctor/probes.ts';
import { freePort } from '../../../src/lab/rig/ports.ts';
import {
  makeCertificates,
  requireOpenssl,
  type Certificates,
  type Pair,
} from '../../support/certificates.ts';
import { later } from '../../support/fixtures.ts';
import { startReceiver, type TestReceiver } from '../../support/receiver.ts';
import { brokenWays } from './broken.ts';
import { startProxy, valueOf, type Doing } from './passing.ts';
import { canStart, realWays, startReal } from './real.ts';

const served: readonly (readonly [Source, string, string])[] = [
  [hotdocs, 'InterviewLoadEvent', '/hotdocs/InterviewLoadEvent'],
  [phenixid, 'OrderSigned', '/phenixid'],
  [risr, 'profile_updated', '/risr/profile_updated'],
];

let receiver: TestReceiver;
beforeAll(async () => {
  receiver = await startReceiver({ env: { TAPE: 'off' } }); // what it misses of many at once, it says
});
afterAll(() => receiver.stop());

async function receiverWith(env: Readonly<Record<string, string>>): Promise<TestReceiver> {
  const other = await startReceiver({ env });
  later(() => other.stop());
  return other;
}

interface Wish extends Partial<Omit<ExamineOptions, 'endpoints'>> {
  readonly to?: TestReceiver;
  readonly secret?: string;
}

/** Examines the way to a receiver that begins at this address. */
function examined(url: URL | string, { to = receiver, secret, ...wish }: Wish = {}): Promise<Examination> {
  const endpoints = served.map(([source, type, path]) =>
    createEndpoint({
      ...{ source, type, url: new URL(path, url), name: path.slice(1) },
      credential: { kind: 'SECRET', text: secret ?? to.secretOf(path) },
    }),
  );
  return examine({ endpoints, patient: false, timeoutMs: 60_000, ...wish });
}

const shown = new Set<string>();

/** Exactly these, and no other. */
function expectFound({ found, asked }: Examination, ...ids: readonly FaultId[]): void {
  for (const id of found.keys()) shown.add(id);
  for (const { name, found: here } of asked) if (here.length > 0) shown.add(name);
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(ids.map((id) => [id, expect.anything()])));
}

it('says nothing of a way on which nothing is wrong', async () => {
  for (const url of [receiver.url, await startProxy(receiver.url, {})]) {
    const examination = await examined(url);
    expectFound(examination);
    expect(examination.verdict).toBe('conformant');
  }
});

describe('a proxy of our own', () => {
  let examinations: ReadonlyMap<string, Examination>;
  // Side by side: most of the time is waiting.
  beforeAll(async () => {
    const all = brokenWays.map(async ({ way, doing }): Promise<[string, Examination]> => {
      return [way, await examined(await startProxy(receiver.url, doing))];
    });
    examinations = new Map(await Promise.all(all));
  });

  it.each(brokenWays.map((one) => [one.way, one] as const))('that %s', (way, { found }) => {
    const examination = examinations.get(way);
    expect(examination).toBeDefined();
    if (examination !== undefined) expectFound(examination, ...found);
  });
});

/** Keeps connections whatever the receiver says of how long it does. */
class StubbornAgent extends Agent {
  override keepSocketAlive(_socket: Duplex): boolean {
    return true;
  }
}

describe('what is not of a proxy', () => {
  it('names connections that are kept longer than the receiver keeps them', async () => {
    const to = await receiverWith({ KEEP_ALIVE_MS: '2000' });
    const agent = new StubbornAgent({ keepAlive: true });
    later(() => agent.destroy());
    const kept = await startProxy(to.url, { behind: { agent } });
    const fresh = await startProxy(to.url, {});
    const patient = (url: URL) => examined(url, { to, patient: true });
    const [ofKept, ofFresh] = await Promise.all([patient(kept), patient(fresh)]);
    expectFound(ofKept, 'keep-alive');
    expectFound(ofFresh);
  });

  it.each([120_000, -120_000, 900_000])('names clocks that differ by %d ms', async (drift) => {
    expectFound(await examined(receiver.url, { now: () => Date.now() + drift }), 'clock');
  });

  it('names a receiver that believes what senders say of their address', async () => {
    const to = await receiverWith({ TRUST_PROXY_HOPS: '1' });
    expectFound(await examined(to.url, { to }), 'address-believed');
  });

  it('names settings that are not those of the sender, and blames no way for them', async () => {
    const to = await receiverWith({ PHENIXID_SIGNATURE_SCHEME: 'sha256-body-secret' });
    const examination = await examined(to.url, { to });
    expectFound(examination, 'settings');
    expect(examination.verdict).toBe('conformant');
  });

  it('says nothing of the way where no canary is recognised', async () => {
    const examination = await examined(receiver.url, { secret: 'another-secret-than-the-receiver-has' });
    expectFound(examination, 'unrecognised');
    expect(examination.verdict).toBe('inconclusive');
  });

  it('says that nothing answers', async () => {
    const { verdict, asked } = await examined(`http://127.0.0.1:${await freePort()}`);
    expect(verdict).toBe('unreachable');
    expect(asked).toHaveLength(1);
  });
});

const hasOpenssl = requireOpenssl('what the doctor says of TLS');

(hasOpenssl ? describe : describe.skip)('over TLS', () => {
  let certificates: Certificates;
  let soon: Pair;
  beforeAll(async () => {
    certificates = await makeCertificates();
    const until = new Date(Date.now() + 5 * 24 * 60 * 60 * 1000);
    soon = await certificates.issue({
      subject: '/CN=localhost',
      usage: 'server',
      names: ['IP:127.0.0.1'],
      until,
    });
  });
  afterAll(() => certificates.remove());

  const asServer = ({ cert, key }: Pair) => ({ cert, key });
  const ways: readonly (readonly [string, FaultId | undefined, () => Doing['tls']])[] = [
    ['a right one', undefined, () => asServer(certificates.server)],
    [
      'one that speaks TLS 1.1',
      'tls-old',
      () => ({ ...asServer(certificates.server), minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ],
    ['one that signed itself', 'tls-untrusted', () => asServer(certificates.flawedServers['self-signed'])],
    ['one of another name', 'tls-name', () => asServer(certificates.flawedServers['wrong-subject'])],
    ['one that has expired', 'tls-expiring', () => asServer(certificates.flawedServers.expired)],
    ['one that expires in five days', 'tls-expiring', () => asServer(soon)],
  ];
  it.each(ways)('%s: %s', async (_name, id, tls) => {
    const url = await startProxy(receiver.url, { tls: tls() ?? {} });
    const examination = await examined(url, { tls: { ca: certificates.authority.cert } });
    expectFound(examination, ...(id === undefined ? [] : [id]));
  });

  const demanding: readonly (readonly [string, FaultId | undefined, Doing['pass']])[] = [
    ['by nobody', 'certificate-not-demanded', undefined],
    ['by everybody', undefined, ({ trusted }) => (trusted ? undefined : { status: 403 })],
    [
      'on the usual path only',
      'certificate-bypassed',
      ({ trusted, target }) => (trusted || !/^\/phenixid(\?|$)/.test(target) ? undefined : { status: 403 }),
    ],
    [
      'unless a header says that it was there',
      'certificate-bypassed',
      (passing) =>
        passing.trusted || valueOf(passing, /^x-client-verify$/i) === 'SUCCESS' ? undefined : { status: 403 },
    ],
  ];
  it.each(demanding)('a client certificate that is demanded %s: %s', async (_name, id, pass) => {
    const tls = {
      ...asServer(certificates.server),
      ca: certificates.authority.cert,
      requestCert: true,
      rejectUnauthorized: false,
    };
    const url = await startProxy(receiver.url, { tls, ...(pass && { pass }) });
    const examination = await examined(url, {
      tls: { ca: certificates.authority.cert, ...asServer(certificates.client) },
    });
    expectFound(examination, ...(id === undefined ? [] : [id]));
  });

  it('names a proxy that ends TLS before a receiver that demands a client certificate', async () => {
    const { server, authority, client } = certificates;
    const to = await receiverWith({
      TLS_CERT_FILE: server.certFile,
      TLS_KEY_FILE: server.keyFile,
      TLS_CLIENT_CA_FILE: authority.certFile,
      PHENIXID_CLIENT_CERTIFICATE: 'required',
      PHENIXID_CLIENT_CERTIFICATE_SUBJECT: 'phenixid',
    });
    const url = await startProxy(to.url, { tls: asServer(server), behind: { ca: authority.cert } });
    const tls = { ca: authority.cert, ...asServer(client) };
    expectFound(await examined(url, { to, tls }), 'certificate-lost');
    expectFound(await examined(to.url, { to, tls }));
  });

  describe('and before the receiver', () => {
    it.each(realWays.filter(canStart).map((one) => [one.way, one] as const))('%s', async (_way, real) => {
      const to = await receiverWith({
        ADMIN_PORT: '0',
        TRUST_PROXY_HOPS: real.server === undefined ? '1' : '0',
      });
      const url = await startReal(real, {
        receiver: new URL(to.url).host,
        adminPort: new URL(to.app.adminUrl ?? to.url).port,
        certificate: certificates.server,
      });
      expectFound(await examined(url, { to, tls: { ca: certificates.authority.cert } }), ...real.found);
    });
  });

  it('has been shown each fault that it knows, and each of its questions has found one', () => {
    const known = [...Object.keys(faults), ...probes.map(({ name }) => name), 'a delivery', 'TLS'];
    expect(known.filter((name) => !shown.has(name))).toEqual([]);
  });
});

it('has left nothing at the receiver', async () => {
  const { waiting, running, dead, done } = await receiver.app.inbox.stats();
  expect({ waiting, running, dead, done }).toEqual({ waiting: 0, running: 0, dead: 0, done: 0 });
  expect(new Set(receiver.log.map(({ outcome }) => outcome))).toEqual(new Set(['canary', 'rejected']));
});
