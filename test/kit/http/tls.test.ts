import { execFile, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import https, { type RequestOptions } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigInvalid, readConfig } from '../../../src/kit/program/config.ts';
import { createRandom } from '../../../src/lab/mock/random.ts';
import type { TlsOptions } from '../../../src/lab/mock/send.ts';
import { createSender } from '../../../src/lab/mock/sender.ts';
import { createOutgoing } from '../../../src/kit/outgoing/client.ts';
import { signHmacHeader } from '../../../src/kit/proofs/hmac-header.ts';
import { example } from '../../../src/example/index.ts';
import { sources } from '../../../src/kit/sources/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { startupTable } from '../../../src/kit/program/startup.ts';
import type { Source } from '../../../src/kit/source.ts';
import { errorOf, startOtherSide } from '../outgoing/other-side.ts';
import {
  flaws,
  makeCertificates,
  requireOpenssl,
  type Certificates,
  type Pair,
} from '../../support/certificates.ts';
import { later, newFolder } from '../../support/fixtures.ts';
import { exchange, post } from '../../support/raw.ts';
import { secretsFor, startReceiver, type LogLine, type TestReceiver } from '../../support/receiver.ts';
import { until } from '../../support/until.ts';

const describeWithOpenssl = requireOpenssl('the receiver over TLS') ? describe : describe.skip;

const BODY = Buffer.from('{"eventType":"OrderSigned","taskId":"5d0a7f1e-3c42-4b8e-9a57-2f6c1b90d413"}');

describeWithOpenssl('over TLS', () => {
  let certificates: Certificates;
  beforeAll(async () => {
    certificates = await makeCertificates();
  });
  afterAll(() => certificates.remove());

  type Env = Readonly<Record<string, string | undefined>>;

  const own = (): Env => ({
    TLS_CERT_FILE: certificates.server.certFile,
    TLS_KEY_FILE: certificates.server.keyFile,
  });
  const demanding = (): Env => ({
    ...own(),
    TLS_CLIENT_CA_FILE: certificates.authority.certFile,
    PHENIXID_CLIENT_CERTIFICATE: 'required',
    PHENIXID_CLIENT_CERTIFICATE_SUBJECT: 'phenixid',
  });

  async function start(env: Env): Promise<TestReceiver> {
    const receiver = await startReceiver({ env });
    later(() => receiver.stop());
    return receiver;
  }

  /** What a client shows and believes. */
  function withPair(pair?: Pair): { readonly ca: string; readonly cert?: string; readonly key?: string } {
    return { ca: certificates.authority.cert, ...(pair && { cert: pair.cert, key: pair.key }) };
  }

  interface Notification {
    readonly pair?: Pair | undefined;
    readonly secret?: string;
    readonly path?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly tls?: RequestOptions;
  }

  /** One signed notification over a connection of its own. */
  async function notify(receiver: TestReceiver, notification: Notification = {}): Promise<number> {
    const { pair, path = '/phenixid', headers = {}, tls = {} } = notification;
    const secret = notification.secret ?? receiver.secretOf('/phenixid');
    const request = https.request(new URL(receiver.url), {
      method: 'POST',
      path,
      headers: { 'X-Signature': signatureBy(secret), 'Content-Length': BODY.length, ...headers },
      agent: false,
      ...withPair(pair),
      ...tls,
    });
    request.end(BODY);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
    return response.statusCode ?? 0;
  }

  function connect(receiver: TestReceiver, options: ConnectionOptions = {}): Promise<TLSSocket> {
    const { hostname: host, port } = new URL(receiver.url);
    const socket = connectTls({ host, port: Number(port), ...withPair(), ...options });
    later(() => socket.destroy());
    return new Promise((resolve, reject) => {
      socket.once('secureConnect', () => resolve(socket));
      socket.on('error', reject);
    });
  }

  it('serves the events of a sender without a client certificate, and says https where it listens', async () => {
    const receiver = await start(own());
    expect(receiver.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await notify(receiver)).toBe(200);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'accepts a signed delivery with the right certificate, over %s',
    async (version) => {
      const receiver = await start(demanding());
      const tls = { minVersion: version, maxVersion: version };
      expect(await notify(receiver, { pair: certificates.client, tls })).toBe(200);
      expect(refusals(receiver)).toEqual([]);
    },
  );

  it('knows the certificate by its fingerprint, and by its whole subject', async () => {
    const fingerprint = new X509Certificate(certificates.client.cert).fingerprint256;
    const receiver = await start({
      ...demanding(),
      PHENIXID_CLIENT_CERTIFICATE_SUBJECT: 'O=Hospital, CN=phenixid',
      PHENIXID_CLIENT_CERTIFICATE_FINGERPRINT: fingerprint,
    });
    expect(await notify(receiver, { pair: certificates.client })).toBe(200);
    const renewed = await certificates.issue({ subject: '/O=Hospital/CN=phenixid', usage: 'client' });
    expect(await notify(receiver, { pair: renewed })).toBe(401);
    expect(refusals(receiver)).toEqual([
      expect.objectContaining({ why: expect.stringContaining('fingerprint is none') }),
    ]);
  });

  it('refuses a delivery without a certificate, however well it is signed', async () => {
    const receiver = await start(demanding());
    expect(await notify(receiver)).toBe(401);
    expect(refusals(receiver)).toMatchObject([
      {
        code: 'certificate_missing',
        path: '/phenixid',
        why: expect.stringContaining('No client certificate came'),
      },
    ]);
    expect(receiver.log.filter(({ outcome }) => outcome === 'accepted')).toEqual([]);
  });

  const words: Readonly<Record<(typeof flaws)[number], string>> = {
    expired: 'The client certificate expired at 20',
    'not-yet-valid': 'The client certificate is not valid before 20',
    'wrong-authority': 'of another authority than those in TLS_CLIENT_CA_FILE',
    'wrong-subject': 'its subject is another one: O=Hospital, CN=phenixld',
    'wrong-usage': 'its extended key usage must have clientAuth',
    'self-signed': 'The client certificate signed itself',
  };

  it.each(
    flaws.flatMap((flaw) => (['TLSv1.2', 'TLSv1.3'] as const).map((version) => [flaw, version] as const)),
  )('refuses a delivery whose certificate is %s, over %s, and says so', async (flaw, version) => {
    const receiver = await start(demanding());
    const tls = { minVersion: version, maxVersion: version };
    expect(await notify(receiver, { pair: certificates.flawedClients[flaw], tls })).toBe(401);
    expect(refusals(receiver)).toMatchObject([
      {
        outcome: 'rejected',
        code: 'certificate_refused',
        path: '/phenixid',
        why: expect.stringContaining(words[flaw]),
      },
    ]);
  });

  it.each([
    ['right', 'right', 200],
    ['right', 'wrong', 401],
    ['wrong', 'right', 401],
    ['wrong', 'wrong', 401],
    ['none', 'right', 401],
    ['none', 'wrong', 401],
  ] as const)(
    'with the %s certificate and the %s signature answers %i',
    async (certificate, signature, status) => {
      const receiver = await start(demanding());
      const pairs = {
        right: certificates.client,
        wrong: certificates.flawedClients['wrong-authority'],
        none: undefined,
      };
      const notification = {
        pair: pairs[certificate],
        ...(signature === 'wrong' && { secret: 'another secret of some length' }),
      };
      expect(await notify(receiver, notification)).toBe(status);
    },
  );

  it('opens an endpoint with the certificate alone where deliveries are said to be unsigned', async () => {
    const env = { ...demanding(), PHENIXID_SECRET: undefined, PHENIXID_SIGNATURE_SCHEME: 'unsigned' };
    const receiver = await start(env);
    expect(receiver.config.warnings).toEqual([]);
    expect(startupTable(example, receiver.config, receiver.app)).toMatch(
      /\/phenixid +open {4}client certificate/,
    );
    expect(await notify(receiver, { pair: certificates.client, secret: 'never asked for' })).toBe(200);
    expect(await notify(receiver, { secret: 'never asked for' })).toBe(401);
    expect(await notify(receiver, { pair: certificates.flawedClients.expired })).toBe(401);
  });

  it('asks an installation for the certificate as well as for its own secret', async () => {
    const secret = 'the-secret-of-the-north-long-enough';
    const receiver = await start({ ...demanding(), PHENIXID_NORTH_SECRET: secret });
    const path = '/phenixid/?key=north';
    expect(await notify(receiver, { pair: certificates.client, secret, path })).toBe(200);
    expect(await notify(receiver, { secret, path })).toBe(401);
    expect(await notify(receiver, { pair: certificates.client, path })).toBe(401);
  });

  it('gives every cause the same reply', async () => {
    const receiver = await start(demanding());
    const replies = new Set<string>();
    for (const [pair, signature] of [
      [certificates.client, 'ab'.repeat(32)],
      [undefined, signatureBy(receiver.secretOf('/phenixid'))],
      [certificates.flawedClients['wrong-subject'], signatureBy(receiver.secretOf('/phenixid'))],
    ] as const) {
      const socket = await connect(receiver, withPair(pair));
      const sent = post('/phenixid', BODY, { 'X-Signature': signature, Connection: 'close' });
      replies.add((await replyTo(socket, sent)).replaceAll(/^(?:Date|X-Request-Id): .*\r\n/gm, ''));
    }
    expect([...replies]).toEqual([expect.stringMatching(/^HTTP\/1\.1 401 /)]);
  });

  it('asks nothing of senders on the same port that have no certificate', async () => {
    const receiver = await start(demanding());
    const fired = await fire(receiver, risr, 'profile_updated', {});
    expect(fired.verdict.ok).toBe(true);
  });

  it('does not take a revoked certificate', async () => {
    const directory = newFolder();
    const revoked = await certificates.issue({ subject: '/O=Hospital/CN=phenixid', usage: 'client' });
    const file = await revocationList(directory, certificates.authority, revoked);
    const receiver = await start({ ...demanding(), TLS_CLIENT_CRL_FILE: file });
    expect(await notify(receiver, { pair: certificates.client })).toBe(200);
    expect(await notify(receiver, { pair: revoked })).toBe(401);
    expect(refusals(receiver)).toMatchObject([{ why: expect.stringContaining('has been revoked') }]);
  });

  it('does not take the certificate of an authority, nor one without a subject', async () => {
    const receiver = await start(demanding());
    const authority = await certificates.issue({ subject: '/O=Hospital/CN=phenixid', usage: 'authority' });
    expect(await notify(receiver, { pair: authority })).toBe(401);
    const nameless = await selfSigned('/');
    expect(await notify(receiver, { pair: nameless })).toBe(401);
    expect(refusals(receiver).map(({ code }) => code)).toEqual([
      'certificate_refused',
      'certificate_refused',
    ]);
  });

  it('does not take a certificate with a weak key', async () => {
    const receiver = await start(demanding());
    const weak = await selfSigned('/O=Hospital/CN=phenixid', ['-newkey', 'rsa:1024']);
    expect(await notify(receiver, { pair: weak, tls: { ciphers: 'DEFAULT:@SECLEVEL=0' } })).toBe(401);
    expect(refusals(receiver)).toMatchObject([{ code: 'certificate_refused' }]);
  });

  const forged = [
    'X-SSL-Client-Cert',
    'X-Client-Verify',
    'X-Forwarded-Client-Cert',
    'X-ARR-ClientCert',
    'Client-Cert',
  ];

  it.each(forged)('does not believe the header %s', async (name) => {
    const receiver = await start(demanding());
    const pem = encodeURIComponent(certificates.client.cert);
    expect(
      await notify(receiver, { headers: { [name]: name === 'X-Client-Verify' ? 'SUCCESS' : pem } }),
    ).toBe(401);
    expect(refusals(receiver)).toMatchObject([
      { code: 'certificate_missing', why: expect.stringContaining(`A header ${name} speaks of one`) },
    ]);
  });

  it('warns once of such headers, also beside a good certificate, and is not swayed by them', async () => {
    const receiver = await start(demanding());
    const headers = { 'X-Forwarded-Client-Cert': 'Subject="CN=elsewhere"' };
    expect(await notify(receiver, { pair: certificates.client, headers })).toBe(200);
    expect(await notify(receiver, { pair: certificates.client, headers })).toBe(200);
    expect(await notify(receiver, { pair: certificates.flawedClients.expired, headers })).toBe(401);
    const warnings = receiver.log.filter(({ outcome }) => outcome === 'ignored');
    expect(warnings).toMatchObject([
      { level: 'warn', why: expect.stringContaining('X-Forwarded-Client-Cert') },
    ]);
  });

  it.each([
    '/PHENIXID',
    '//phenixid',
    '/%70henixid',
    '/x/../phenixid',
    '/phenixid;x',
    '/phenixid%2f',
    '/phenixid/x',
  ])('has no other way to the endpoint than its path: %s', async (path) => {
    const receiver = await start(demanding());
    expect(await notify(receiver, { path })).toBe(404);
    expect(await notify(receiver, { path, pair: certificates.client })).toBe(404);
  });

  it.each(['/phenixid/', '/phenixid//', '/phenixid?key=', '/phenixid/?key='])(
    'demands the certificate at %s as well, where this sender may write to',
    async (path) => {
      const receiver = await start(demanding());
      expect(await notify(receiver, { path })).toBe(401);
      expect(await notify(receiver, { path, pair: certificates.client })).toBe(200);
    },
  );

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'carries no identity over into the next connection, over %s',
    async (version) => {
      const receiver = await start(demanding());
      const versions = { minVersion: version, maxVersion: version };
      const first = await connect(receiver, { ...withPair(certificates.client), ...versions });
      let session = first.getSession();
      first.on('session', (newer) => (session = newer));
      const signed = { 'X-Signature': signatureBy(receiver.secretOf('/phenixid')), Connection: 'close' };
      expect(await replyTo(first, post('/phenixid', BODY, signed))).toMatch(/^HTTP\/1\.1 200 /);
      const second = await connect(receiver, { ...versions, ...(session && { session }) });
      expect(second.isSessionReused()).toBe(false);
      expect(await replyTo(second, post('/phenixid', BODY, signed))).toMatch(/^HTTP\/1\.1 401 /);
    },
  );

  it('lets nobody put another certificate in the place of the first', async () => {
    const receiver = await start(demanding());
    const socket = await connect(receiver, { ...withPair(certificates.client), maxVersion: 'TLSv1.2' });
    const failure = new Promise((resolve) => {
      socket.once('error', resolve).once('close', resolve);
      socket.renegotiate({ rejectUnauthorized: true }, resolve);
    });
    expect(String(await failure)).toMatch(/renegotiation/i);
  });

  it('refuses TLS 1.1, and ciphers without forward secrecy', async () => {
    const receiver = await start(own());
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
    await expect(connect(receiver, old)).rejects.toThrow();
    const weak = { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:ECDHE-ECDSA-AES128-SHA' } as const;
    await expect(connect(receiver, weak)).rejects.toThrow();
    await until('both are in the log', () => refusals(receiver).length === 2);
    expect(refusals(receiver)).toMatchObject([
      { code: 'request_malformed', from: '127.0.0.1', why: expect.stringContaining('TLS older than 1.2') },
      { code: 'request_malformed', why: expect.stringContaining('No cipher in common') },
    ]);
    expect(await notify(receiver)).toBe(200);
  });

  it('closes on plain HTTP, and says what is wrong with the address', async () => {
    const receiver = await start(demanding());
    const reply = await exchange(receiver.url, post('/phenixid', BODY));
    expect([0, 400]).toContain(reply.status);
    expect(reply.closed).toBe(true);
    expect(refusals(receiver)).toMatchObject([
      { code: 'request_malformed', why: expect.stringContaining('must begin with https') },
    ]);
  });

  it('closes on bytes that are neither', async () => {
    const receiver = await start(own());
    for (const bytes of [
      Buffer.alloc(600),
      Buffer.from([22, 3, 1, 255, 255, 1]),
      Buffer.from('PRI * HTTP/2.0\r\n\r\n'),
    ])
      expect(await exchange(receiver.url, bytes, { halfClose: true })).toMatchObject({
        status: 0,
        closed: true,
      });
    expect(await notify(receiver)).toBe(200);
  });

  it('lets half-open handshakes time out, and serves others meanwhile', async () => {
    const receiver = await start({ ...demanding(), REQUEST_TIMEOUT_MS: '400' });
    const { hostname, port } = new URL(receiver.url);
    const sockets = Array.from({ length: 50 }, (_, index) => {
      const socket = connectPlain(Number(port), hostname);
      // Half of them say nothing, half begin a ClientHello.
      if (index % 2 === 0) socket.write(Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]));
      socket.on('error', () => undefined);
      return new Promise((resolve) => socket.resume().once('close', resolve));
    });
    expect(await notify(receiver, { pair: certificates.client })).toBe(200);
    await Promise.all(sockets);
    const late = refusals(receiver).filter(({ code }) => code === 'body_late');
    expect(late).toHaveLength(50);
    expect(late[0]).toMatchObject({ why: 'The TLS handshake was not done within REQUEST_TIMEOUT_MS.' });
    expect(await notify(receiver, { pair: certificates.client })).toBe(200);
  });

  it('spares a connection that has brought a delivery when too many others are opened', async () => {
    const receiver = await start({ ...own(), MAX_CONNECTIONS: '10' });
    const proven = await connect(receiver);
    const headers = { 'X-Signature': signatureBy(receiver.secretOf('/phenixid')) };
    const deliver = async () => {
      proven.write(post('/phenixid', BODY, headers));
      const [reply] = (await once(proven, 'data')) as [Buffer];
      return reply.toString().slice(0, 12);
    };
    expect(await deliver()).toBe('HTTP/1.1 200');
    const { hostname, port } = new URL(receiver.url);
    const others = Array.from({ length: 30 }, () => connectPlain(Number(port), hostname));
    for (const socket of others) {
      later(() => void socket.destroy());
      socket.on('error', () => undefined).resume();
    }
    await until('the older ones are closed', () => others.filter(({ closed }) => closed).length >= 21);
    expect(await deliver()).toBe('HTTP/1.1 200');
  });

  it('keeps a connection that has sent nothing since its handshake for longer than a request may take', async () => {
    const receiver = await start({ ...own(), REQUEST_TIMEOUT_MS: '1000' });
    const socket = await connect(receiver);
    await sleep(2_500); // more than one look of the server for requests that are late
    socket.write('GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const [reply] = (await once(socket, 'data')) as [Buffer];
    expect(reply.toString()).toMatch(/^HTTP\/1\.1 404 /);
  });

  it('does not wait for half-open handshakes when it stops', async () => {
    const receiver = await startReceiver({
      env: { ...own(), REQUEST_TIMEOUT_MS: '60000', SHUTDOWN_MS: '60000' },
    });
    const { hostname, port } = new URL(receiver.url);
    const socket = connectPlain(Number(port), hostname);
    await once(socket, 'connect');
    const finished = await notify(receiver);
    const closed = once(socket.resume(), 'close');
    await receiver.stop();
    await closed;
    expect(finished).toBe(200);
  });

  it('says it when a sender does not trust the certificate of the receiver', async () => {
    const receiver = await start(own());
    await expect(notify(receiver, { tls: { ca: certificates.client.cert } })).rejects.toThrow();
    const untrusting = ['s_client', '-verify_return_error', '-CAfile', certificates.client.certFile];
    await openssl([...untrusting, '-connect', new URL(receiver.url).host]).catch(() => undefined);
    await until('it is in the log', () => refusals(receiver).length > 0);
    expect(refusals(receiver)).toContainEqual(
      expect.objectContaining({ why: expect.stringContaining('does not trust our certificate') }),
    );
  });

  it('says nothing of a load balancer that only looks whether the port is open', async () => {
    const receiver = await start(own());
    const { hostname, port } = new URL(receiver.url);
    for (const close of ['end', 'resetAndDestroy'] as const) {
      const socket = connectPlain(Number(port), hostname).resume();
      await once(socket, 'connect');
      const closed = once(socket, 'close');
      socket[close]();
      await closed;
    }
    expect(await notify(receiver)).toBe(200);
    expect(refusals(receiver)).toEqual([]);
  });

  describe('before it starts', () => {
    /** Everything that is wrong; empty when it would start. */
    function problemsOf(env: Env): readonly string[] {
      try {
        readConfig({ ...secretsFor(sources), ...env }, { sources });
        return [];
      } catch (error) {
        if (error instanceof ConfigInvalid) return error.problems;
        throw error;
      }
    }

    it('names a file that cannot be read, is empty, or is something else', async () => {
      const directory = newFolder();
      const empty = join(directory, 'empty.pem');
      await writeFile(empty, '');
      for (const variable of ['TLS_CERT_FILE', 'TLS_KEY_FILE', 'TLS_CLIENT_CA_FILE', 'TLS_CLIENT_CRL_FILE']) {
        for (const file of [join(directory, 'absent.pem'), empty, import.meta.filename]) {
          const problems = problemsOf({ ...demanding(), [variable]: file });
          expect(problems.join('\n')).toContain(variable);
          expect(problems.join('\n')).not.toContain('PRIVATE');
        }
      }
    });

    it('takes neither a certificate without its key nor one with the key of another', () => {
      expect(problemsOf({ TLS_CERT_FILE: certificates.server.certFile })).toEqual([
        expect.stringContaining('TLS_KEY_FILE'),
      ]);
      expect(problemsOf({ TLS_KEY_FILE: certificates.server.keyFile })).toEqual([
        expect.stringContaining('TLS_CERT_FILE'),
      ]);
      expect(problemsOf({ ...own(), TLS_KEY_FILE: certificates.client.keyFile })).toEqual([
        'TLS_CERT_FILE and TLS_KEY_FILE do not belong together: the certificate is for another key.',
      ]);
    });

    it('takes the texts themselves as well', () => {
      const { cert, key } = certificates.server;
      expect(problemsOf({ TLS_CERT: cert, TLS_KEY: key })).toEqual([]);
      expect(problemsOf({ TLS_CERT: cert, TLS_KEY: certificates.client.key })).toEqual([
        'TLS_CERT and TLS_KEY do not belong together: the certificate is for another key.',
      ]);
    });

    it('takes no half demand for a client certificate', () => {
      const missing = (variable: string) => problemsOf({ ...demanding(), [variable]: undefined }).join('\n');
      expect(missing('TLS_CLIENT_CA_FILE')).toMatch(
        /PHENIXID_CLIENT_CERTIFICATE is required, but TLS_CLIENT_CA_FILE/,
      );
      expect(missing('PHENIXID_CLIENT_CERTIFICATE_SUBJECT')).toMatch(
        /any certificate of the authority would do/,
      );
      expect(missing('PHENIXID_CLIENT_CERTIFICATE')).toMatch(/PHENIXID_CLIENT_CERTIFICATE is off although/);
      expect(problemsOf({ PHENIXID_CLIENT_CERTIFICATE: 'optional' })).toEqual([
        'PHENIXID_CLIENT_CERTIFICATE: expected off, or required.',
      ]);
      expect(problemsOf({ ...demanding(), PHENIXID_CLIENT_CERTIFICATE_FINGERPRINT: 'ab:cd' })).toEqual([
        expect.stringMatching(/^PHENIXID_CLIENT_CERTIFICATE_FINGERPRINT: expected SHA-256 fingerprints/),
      ]);
      expect(problemsOf(demanding())).toEqual([]);
    });

    it('asks for a certificate and key of its own before it asks others', () => {
      const problems = problemsOf({ TLS_CLIENT_CA_FILE: certificates.authority.certFile });
      expect(problems).toEqual([expect.stringContaining('set TLS_CERT_FILE and TLS_KEY_FILE')]);
    });

    it('warns of a certificate of its own that is out of date', () => {
      const { certFile, keyFile } = certificates.flawedServers.expired;
      const env = { ...secretsFor(sources), TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile };
      expect(readConfig(env, { sources }).warnings).toEqual([
        expect.stringMatching(/certificate of the receiver expired/),
      ]);
    });
  });

  function fire(receiver: TestReceiver, source: Source, type: string, tls: TlsOptions) {
    const sender = createSender({
      source,
      url: new URL(receiver.url),
      credentialFor: ({ path }) => ({ kind: 'SECRET', text: receiver.secretOf(path) }),
      random: createRandom(1),
      tls: { ca: certificates.authority.cert, ...tls },
    });
    later(() => sender.close());
    return sender.fire(type);
  }

  it('accepts what the mock sends with its client certificate, as PEM or as the PKCS#12 store of sslKeyFile', async () => {
    const receiver = await start(demanding());
    const passphrase = 'changeit';
    const pfx = await keyStore(certificates.client, passphrase);
    const { cert, key } = certificates.client;
    for (const tls of [
      { cert, key },
      { pfx, passphrase },
    ]) {
      const fired = await fire(receiver, phenixid, 'OrderCreated', tls);
      expect(fired.verdict).toEqual({ ok: true, says: 'delivered' });
    }
    await receiver.app.idle();
    expect(receiver.log.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(2);
  });

  it('refuses what the mock sends without one, and the mock says so', async () => {
    const receiver = await start(demanding());
    const fired = await fire(receiver, phenixid, 'OrderCreated', {});
    expect(fired.verdict).toEqual({ ok: false, says: 'status 401; the event is not sent again' });
  });

  it('is believed by a sender that checks, and not where the mock trusts another authority', async () => {
    const receiver = await start(own());
    const fired = await fire(receiver, phenixid, 'OrderCreated', { ca: certificates.client.cert });
    expect(fired).toMatchObject({ unreachable: true, verdict: { ok: false } });
  });

  describe('to an API behind a proxy that demands a client certificate', () => {
    const task = JSON.stringify({ id: '5d0a7f1e', state: 'ACCEPTED' });

    async function callWith(pair?: Pair) {
      const api = await startOtherSide((_, response) => response.end(task));
      const proxy = await startOtherSide(
        ({ url = '/' }, response) => {
          void fetch(new URL(url, api.origin)).then(async (reply) => response.end(await reply.text()));
        },
        { ...withPair(certificates.server), requestCert: true, rejectUnauthorized: true },
      );
      const outgoing = createOutgoing({ hosts: [proxy.origin], tls: withPair(pair) });
      later(api.stop, proxy.stop, () => outgoing.close());
      const call = outgoing.request({ method: 'GET', url: new URL('/api/v2/tasks/5d0a7f1e', proxy.origin) });
      return { call, api };
    }

    it('gets through with the right one', async () => {
      const { call, api } = await callWith(certificates.client);
      expect((await call).body.toString()).toBe(task);
      expect(api.requests).toEqual(['GET /api/v2/tasks/5d0a7f1e']);
    });

    it.each(['none', 'expired', 'not-yet-valid', 'wrong-authority', 'wrong-usage', 'self-signed'] as const)(
      'does not get through with: %s',
      async (flaw) => {
        const pair = flaw === 'none' ? undefined : certificates.flawedClients[flaw];
        const { call, api } = await callWith(pair);
        // A Node server hangs up without an alert; the next test has one that sends it.
        expect((await errorOf(call)).message).toContain('client certificate');
        expect(api.requests).toEqual([]);
      },
    );

    it.each(['right', 'none', 'expired', 'wrong-authority'] as const)(
      'is told by a TLS alert of openssl what it is with: %s',
      async (which) => {
        const pairs = { right: certificates.client, none: undefined, ...certificates.flawedClients };
        const origin = await startOpensslServer();
        const outgoing = createOutgoing({ hosts: [origin], tls: withPair(pairs[which]) });
        later(() => outgoing.close());
        const call = outgoing.request({ method: 'GET', url: new URL(origin) });
        if (which === 'right') {
          expect((await call).status).toBe(200);
          return;
        }
        const { code, message } = await errorOf(call);
        expect(code).toBe('tls');
        expect(message).toMatch(/alert.*the client certificate we show/);
      },
    );
  });

  /** Somebody else's TLS, 1.2 because an alert of 1.3 comes too late to be the answer to anything: it demands a client certificate, and sends an alert where it does not like it. */
  async function startOpensslServer(): Promise<string> {
    const { server, authority } = certificates;
    const identity = ['-cert', server.certFile, '-key', server.keyFile, '-CAfile', authority.certFile];
    const args = [
      's_server',
      '-accept',
      '127.0.0.1:0',
      '-Verify',
      '1',
      '-verify_return_error',
      '-www',
      '-tls1_2',
      ...identity,
    ];
    const child = spawn('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    later(async () => {
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    const port = () => /ACCEPT .*:(\d+)/.exec(said)?.[1];
    await until('openssl listens', () => port() !== undefined);
    return `https://127.0.0.1:${port() ?? ''}`;
  }

  async function selfSigned(
    subject: string,
    key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  ): Promise<Pair> {
    const directory = newFolder();
    const certFile = join(directory, 'cert.pem');
    const keyFile = join(directory, 'key.pem');
    const usage = ['-addext', 'extendedKeyUsage=clientAuth', '-days', '2', '-subj', subject];
    await openssl(['req', '-x509', '-nodes', ...key, ...usage, '-keyout', keyFile, '-out', certFile]);
    return {
      cert: await readFile(certFile, 'utf8'),
      key: await readFile(keyFile, 'utf8'),
      certFile,
      keyFile,
    };
  }

  async function keyStore({ certFile, keyFile }: Pair, passphrase: string): Promise<Buffer> {
    const directory = newFolder();
    const file = join(directory, 'store.p12');
    const protection = ['-passout', `pass:${passphrase}`];
    await openssl(['pkcs12', '-export', '-in', certFile, '-inkey', keyFile, ...protection, '-out', file]);
    return readFile(file);
  }
});

function signatureBy(secret: string): string {
  return signHmacHeader(BODY, Buffer.from(secret), {
    scheme: 'hmac-sha256',
    encoding: 'hex',
    letterCase: 'lower',
    prefix: '',
  });
}

function refusals({ log }: TestReceiver): readonly LogLine[] {
  return log.filter(({ outcome }) => outcome === 'rejected');
}

async function replyTo(socket: TLSSocket, request: Buffer): Promise<string> {
  let reply = '';
  socket.setEncoding('latin1').on('data', (text: string) => (reply += text));
  socket.write(request);
  await once(socket, 'close');
  return reply;
}

async function openssl(args: readonly string[], cwd?: string): Promise<void> {
  await promisify(execFile)('openssl', args, { cwd, timeout: 10_000 });
}

/** The authority's list with one certificate on it. */
async function revocationList(directory: string, authority: Pair, revoked: Pair): Promise<string> {
  const { serialNumber } = new X509Certificate(revoked.cert);
  const at = new Date().toISOString().replace(/\D/g, '').slice(2, 14);
  await writeFile(
    join(directory, 'index.txt'),
    `R\t491231235959Z\t${at}Z\t${serialNumber}\tunknown\t/CN=phenixid\n`,
  );
  await writeFile(
    join(directory, 'openssl.cnf'),
    '[ca]\ndefault_ca = defaults\n[defaults]\ndatabase = index.txt\ndefault_md = sha256\n',
  );
  const by = ['-cert', authority.certFile, '-keyfile', authority.keyFile];
  await openssl(
    ['ca', '-config', 'openssl.cnf', '-gencrl', ...by, '-crldays', '1', '-out', 'list.pem'],
    directory,
  );
  return join(directory, 'list.pem');
}
