import { hash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { risr } from '../../src/kit/sources/risr/index.ts';
import {
  projectFile,
  residentMegabytes,
  startProgram,
  type ProgramProcess,
} from '../../src/lab/rig/program.ts';
import { enough } from '../support/processes.ts';
import { exchange, post } from '../support/raw.ts';
import { until } from '../support/until.ts';
import { createTestSender, type TestSender } from '../support/test-sender.ts';

// What anybody who reaches the port can do without a secret, and what it costs the next genuine delivery. Memory is that
// of a real process.

const SECRET = hash('sha256', 'a secret for a flood');
/** The limits of a small machine, so that they are soon reached. */
const SMALL = { BODY_BUDGET_BYTES: '33554432', MAX_CONNECTIONS: '400' };
const folder = mkdtempSync(join(tmpdir(), 'exhaustion-'));
let receiver: ProgramProcess;
let sender: TestSender;
let url: URL;
const open: Socket[] = [];

beforeAll(async () => {
  const env = { ...enough, ADMIN_PORT: 'off', PHENIXID_SECRET: SECRET, LOG_LEVEL: 'error', ...SMALL };
  receiver = startProgram({ main: projectFile('src/example/main.ts'), folder, env });
  url = new URL(await receiver.url());
  sender = createTestSender({ url: url.origin, secretOf: () => enough.RISR_PROFILE_UPDATED_SECRET });
  await delivered(); // what is loaded with the first one is no cost of an attack
});
afterAll(async () => {
  for (const socket of open) socket.destroy();
  sender.close();
  receiver.kill();
  await receiver.ended;
  rmSync(folder, { recursive: true });
});

/** Sends a genuine delivery, which must be accepted. Resolves with the milliseconds that it took. */
async function delivered(): Promise<number> {
  const started = performance.now();
  expect((await sender.fire(risr, 'profile_updated')).status).toBe(200);
  return performance.now() - started;
}

async function attacker(): Promise<Socket> {
  const socket = connect(Number(url.port), url.hostname);
  socket.on('error', () => undefined);
  open.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** Writes as long as the receiver reads, resolves with the bytes that it took: all, or those until it would take no more. */
async function pour(socket: Socket, bytes: Buffer, most: number): Promise<number> {
  for (let sent = 0; sent < most && !socket.destroyed; sent += bytes.length) {
    if (socket.write(bytes)) continue;
    const patience = sleep(3_000, undefined, { ref: false });
    // A reset is one of the ways in which a receiver may end it.
    await Promise.race([once(socket, 'drain'), patience]).catch(() => undefined);
    if (socket.writableNeedDrain) break;
  }
  return socket.bytesWritten - socket.writableLength;
}

const SECONDS = 1_000;

it('requests without end on one connection, whose replies are not read, cost others nothing', async () => {
  const before = residentMegabytes(receiver);
  const socket = await attacker();
  socket.pause();
  const taken = await pour(
    socket,
    Buffer.concat(Array.from({ length: 500 }, () => post('/phenixid', '{}'))),
    24e6,
  );
  expect(taken).toBeLessThan(12e6);
  socket.destroy();
  expect(await delivered()).toBeLessThan(5 * SECONDS);
  expect(residentMegabytes(receiver) - before).toBeLessThan(150);
});

it('bodies in chunks of one byte take no more memory than their bytes', async () => {
  const before = residentMegabytes(receiver);
  const head = 'POST /risr/profile_updated HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
  const chunks = Buffer.from('1\r\nx\r\n'.repeat(10_000));
  const sockets = await Promise.all(Array.from({ length: 5 }, attacker));
  for (const socket of sockets) socket.write(head);
  await Promise.all(sockets.map((socket) => pour(socket, chunks, 5e6)));
  expect(await delivered()).toBeLessThan(5 * SECONDS);
  expect(residentMegabytes(receiver) - before).toBeLessThan(150);
});

it('bodies that do not end, on hundreds of connections, keep nobody out', async () => {
  const before = residentMegabytes(receiver);
  const head = 'POST /risr/profile_updated HTTP/1.1\r\nHost: x\r\nContent-Length: 1048000\r\n\r\n';
  const part = Buffer.concat([Buffer.from(head), Buffer.alloc(700_000, 'x')]);
  const sockets = await Promise.all(Array.from({ length: 190 }, attacker));
  const replies: string[] = [];
  for (const socket of sockets) {
    socket.on('data', (text: Buffer) => replies.push(text.toString()));
    socket.write(part);
  }
  await until('some are refused', () => replies.length > 100);
  expect(await delivered()).toBeLessThan(5 * SECONDS);
  expect(residentMegabytes(receiver) - before).toBeLessThan(150);
  expect(new Set(replies.map((text) => text.slice(0, 12)))).toEqual(new Set(['HTTP/1.1 503']));
  expect(replies[0]).toMatch(/\r\nRetry-After: \d/);
  for (const socket of sockets) socket.destroy();
  await until('all of it is given back', async () => {
    const large = await exchange(url.href, post('/risr/profile_updated', Buffer.alloc(1e6, 'x')));
    return large.status !== 503;
  });
});

it('of connections beyond the limit the oldest are closed, and a new one finds room', async () => {
  const sockets = await Promise.all(Array.from({ length: 500 }, attacker));
  await until('those beyond it are closed', () => sockets.filter(({ closed }) => closed).length >= 100);
  const newest = await attacker();
  newest.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const [reply] = (await once(newest, 'data')) as [Buffer];
  expect(reply.toString()).toMatch(/^HTTP\/1.1 404 /);
  expect(sockets.filter(({ closed }) => !closed).length).toBeGreaterThan(350);
  for (const socket of open.splice(0)) socket.destroy();
});

it('a signature with a long run of blanks inside takes no longer than one without', async () => {
  const blanks = post('/phenixid', '{}', { 'X-Signature': `a${' '.repeat(30_000)}b` });
  const none = post('/phenixid', '{}', { 'X-Signature': 'a'.repeat(30_002) });
  const [long, short] = [await msOf(blanks), await msOf(none)];
  expect(long).toBeLessThan(10 * short + 100);
});

const MEGABYTE = 1_040_000;
const HEAD = '--b\r\nContent-Disposition: form-data; name="a"\r\n';

it.each([
  ['blanks of a form', 'a=', '+', ''],
  ['members', '{"a":[', '{"b":1},', '{}]}'],
  ['headers of a part', HEAD, 'X: y\r\n', '\r\nv\r\n--b--\r\n'],
])('a megabyte of %s takes about as long as one without', async (_, start, filling, end) => {
  const path = '/hotdocs/InterviewLoadEvent';
  const type = { 'Content-Type': 'multipart/form-data; boundary=b' };
  const many = Math.floor((MEGABYTE - start.length - end.length) / filling.length);
  const hostile = await msOf(post(path, start + filling.repeat(many) + end, type));
  const plain = await msOf(post(path, `a=${'x'.repeat(MEGABYTE)}`, type));
  expect(hostile).toBeLessThan(3 * plain + 25);
});

/** The shortest of several: what else the machine does takes part in each. */
async function msOf(request: Buffer): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const reply = await exchange(url.href, request, { silenceMs: 1 });
    expect([401, 429]).toContain(reply.status);
    times.push(reply.firstByteMs);
  }
  return Math.min(...times);
}
