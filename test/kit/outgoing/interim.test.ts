import { createServer, type Socket } from 'node:net';
import { expect, it } from '@jest/globals';
import { createOutgoing } from '../../../src/kit/outgoing/client.ts';
import { later, listening } from '../../support/fixtures.ts';
import { outcomeOf } from './other-side.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A server that answers the head of each request, as soon as it has come, as the test says; and one who calls it. */
async function start(answer: (socket: Socket, count: number) => unknown) {
  const server = createServer((socket) => {
    let count = 0;
    socket.on('data', (chunk) => {
      if (chunk.includes('HTTP/1.1\r\n')) answer(socket, ++count);
    });
    socket.on('error', () => undefined);
  });
  const url = new URL(`http://127.0.0.1:${await listening(server)}`);
  const outgoing = createOutgoing({ hosts: [url.origin] });
  later(() => outgoing.close());
  const call = (method: string, body?: string | Buffer) => outgoing.request({ method, url, body });
  return { call };
}

it.each([
  ['100 Continue', CONTINUE],
  ['100 Continue with headers', 'HTTP/1.1 100 Continue\r\nServer: Microsoft-IIS/10.0\r\n\r\n'],
  ['two of them', CONTINUE + CONTINUE],
  ['one of HTTP/1.0', 'HTTP/1.0 100\r\n\r\n'],
  ['102 Processing', 'HTTP/1.1 102 Processing\r\n\r\n'],
  ['103 Early Hints', 'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n'],
  ['mixture', `HTTP/1.1 103 Early Hints\r\n\r\n${CONTINUE}HTTP/1.1 199 New\n\n`],
  ['crowd', CONTINUE.repeat(5000)],
])('reads the reply behind an unasked %s', async (_what, interim) => {
  const { call } = await start((socket) => socket.write(interim + OK));
  for (const [method, body] of [['GET'], ['PUT', 'text'], ['PUT', Buffer.alloc(100_000)], ['GET']] as const) {
    expect((await call(method, body)).body.toString()).toBe('ok');
  }
});

it('reads it in drops, too', async () => {
  const { call } = await start(async (socket) => {
    socket.setNoDelay();
    for (const byte of CONTINUE + OK) {
      socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  expect((await call('PUT', 'body')).body.toString()).toBe('ok');
});

it('leaves alone what stands in a body', async () => {
  const body = CONTINUE + OK;
  const { call } = await start((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`, () => socket.write(body));
  });
  expect((await call('GET')).body.toString()).toBe(body);
});

it.each([
  ['ends behind it', CONTINUE],
  ['ends within it', CONTINUE.slice(0, 20)],
])('fails on a connection that %s', async (_what, interim) => {
  const { call } = await start((socket) => socket.end(interim));
  expect(await outcomeOf(call('PUT', 'body'))).toBe('failed connection');
});

it('does not read endless headers of one', async () => {
  const { call } = await start((socket) =>
    socket.write(`HTTP/1.1 100 Continue\r\n${'X-More: more\r\n'.repeat(5000)}`),
  );
  expect(await outcomeOf(call('GET'))).toMatch(/^failed (too_large|connection)$/);
});
