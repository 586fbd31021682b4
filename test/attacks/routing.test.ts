import { once } from 'node:events';
import { createServer, METHODS, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { withHeader, withHeaders } from '../../src/lab/conformance/making/edit.ts';
import type { WireRequest } from '../../src/lab/conformance/wire.ts';
import { createRandom } from '../../src/lab/mock/random.ts';
import { createSender, type Sender as MockSender } from '../../src/lab/mock/sender.ts';
import { createMockApp } from '../../src/lab/mock/server.ts';
import type { Source } from '../../src/kit/source.ts';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { exchange } from '../support/raw.ts';
import {
  bytesOf,
  credentialAt,
  expectAccepted,
  expectDiscreet,
  expectRefusedAlone,
  genuine,
  startTarget,
  stored,
  type Sender,
  type Target,
} from './support.ts';

let target: Target;
beforeAll(async () => {
  target = await startTarget({ env: { RISR_BOOKING_UPDATED_SECRET: undefined } });
});
afterAll(() => target.receiver.stop());

const senders: readonly (readonly [string, Sender])[] = [
  [
    'HotDocs',
    { source: hotdocs, type: 'NewWorkItemVersionComplete', path: '/hotdocs/NewWorkItemVersionComplete' },
  ],
  ['a HotDocs action link', { source: hotdocs, type: 'ActionLink', path: '/hotdocs/ActionLink' }],
  ['PhenixID', { source: phenixid, type: 'OrderSigned', path: '/phenixid' }],
  ['risr', { source: risr, type: 'profile_updated', path: '/risr/profile_updated' }],
];

describe('H1: a method', () => {
  it.each(senders)('that %s does not use is refused, and the ones it uses are named', async (_, sender) => {
    const allowed = sender.source.methods(sender.type);
    for (const method of METHODS.filter((name) => name !== 'CONNECT' && !allowed.includes(name))) {
      const request = { ...(await genuine(target, sender)), method };
      const reply = await exchange(target.receiver.url, bytesOf(request));
      expect([method, reply.status, reply.headers['allow']]).toEqual([method, 405, allowed.join(', ')]);
      expect(reply.body).toBe(method === 'HEAD' ? '' : '{"error":"Method Not Allowed"}');
    }
    await expectAccepted(target, await genuine(target, sender));
  });

  it('CONNECT opens no tunnel', async () => {
    for (const line of ['CONNECT localhost:22 HTTP/1.1', 'CONNECT /phenixid HTTP/1.1']) {
      const reply = await exchange(target.receiver.url, `${line}\r\nHost: localhost:22\r\n\r\nSSH-2.0-x\r\n`);
      expectDiscreet(reply);
      expect([reply.status, reply.closed]).toEqual([400, true]);
    }
  });

  it('OPTIONS of everything tells nothing', async () => {
    const reply = await exchange(
      target.receiver.url,
      'OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    );
    expectDiscreet(reply);
    expect([reply.status, reply.headers['access-control-allow-origin']]).toEqual([400, undefined]);
  });

  it('of a preflight gets no permission', async () => {
    const headers = [
      ['Origin', 'https://evil.example'],
      ['Access-Control-Request-Method', 'POST'],
    ] as const;
    const request: WireRequest = { method: 'OPTIONS', target: '/phenixid', headers, body: Buffer.alloc(0) };
    const reply = await exchange(target.receiver.url, bytesOf(request));
    expect(reply.status).toBe(405);
    expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('H3: a path', () => {
  it('without a secret is as unknown as any other', async () => {
    const closed: WireRequest = {
      method: 'POST',
      target: '/risr/booking_updated',
      headers: [],
      body: Buffer.from('x'),
    };
    const { reply } = await expectRefusedAlone(target, closed, 'endpoint_closed');
    const unknown = await expectRefusedAlone(target, { ...closed, target: '/risr/nothing' }, 'path_unknown');
    expect(reply.body).toBe(unknown.reply.body);
  });
});

describe('H4: what is for operators', () => {
  const trusted = [
    ['X-Forwarded-For', '127.0.0.1'],
    ['X-Real-IP', '127.0.0.1'],
    ['Forwarded', 'for=127.0.0.1'],
    ['X-Forwarded-Host', 'localhost:3001'],
    ['Host', 'localhost:3001'],
  ] as const;

  it.each([
    '/admin',
    '/console',
    '/health',
    '/healthz',
    '/live',
    '/livez',
    '/ready',
    '/readyz',
    '/metrics',
    '/status',
    '/inbox',
    '/entries',
    '/replay/1',
    '/send/hotdocs/InterviewLoadEvent',
    '/debug',
    '/.env',
    '/favicon.ico',
  ])('is not on the port of the receiver: %s', async (path) => {
    for (const method of ['GET', 'POST']) {
      const request: WireRequest = { method, target: path, headers: trusted, body: Buffer.alloc(0) };
      await expectRefusedAlone(target, request, 'path_unknown');
    }
  });
});

describe('H5: the mock on a developer’s machine', () => {
  let mock: Server;
  let sender: MockSender;
  let url: string;

  beforeAll(async () => {
    // The sender of any source does: only its data sheet differs.
    const source: Source = phenixid;
    sender = createSender({
      source,
      url: new URL(target.receiver.url),
      credentialFor: () => credentialAt(target.receiver, '/phenixid'),
      random: createRandom(1),
    });
    mock = createServer(createMockApp([sender]));
    mock.listen(0, '127.0.0.1');
    await once(mock, 'listening');
    const address = mock.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? '') : ''}`;
  });
  afterAll(async () => {
    sender.close();
    mock.close();
    mock.closeAllConnections();
    await once(mock, 'close');
  });

  const order = (): WireRequest => ({
    method: 'POST',
    target: '/send/phenixid/OrderSigned',
    headers: [
      ['Host', new URL(url).host],
      ['Content-Type', 'application/json'],
    ],
    body: Buffer.from('{}'),
  });
  const named = (name: string, value: string) => (request: WireRequest) =>
    withHeaders(withHeader(request, name.toLowerCase()), [name, value]);

  it('sends for whoever sits at it', async () => {
    const before = await stored(target.receiver);
    expect((await exchange(url, bytesOf(order()))).status).toBe(200);
    expect(await stored(target.receiver)).toBe(before + 1);
  });

  it.each([
    ['a page of another site', named('Origin', 'https://evil.example')],
    ['a page without an origin', named('Origin', 'null')],
    ['a page of another port', named('Origin', 'http://127.0.0.1:1')],
    ['a page whose origin begins alike', named('Origin', 'http://127.0.0.1:4000.evil.example')],
    ['a name that resolves to this machine', named('Host', 'rebound.evil.example')],
    [
      'the same with the right port',
      (request: WireRequest) => named('Host', `evil.example:${new URL(url).port}`)(request),
    ],
    [
      'a name that ends alike',
      (request: WireRequest) => named('Host', `evil.localhost:${new URL(url).port}`)(request),
    ],
    ['no port', named('Host', '127.0.0.1')],
  ])('does not send for %s', async (_, mutate) => {
    const before = await stored(target.receiver);
    expect((await exchange(url, bytesOf(mutate(order())))).status).toBe(403);
    expect(await stored(target.receiver)).toBe(before);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=b',
    'text/plain; x=application/json',
    '',
  ])('does not send what a page can post without asking: %j', async (type) => {
    const before = await stored(target.receiver);
    expect((await exchange(url, bytesOf(named('Content-Type', type)(order())))).status).toBe(415);
    expect(await stored(target.receiver)).toBe(before);
  });

  it('does not send on a GET, which an image can make', async () => {
    const before = await stored(target.receiver);
    const image = { ...order(), method: 'GET', body: Buffer.alloc(0) };
    expect((await exchange(url, bytesOf(image))).status).toBe(404);
    expect(await stored(target.receiver)).toBe(before);
  });
});
