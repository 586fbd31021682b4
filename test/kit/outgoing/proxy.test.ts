import { createServer } from 'node:http';
import { connect } from 'node:net';
import { expect, it } from '@jest/globals';
import { createOutgoing, type OutgoingOptions } from '../../../src/kit/outgoing/client.ts';
import { readConfig } from '../../../src/kit/program/config.ts';
import { sources } from '../../../src/kit/sources/index.ts';
import { makeCertificates, requireOpenssl } from '../../support/certificates.ts';
import { later, listening } from '../../support/fixtures.ts';
import { secretsFor } from '../../support/receiver.ts';
import { errorOf, outcomeOf, startOtherSide } from './other-side.ts';

/** A proxy that leads every name to this port here, and what it was asked. */
async function startProxy(port: number, status = 200) {
  const asked: string[] = [];
  const proxy = createServer().on('connect', ({ url, headers }, socket) => {
    asked.push(`${url ?? ''} ${headers['proxy-authorization'] ?? ''}`.trim());
    socket.on('error', () => undefined);
    if (status !== 200) {
      socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
      return;
    }
    const there = connect(port, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    there.on('error', () => socket.destroy()).pipe(socket);
    socket.pipe(there);
    later(() => {
      there.destroy();
      socket.destroy();
    });
  });
  return { asked, port: await listening(proxy) };
}

function through(proxyPort: number, options: OutgoingOptions, user = '') {
  const outgoing = createOutgoing({ ...options, proxy: new URL(`http://${user}127.0.0.1:${proxyPort}`) });
  later(() => outgoing.close());
  return (url: string) => outgoing.request({ method: 'GET', url: new URL(url) });
}

it('calls through a proxy, which looks the name up and is shown its own password', async () => {
  const api = await startOtherSide((_, response) => response.end('it'));
  later(api.stop);
  const proxy = await startProxy(api.port);
  const get = through(proxy.port, { hosts: ['http://api.invalid'] }, 'kit:pass%20word@');
  expect((await get('http://api.invalid/tasks')).body.toString()).toBe('it');
  expect(api.requests).toEqual(['GET /tasks']);
  expect(proxy.asked).toEqual([`api.invalid:80 Basic ${Buffer.from('kit:pass word').toString('base64')}`]);
});

it('asks a proxy for no host that is not listed', async () => {
  const proxy = await startProxy(1);
  const get = through(proxy.port, { hosts: ['api.invalid'] });
  expect(await outcomeOf(get('https://other.invalid/'))).toBe('refused host_not_listed');
  expect(await outcomeOf(get('https://10.0.0.1/'))).toBe('refused address_private');
  expect(proxy.asked).toEqual([]);
});

it('says that it was the proxy that refused', async () => {
  const proxy = await startProxy(1, 407);
  const { code, message } = await errorOf(
    through(proxy.port, { hosts: ['api.invalid'] })('https://api.invalid/'),
  );
  expect(code).toBe('connection');
  expect(message).toMatch(/Proxy response \(407\).*the proxy of API_PROXY refused/);
});

const itWithOpenssl = requireOpenssl('calls through a proxy over TLS') ? it : it.skip;

itWithOpenssl('checks the certificate of the API behind the proxy', async () => {
  const certificates = await makeCertificates();
  const api = await startOtherSide((_, response) => response.end('it'), certificates.server);
  later(api.stop, () => certificates.remove());
  const proxy = await startProxy(api.port);
  const tls = { ca: certificates.authority.cert };
  const hosts = ['localhost', 'api.invalid'];
  expect((await through(proxy.port, { hosts, tls })('https://localhost/')).status).toBe(200);
  expect(await outcomeOf(through(proxy.port, { hosts, tls })('https://api.invalid/'))).toBe('failed tls');
  expect(await outcomeOf(through(proxy.port, { hosts })('https://localhost/'))).toBe('failed tls');
});

function warningsOf(env: Readonly<Record<string, string>>): string {
  return readConfig({ ...secretsFor(sources), ...env }, { sources }).warnings.join('\n');
}

it.each(['HTTPS_PROXY', 'http_proxy', 'NODE_USE_ENV_PROXY'])('says at start that %s is not used', (name) => {
  expect(warningsOf({ [name]: 'http://proxy:3128' })).toMatch(
    new RegExp(`${name} is set but not used: .*HOTDOCS_API_PROXY`),
  );
});

it('says it of the APIs that are set up, and only where no proxy is named', () => {
  const api = { HTTPS_PROXY: 'http://proxy:3128', PHENIXID_API_URL: 'https://swf.example.org' };
  expect(warningsOf(api)).toMatch(/proxy that PHENIXID_API_PROXY names/);
  expect(warningsOf({ ...api, PHENIXID_API_PROXY: 'http://proxy:3128' })).toBe('');
});

it('takes no path for a proxy, and does not print its password', () => {
  const read = () => warningsOf({ PHENIXID_API_PROXY: 'http://kit:hunter2@proxy:3128/path' });
  expect(read).toThrow('PHENIXID_API_PROXY: expected the address of a proxy');
  expect(read).not.toThrow('hunter2');
});
