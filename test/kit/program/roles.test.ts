import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startPostgres, type PostgresServer } from '../../../src/lab/rig/postgres.ts';
import type { ProgramProcess } from '../../../src/lab/rig/program.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { newFolder } from '../../support/fixtures.ts';
import { enough, senderTo, startProcess, waitingProgram } from '../../support/processes.ts';
import { until } from '../../support/until.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.remove());

// Each process has a folder of its own: as on machines of their own, the inbox is all that they share.

const PASSWORD = 'words of a password';

/** The address of a new database; this server takes any password. */
async function newInbox(): Promise<string> {
  return (await server.newDatabase()).replace('postgres@', `postgres:${encodeURIComponent(PASSWORD)}@`);
}

/** Where a process can be asked how it is; resolves once it has started. */
async function adminUrlOf(process: ProgramProcess): Promise<string> {
  const found = () => /^Health on (\S+)\/live/m.exec(process.output())?.[1];
  let over = false;
  void process.ended.then(() => (over = true));
  await until('it has started', () => over || found() !== undefined);
  return found() ?? process.output();
}

async function isReady(adminUrl: string): Promise<boolean> {
  return (await fetch(`${adminUrl}/ready`)).status === 200;
}

it('stores and answers in one process, and handles in another that has no secret and no port for deliveries', async () => {
  const folder = newFolder();
  const traces = join(folder, 'traces');
  const common = { INBOX_URL: await newInbox(), ADMIN_PORT: '0', TRACES: traces };
  const receiver = startProcess({ ...enough, ...common, ROLE: 'receiver' }, newFolder(), waitingProgram);
  const sender = senderTo(await receiver.url());
  expect((await sender.fire(risr, 'profile_updated')).status).toBe(200);
  const none = join(folder, 'no-gate');
  const worker = startProcess({ ...common, ROLE: 'worker', GATE: none }, newFolder(), waitingProgram);
  const adminUrl = await adminUrlOf(worker);
  await until('it is handled', () => worker.output().includes('"outcome":"done"'));
  expect(existsSync(traces)).toBe(true);
  expect(receiver.output()).not.toContain('"outcome":"done"');
  expect(worker.output()).toMatch(/^Working on postgres:\/\/127\.0\.0\.1:\d+\/inbox_\w+$/m);
  expect(worker.output()).not.toContain('Listening');
  expect(receiver.output()).not.toContain('Working');
  expect(await isReady(adminUrl)).toBe(true);
  for (const process of [receiver, worker]) {
    process.kill('SIGTERM');
    expect(await process.ended).toEqual({ code: 0, signal: null });
    expect(process.output()).not.toContain(PASSWORD);
    expect(process.output()).not.toContain(encodeURIComponent(PASSWORD));
  }
});

it('answers in role receiver those who wait, without any worker', async () => {
  const folder = newFolder();
  const env = {
    ...enough,
    INBOX_URL: await newInbox(),
    ROLE: 'receiver',
    GATE: folder,
    TRACES: join(folder, 't'),
  };
  const receiver = startProcess(env, folder, waitingProgram);
  const sender = senderTo(await receiver.url());
  expect((await sender.fire(hotdocs, 'InterviewLoadEvent')).status).toBe(200);
  await until('it is answered', () => receiver.output().includes('"outcome":"answered"'));
});

it('hands what a worker is stopped in to another one at once', async () => {
  const folder = newFolder();
  const traces = join(folder, 'traces');
  const common = { INBOX_URL: await newInbox(), ADMIN_PORT: '0', TRACES: traces };
  const receiver = startProcess({ ...enough, ...common, ROLE: 'receiver' }, newFolder(), waitingProgram);
  const slow = { ...common, ROLE: 'worker', GATE: join(folder, 'gate'), SHUTDOWN_MS: '300' };
  const first = startProcess(slow, newFolder(), waitingProgram);
  await adminUrlOf(first);
  expect((await senderTo(await receiver.url()).fire(risr, 'booking_updated')).status).toBe(200);
  await until('the first works on it', () => existsSync(traces));
  const second = startProcess({ ...common, ROLE: 'worker', GATE: folder }, newFolder(), waitingProgram);
  await adminUrlOf(second);
  first.kill('SIGTERM');
  expect(await first.ended).toEqual({ code: 0, signal: null });
  // Long before the lease of the first would have lapsed.
  await until('the second has handled it', () => second.output().includes('"outcome":"done"'));
  expect(second.output()).toMatch(/"type":"booking_updated".*"outcome":"done".*"attempt":1/);
});

it('refuses while the database is away, and accepts again when it is back', async () => {
  const env = { ...enough, INBOX_URL: await newInbox(), ADMIN_PORT: '0' };
  const receiver = startProcess(env);
  const sender = senderTo(await receiver.url());
  const adminUrl = await adminUrlOf(receiver);
  expect((await sender.fire(risr, 'profile_updated')).status).toBe(200);
  await server.stop();
  const refused = await sender.request(risr, 'profile_updated');
  const { status, headers } = await sender.send(refused);
  expect([status, headers['retry-after']]).toEqual([503, expect.stringMatching(/^\d+$/)]);
  expect(await isReady(adminUrl)).toBe(false);
  expect((await fetch(`${adminUrl}/live`)).status).toBe(200);
  await server.start();
  await until('it is ready by itself', () => isReady(adminUrl));
  expect((await sender.send(refused)).status).toBe(200);
  await until('both are handled', () => receiver.output().match(/"outcome":"done"/g)?.length === 2);
  expect(receiver.output()).not.toContain(encodeURIComponent(PASSWORD));
});

it('ends although its database is away', async () => {
  const folder = newFolder();
  const traces = join(folder, 'traces');
  const env = { ...enough, INBOX_URL: await newInbox(), GATE: join(folder, 'gate'), TRACES: traces };
  const receiver = startProcess({ ...env, SHUTDOWN_MS: '500' }, folder, waitingProgram);
  await senderTo(await receiver.url()).fire(risr, 'booking_updated');
  await until('the handler runs', () => existsSync(traces));
  await server.stop();
  receiver.kill('SIGTERM');
  await receiver.ended;
  await server.start();
  expect(receiver.output()).toContain('not recorded, so it will run again');
});

it('does not start without its database, and keeps the password for itself', async () => {
  const url = (await newInbox()).replace(/:\d+\//, ':1/');
  const receiver = startProcess({ ...enough, INBOX_URL: url });
  expect((await receiver.ended).code).toBe(1);
  expect(receiver.output()).toMatch(/^Not started: /m);
  expect(receiver.output()).not.toContain(PASSWORD);
  expect(receiver.output()).not.toContain(encodeURIComponent(PASSWORD));
});
