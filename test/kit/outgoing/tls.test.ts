import { execFile } from 'node:child_process';
import type { ServerResponse } from 'node:http';
import type { ServerOptions } from 'node:https';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createOutgoing, type Outgoing, type OutgoingOptions } from '../../../src/kit/outgoing/client.ts';
import { flaws, makeCertificates, requireOpenssl, type Certificates } from '../../support/certificates.ts';
import { errorOf, startOtherSide, type OtherSide } from './other-side.ts';

const describeWithOpenssl = requireOpenssl('outgoing calls over TLS') ? describe : describe.skip;

describeWithOpenssl('over TLS', () => {
  let certificates: Certificates;
  let side: OtherSide;
  let outgoing: Outgoing;

  beforeAll(async () => {
    certificates = await makeCertificates();
  });

  afterAll(() => certificates.remove());

  afterEach(async () => {
    await outgoing.close();
    await side.stop();
  });

  async function start(
    server: ServerOptions,
    tls: OutgoingOptions['tls'] = { ca: certificates.authority.cert },
    before: (response: ServerResponse) => void = () => undefined,
  ): Promise<void> {
    side = await startOtherSide(({ socket }, response) => {
      before(response);
      response.end(subjectOf(socket));
    }, server);
    outgoing = createOutgoing({ hosts: [side.origin], tls });
  }

  const get = () => outgoing.request({ method: 'GET', url: new URL(side.origin) });

  it('calls a server whose certificate is right', async () => {
    await start(certificates.server);
    expect((await get()).status).toBe(200);
  });

  it.each(flaws)('sends nothing to a server whose certificate is %s', async (flaw) => {
    await start(certificates.flawedServers[flaw]);
    const error = await errorOf(get());
    expect(error.code).toBe('tls');
    expect(error.message).toContain('check the authority we trust');
    expect(side.requests).toEqual([]);
  });

  it('reads a reply behind an unasked 100 Continue', async () => {
    await start(certificates.server, undefined, (response) => response.writeContinue());
    expect((await get()).status).toBe(200);
  });

  it('trusts no private authority by itself', async () => {
    await start(certificates.server, {});
    expect((await errorOf(get())).code).toBe('tls');
  });

  it('keeps checking where the environment says not to', async () => {
    await start(certificates.flawedServers['self-signed']);
    const client = pathToFileURL(join(import.meta.dirname, '../../../src/kit/outgoing/client.ts')).href;
    // A process of its own, because jest keeps its changes of the environment from Node.
    const program = `
      import { createOutgoing } from ${JSON.stringify(client)};
      const url = new URL(${JSON.stringify(side.origin)});
      const call = createOutgoing({ hosts: [url.origin] }).request({ method: 'GET', url });
      console.log(await call.then(({ status }) => status, ({ code }) => code));
    `;
    const env = { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0' };
    const args = ['--no-warnings', '--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env });
    expect(stdout).toBe('tls\n');
  });

  it('checks the name of the host, not its address, when it is called by name', async () => {
    await start(certificates.server);
    const lookup = async () => [{ address: '127.0.0.1', family: 4 }];
    const hosts = [`localhost:${side.port}`, `other.example:${side.port}`, `127.0.0.1:${side.port}`];
    const named = createOutgoing({ hosts, lookup, tls: { ca: certificates.authority.cert } });
    const call = (host: string) =>
      named.request({ method: 'GET', url: new URL(`https://${host}:${side.port}`) });
    expect((await call('localhost')).status).toBe(200);
    expect((await errorOf(call('other.example'))).message).toContain('other.example');
    await named.close();
  });

  it('shows its client certificate to a server that demands one', async () => {
    await start(demanding(certificates), withClient(certificates, certificates.client));
    expect((await get()).body.toString()).toBe('phenixid');
  });

  it('fails, and says why it may be, where a client certificate is demanded and none is configured', async () => {
    await start(demanding(certificates));
    const error = await errorOf(get());
    expect(['tls', 'connection']).toContain(error.code);
    expect(error.message).toContain('client certificate');
    expect(side.requests).toEqual([]);
  });

  it.each(['expired', 'not-yet-valid', 'wrong-authority', 'wrong-usage', 'self-signed'] as const)(
    'fails where the client certificate it shows is %s',
    async (flaw) => {
      await start(demanding(certificates), withClient(certificates, certificates.flawedClients[flaw]));
      const error = await errorOf(get());
      expect(['tls', 'connection']).toContain(error.code);
      expect(error.message).toContain('client certificate');
      expect(side.requests).toEqual([]);
    },
  );

  it('does not start with a certificate and the key of another, and does not print the key', async () => {
    await start(certificates.server);
    const { cert } = certificates.client;
    const { key } = certificates.server;
    const create = () => createOutgoing({ hosts: [], tls: { cert, key } });
    expect(create).toThrow('key values mismatch');
    expect(create).not.toThrow('PRIVATE KEY');
  });

  it('speaks no TLS to a server that speaks none', async () => {
    await start(certificates.server);
    const plain = await startOtherSide((_, response) => response.end());
    const hosts = [`127.0.0.1:${plain.port}`];
    const secure = createOutgoing({ hosts });
    const call = secure.request({ method: 'GET', url: new URL(`https://127.0.0.1:${plain.port}`) });
    expect((await errorOf(call)).code).toBe('tls');
    await secure.close();
    await plain.stop();
  });
});

function demanding({ server, authority }: Certificates): ServerOptions {
  return { ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: true };
}

function withClient({ authority }: Certificates, { cert, key }: Certificates['client']) {
  return { ca: authority.cert, cert, key };
}

function subjectOf(socket: unknown): string {
  const subject = socket instanceof TLSSocket ? socket.getPeerCertificate().subject : undefined;
  return String(subject?.CN ?? 'nobody');
}
