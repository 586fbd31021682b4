import { createServer, type ServerOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeCertificates, requireOpenssl, type Certificates } from '../../support/certificates.ts';
import { later, listening } from '../../support/fixtures.ts';
import { startReceiver } from '../../support/receiver.ts';
import { everyEndpoint, named, tryRules, type Outcome } from './trying-rules.ts';

const describeWithOpenssl = requireOpenssl('rules about TLS') ? describe : describe.skip;

describeWithOpenssl('rules about TLS', () => {
  let certificates: Certificates;
  beforeAll(async () => {
    certificates = await makeCertificates();
  });
  afterAll(() => certificates.remove());

  const clientOf = ({ authority, client }: Certificates) => ({
    ca: authority.cert,
    cert: client.cert,
    key: client.key,
  });

  it('find nothing wrong with this kit, and that it demands a certificate', async () => {
    const { server, authority } = certificates;
    const receiver = await startReceiver({
      env: {
        TLS_CERT_FILE: server.certFile,
        TLS_KEY_FILE: server.keyFile,
        TLS_CLIENT_CA_FILE: authority.certFile,
        PHENIXID_CLIENT_CERTIFICATE: 'required',
        PHENIXID_CLIENT_CERTIFICATE_SUBJECT: 'phenixid',
      },
    });
    later(() => receiver.stop());
    const { findings, cases } = await tryRules(
      named(
        everyEndpoint(receiver.url, (path) => receiver.secretOf(path)),
        'phenixid',
      ),
      ['D*'],
      { tls: clientOf(certificates) },
    );
    expect(findings).toEqual([]);
    expect(cases.map(({ observed }) => observed)).not.toContain('no certificate is demanded here');
  });

  /** Accepts whom it believes to have shown a certificate, without a look at anything else. */
  async function tryOn(
    options: ServerOptions,
    believes: (request: IncomingMessage, socket: TLSSocket) => boolean,
  ): Promise<Outcome> {
    const { cert, key } = certificates.server;
    const server = createServer(
      { cert, key, ca: certificates.authority.cert, ...options },
      (request, response) => {
        const { socket } = request;
        const status = socket instanceof TLSSocket && believes(request, socket) ? 200 : 401;
        response.writeHead(status, { 'WWW-Authenticate': 'Signature' }).end();
      },
    );
    const port = await listening(server);
    const endpoints = everyEndpoint(`https://127.0.0.1:${port}`, (path) => `the secret of ${path}`);
    return tryRules(named(endpoints, 'phenixid'), ['D*'], { tls: clientOf(certificates) });
  }

  const failedRules = ({ cases }: Outcome) => [
    ...new Set(cases.filter(({ outcome }) => outcome === 'failed').map(({ rule }) => rule.id)),
  ];

  it('find out who asks for a certificate and takes any', async () => {
    const outcome = await tryOn(
      { requestCert: true, rejectUnauthorized: false },
      (_, socket) => Object.keys(socket.getPeerCertificate()).length > 0,
    );
    expect(failedRules(outcome)).toEqual(['D1-own-certificate']);
  });

  it('find out who believes a header', async () => {
    const outcome = await tryOn(
      { requestCert: true, rejectUnauthorized: false },
      ({ headers }, socket) => socket.authorized || headers['x-ssl-client-verify'] === 'SUCCESS',
    );
    expect(failedRules(outcome)).toEqual(['D2-certificate-headers']);
  });

  it('find out who still speaks TLS 1.0 and 1.1', async () => {
    const outcome = await tryOn({ minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }, () => true);
    expect(failedRules(outcome)).toEqual(['D5-old-tls']);
  });
});
