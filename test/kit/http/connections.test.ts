import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, Socket } from 'node:net';
import { expect, it } from '@jest/globals';
import { limitConnections } from '../../../src/kit/http/server.ts';
import { projectFile, startProgram, type ProgramProcess } from '../../../src/lab/rig/program.ts';
import { later, listening, newFolder } from '../../support/fixtures.ts';
import { enough } from '../../support/processes.ts';
import { exchange } from '../../support/raw.ts';
import { until } from '../../support/until.ts';

const ASKING = 'GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** A connection that says nothing by itself. */
async function connectedTo(url: string, localAddress = '127.0.0.1'): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, localAddress }).on('error', () => undefined);
  later(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

function startWithOpenFiles(files: number, env: Readonly<Record<string, string>> = {}): ProgramProcess {
  const started = startProgram({
    main: projectFile('src/example/main.ts'),
    folder: newFolder(),
    env: { ...enough, ADMIN_PORT: 'off', ...env },
    under: ['sh', '-c', `ulimit -n ${files}; exec "$0" "$@"`],
  });
  later(async () => {
    started.kill();
    await started.ended;
  });
  return started;
}

it('keeps fewer connections than MAX_CONNECTIONS where it may not open so many files, and says so', async () => {
  const receiver = startWithOpenFiles(256);
  const url = await receiver.url();
  await receiver.said(/(may open 256 files, so 128 connections are kept and not MAX_CONNECTIONS)/);
  const sockets = await Promise.all(Array.from({ length: 300 }, () => connectedTo(url)));
  await until('those beyond it are closed', () => sockets.filter(({ closed }) => closed).length >= 172);
  expect((await exchange(url, ASKING)).status).toBe(404);
});

it('says nothing where MAX_CONNECTIONS fits', async () => {
  const receiver = startWithOpenFiles(256, { MAX_CONNECTIONS: '128' });
  await receiver.url();
  expect(receiver.output()).not.toContain('connections are kept');
});

/** A server that keeps ten connections, answers a GET 200, and tells of what else comes without answering it. */
async function startSmall(): Promise<{ url: string; arrived: (path: string) => Promise<void> }> {
  const paths = new Set<string>();
  const server = createServer((request, response) => {
    if (request.url === '/ok') response.end('well');
    request.resume().once('end', () => paths.add(`${request.url ?? ''} whole`));
    paths.add(request.url ?? '');
  });
  limitConnections(server, 10);
  return {
    url: `http://127.0.0.1:${await listening(server)}`,
    arrived: (path) => until(`${path} has arrived`, () => paths.has(path)),
  };
}

/** Opens so many one after the other. */
async function flood(url: string, count: number, from?: string): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let at = 0; at < count; at += 1) sockets.push(await connectedTo(url, from));
  return sockets;
}

async function ask(socket: Socket): Promise<string> {
  socket.write('GET /ok HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const [reply] = (await once(socket, 'data')) as [Buffer];
  return reply.toString().slice(0, 12);
}

const post = (path: string, body: string) =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n${body}`;

it('spares what waits for a reply, what has had one of 2xx and what is arriving, though older and of one network', async () => {
  const { url, arrived } = await startSmall();
  const [waiting, proven, arriving] = [
    await connectedTo(url),
    await connectedTo(url),
    await connectedTo(url),
  ];
  waiting.write(post('/whole', '0123456789'));
  await arrived('/whole whole');
  expect(await ask(proven)).toBe('HTTP/1.1 200');
  arriving.write(post('/half', '01234'));
  await arrived('/half');
  const silent = await flood(url, 40);
  await until('the older ones are closed', () => silent.filter(({ closed }) => closed).length === 33);
  expect([waiting, proven, arriving].map(({ closed }) => closed)).toEqual([false, false, false]);
  expect(silent.slice(-7).map(({ closed }) => closed)).not.toContain(true);
  expect(await ask(proven)).toBe('HTTP/1.1 200');
});

it('lets nobody fill it with bodies that never end', async () => {
  const { url, arrived } = await startSmall();
  const bodies = await flood(url, 10);
  for (const [at, socket] of bodies.entries()) socket.write(post(`/${at}`, 'x'));
  await Promise.all(bodies.map((_, at) => arrived(`/${at}`)));
  const genuine = await connectedTo(url, '127.0.0.2');
  await flood(url, 1, '127.0.0.3');
  expect(await ask(genuine)).toBe('HTTP/1.1 200');
});

it('finds room for a new one where all have been answered', async () => {
  const { url } = await startSmall();
  const proven = await flood(url, 10);
  for (const socket of proven) await ask(socket);
  const newest = await connectedTo(url);
  expect(await ask(newest)).toBe('HTTP/1.1 200');
  await until('the oldest is closed', () => proven[0]?.closed === true);
});

it('counts the addresses of one IPv6 network together', async () => {
  const server = createServer();
  later(() => void server.close());
  limitConnections(server, 3);
  const [genuine, ...others] = ['2001:db8:1::1', '2001:db8:2::1', '2001:db8:2::2', '2001:db8:2::3'].map(
    (remoteAddress, at) =>
      Object.defineProperties(new Socket(), {
        remoteAddress: { value: remoteAddress },
        remotePort: { value: at },
      }),
  );
  for (const socket of [genuine, ...others]) server.emit('connection', socket);
  expect([genuine, ...others].map((socket) => socket?.destroyed)).toEqual([false, true, false, false]);
});
