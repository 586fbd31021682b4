import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from '@jest/globals';
import { startReceiver, type TestReceiver } from '../../support/receiver.ts';

let receiver: TestReceiver | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await receiver?.stop();
});

async function connected(env: Record<string, string>): Promise<Socket> {
  receiver = await startReceiver({ env });
  const { hostname, port } = new URL(receiver.url);
  const socket = connect(Number(port), hostname);
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

async function ask(socket: Socket): Promise<string> {
  socket.write('GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const [reply] = (await once(socket, 'data')) as [Buffer];
  return reply.toString();
}

it('keeps a connection longer than proxies do, and says so', async () => {
  expect(await ask(await connected({}))).toMatch(/^Keep-Alive: timeout=75\r$/m);
});

it('keeps an idle connection for longer than a request may take to arrive', async () => {
  const socket = await connected({ REQUEST_TIMEOUT_MS: '100', KEEP_ALIVE_MS: '60000' });
  expect(await ask(socket)).toMatch(/^HTTP\/1\.1 404 /);
  await sleep(500); // several looks of the server for requests that are late
  expect(await ask(socket)).toMatch(/^HTTP\/1\.1 404 /);
});

it('closes an idle connection in the end', async () => {
  const socket = await connected({ KEEP_ALIVE_MS: '100' });
  await ask(socket);
  await once(socket.resume(), 'close');
});

const QUICK = { REQUEST_TIMEOUT_MS: '100' };

it('keeps a new connection that has sent nothing as long as an idle one, and ends it then', async () => {
  const socket = await connected({ ...QUICK, KEEP_ALIVE_MS: '60000' });
  await sleep(500);
  expect(await ask(socket)).toMatch(/^HTTP\/1\.1 404 /);
  await receiver?.stop();
  const other = await connected({ ...QUICK, KEEP_ALIVE_MS: '300' });
  expect((await once(other.resume(), 'close'))[0]).toBe(false);
  expect(other.bytesRead).toBe(0);
});

it('gives a head that was begun late the time of a request and no more', async () => {
  const socket = await connected({ ...QUICK, KEEP_ALIVE_MS: '60000' });
  await sleep(500);
  socket.write('GET /nothing HT');
  const [reply] = (await once(socket, 'data')) as [Buffer];
  expect(reply.toString()).toMatch(/^HTTP\/1\.1 408 /);
});

it('does not wait for a connection that has sent nothing when it stops', async () => {
  const socket = await connected({ ...QUICK, KEEP_ALIVE_MS: '3600000', SHUTDOWN_MS: '600000' });
  await sleep(500);
  await receiver?.stop();
  await once(socket.resume(), 'close');
});
