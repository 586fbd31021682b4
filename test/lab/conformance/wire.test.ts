import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';
import { afterEach, expect, it } from '@jest/globals';
import { valuesOf } from '../../../src/lab/conformance/reply.ts';
import {
  bytesOf,
  exchange,
  type Manner,
  type Observation,
  type WireOptions,
} from '../../../src/lab/conformance/wire.ts';
import { makeCertificates, requireOpenssl } from '../../support/certificates.ts';
import { until } from '../../support/until.ts';

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server = undefined;
});

/** Answers the first bytes of a connection, and takes down all that come. */
async function listen(
  answer: (socket: Socket, text: string) => void,
): Promise<{ url: URL; received: () => string }> {
  let received = '';
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      answer(socket, received);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: urlOf(server), received: () => received };
}

function urlOf(listening: Server, protocol = 'http'): URL {
  const address = listening.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return new URL(`${protocol}://127.0.0.1:${port}/path`);
}

async function replyTo(
  reply: string,
  { close = false, ...options }: Partial<WireOptions> & { close?: boolean } = {},
): Promise<Observation> {
  const { url } = await listen((socket) =>
    close ? socket.end(reply, 'latin1') : socket.write(reply, 'latin1'),
  );
  return exchange(Buffer.from('GET / HTTP/1.1\r\n\r\n'), { url, timeoutMs: 5_000, ...options });
}

it('sends exactly the bytes of a request, repeated headers and all', async () => {
  const { url, received } = await listen((socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n'));
  const body = Buffer.from([0x00, 0xff, 0x0a]);
  const bytes = bytesOf(
    {
      method: 'PUT',
      target: '/a?b',
      headers: [
        ['X', '1'],
        ['x', 'é'],
      ],
      body,
    },
    url,
  );
  await exchange(bytes, { url, timeoutMs: 5_000 });
  expect(received()).toBe(
    `PUT /a?b HTTP/1.1\r\nHost: ${url.host}\r\nX: 1\r\nx: é\r\nContent-Length: 3\r\nConnection: close\r\n\r\n\0ÿ\n`,
  );
});

it('adds no length where the request says its own', () => {
  const headers = [
    ['Transfer-Encoding', 'chunked'],
    ['Host', 'other'],
    ['Connection', 'keep-alive'],
  ] as const;
  const bytes = bytesOf(
    { method: 'POST', target: '/', headers, body: Buffer.alloc(0) },
    new URL('http://localhost'),
  );
  expect(bytes.toString()).toBe(
    'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: other\r\nConnection: keep-alive\r\n\r\n',
  );
});

it('reads a reply with a length, and does not wait for the connection to close', async () => {
  const observation = await replyTo(
    'HTTP/1.1 401 Unauthorized\r\nA: 1\r\na: 2\r\nContent-Length: 2\r\n\r\nno',
  );
  expect(observation).toMatchObject({ status: 401, whole: true, closed: false, trouble: undefined });
  expect(observation.body.toString()).toBe('no');
  expect(valuesOf(observation, 'a')).toEqual(['1', '2']);
});

it.each<[string, string, string, Partial<WireOptions> & { close?: boolean }]>([
  [
    'in chunks',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n3;x=y\r\npe!\r\n0\r\n\r\n',
    'nope!',
    {},
  ],
  [
    'without a length, to the end of the connection',
    'HTTP/1.0 200 OK\r\n\r\nnope!',
    'nope!',
    { close: true },
  ],
  [
    'behind an interim one',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx',
    'x',
    {},
  ],
  [
    'to a HEAD, whose length is of no body',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    '',
    { method: 'HEAD' },
  ],
])('reads a reply %s', async (_name, reply, body, options) => {
  const observation = await replyTo(reply, options);
  expect(observation).toMatchObject({ status: 200, whole: true });
  expect(observation.body.toString()).toBe(body);
});

it('tells a reply that breaks off from a whole one', async () => {
  const broken = await replyTo('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nno', { close: true });
  expect(broken).toMatchObject({ status: 200, whole: false, closed: true });
});

it('takes what is not HTTP for no reply', async () => {
  const nothing = await replyTo('not HTTP at all\r\n\r\n', { close: true });
  expect(nothing).toMatchObject({ status: 0, closed: true });
});

it('keeps what comes behind a reply', async () => {
  const first = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n';
  const { url } = await listen((socket) => socket.end(`${first}HTTP/1.1 200 OK\r\n\r\n`));
  const manner: Manner = { lingerMs: 5_000 };
  const observation = await exchange(Buffer.from('x'), { url, timeoutMs: 5_000, manner });
  expect(observation).toMatchObject({ status: 400, closed: true });
  expect(observation.rest.toString()).toBe('HTTP/1.1 200 OK\r\n\r\n');
});

it('gives up when no reply comes in time, and tells what refuses connections', async () => {
  const { url } = await listen(() => undefined);
  const late = await exchange(Buffer.from('x'), { url, timeoutMs: 50 });
  expect(late).toMatchObject({ status: 0, trouble: 'TIMEOUT', closed: false });
  server?.close();
  if (server !== undefined) await once(server, 'close');
  expect(await exchange(Buffer.from('x'), { url, timeoutMs: 5_000 })).toMatchObject({
    trouble: 'ECONNREFUSED',
  });
});

it('says nothing more when a reply has come', async () => {
  const { url, received } = await listen((socket) =>
    socket.write('HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n'),
  );
  const manner: Manner = { pieceBytes: 1, pauseMs: 20 };
  const { status } = await exchange(Buffer.alloc(10_000, 'x'), { url, timeoutMs: 20_000, manner });
  expect(status).toBe(413);
  expect(received().length).toBeLessThan(10_000);
});

it.each<[string, Manner, 'end' | 'error']>([
  ['ends its half', { stopAfterBytes: 3, then: 'end' }, 'end'],
  ['breaks off', { stopAfterBytes: 3, then: 'reset' }, 'error'],
])('stops in the middle and %s', async (_name, manner, event) => {
  const heard: string[] = [];
  server = createServer((socket) => {
    socket.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
    socket.once('end', () => {
      heard.push('end');
      socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
    });
    socket.once('error', () => heard.push('error'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const observation = await exchange(Buffer.from('abcdef'), { url: urlOf(server), timeoutMs: 5_000, manner });
  await until('the connection is over', () => heard.length === 2);
  expect(heard).toEqual(['abc', event]);
  expect(observation.status).toBe(event === 'end' ? 400 : 0);
});

const hasOpenssl = requireOpenssl('the conformance suite over TLS');
(hasOpenssl ? it : it.skip)('speaks TLS, and trusts nobody but whom it is told to', async () => {
  const certificates = await makeCertificates();
  const { cert, key } = certificates.server;
  const secure = createSecureServer({ cert, key }, (socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (data) => String(data) === 'x' && socket.end('HTTP/1.1 204 No Content\r\n\r\n'));
  }).listen(0, '127.0.0.1');
  try {
    await once(secure, 'listening');
    const options = { url: urlOf(secure, 'https'), timeoutMs: 5_000 };
    const tls = { ca: certificates.authority.cert };
    expect(await exchange(Buffer.from('x'), { ...options, tls })).toMatchObject({ status: 204 });
    expect(await exchange(Buffer.from('x'), options)).toMatchObject({ status: 0, closed: true });
    const manner = { then: 'reset' } as const;
    const broken = await exchange(Buffer.from('y'), { ...options, tls, manner });
    expect(broken).toMatchObject({ status: 0, closed: true });
  } finally {
    secure.close();
    await certificates.remove();
  }
});

it('pours into a receiver that does not read any more, without reading a reply, and breaks off', async () => {
  const { url } = await listen((socket) => {
    socket.pause().write('HTTP/1.1 204 No Content\r\n\r\n');
  });
  const much = Buffer.alloc(50_000_000, 'x');
  const manner = { deaf: true, pieceBytes: 65_536, then: 'reset' } as const;
  const { status, trouble } = await exchange(much, { url, timeoutMs: 60_000, manner });
  expect({ status, trouble }).toEqual({ status: 0, trouble: undefined });
});

it('breaks off when a receiver has read all of it', async () => {
  const gone = Promise.withResolvers<unknown>();
  const { url } = await listen((socket) => socket.once('close', gone.resolve));
  const manner = { deaf: true, then: 'reset' } as const;
  const { closed } = await exchange(Buffer.alloc(3_000_000, 'x'), { url, timeoutMs: 60_000, manner });
  await gone.promise;
  expect(closed).toBe(true);
});
