import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { ReceivedReply } from '../../../src/kit/source.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { later, newFolder } from '../../support/fixtures.ts';
import { enough, senderTo, startProcess } from '../../support/processes.ts';
import { newReceiver } from '../../support/new-receiver.ts';
import type { TestReceiverOptions } from '../../support/receiver.ts';
import { until } from '../../support/until.ts';

function start(options: TestReceiverOptions) {
  return newReceiver({ ...options, env: { ADMIN_PORT: '0', SHUTDOWN_MS: '500', ...options.env } });
}

/** Why nothing should be sent to a receiver; nothing when it is ready. */
async function reasonsOf(adminUrl: string | undefined): Promise<readonly string[]> {
  const response = await fetch(`${adminUrl ?? ''}/ready`);
  // The receiver's own format.
  const { because = [] } = (await response.json()) as { because?: readonly string[] };
  expect(response.status).toBe(because.length === 0 ? 200 : 503);
  return because;
}

function expectRefused(reply: ReceivedReply): void {
  expect([reply.status, reply.body.toString()]).toEqual([503, '{"error":"Service Unavailable"}']);
  expect(reply.headers['retry-after']).toMatch(/^\d+$/);
}

/** An event of a person's own, so that no two wait for each other. */
function profile(id: string, padding = ''): { readonly payload: unknown } {
  return { payload: { id, rev: '1-a', padding } };
}

it.each([
  ['as many wait as may', { INBOX_MAX_WAITING: '1' }],
  ['as much waits as may', { INBOX_MAX_WAITING_BYTES: '1000' }],
])('refuses while %s, but no duplicate, and accepts again when there is room', async (_what, env) => {
  const blocked = Promise.withResolvers<undefined>();
  const { receiver, sender } = await start({
    env: { ...env, HANDLER_CONCURRENCY: '1' },
    handlers: { risr: { profile_updated: () => blocked.promise } },
  });
  const { inbox, adminUrl } = receiver.app;
  const padding = 'x'.repeat(2_400);
  expect((await sender.fire(risr, 'profile_updated', profile('running'))).status).toBe(200);
  await until('it is running', async () => (await inbox.stats()).running === 1);
  const waiting = await sender.request(risr, 'profile_updated', profile('waiting', padding));
  expect((await sender.send(waiting)).status).toBe(200);

  const refused = await sender.request(risr, 'profile_updated', profile('refused', padding));
  expectRefused(await sender.send(refused));
  expect(receiver.log.at(-1)).toMatchObject({ outcome: 'rejected', code: 'inbox_full' });
  expect((await sender.send(waiting)).status).toBe(200);
  expect(await reasonsOf(adminUrl)).toEqual(['inbox_full']);
  expect(await inbox.stats()).toMatchObject({ waiting: 1, running: 1 });

  blocked.resolve(undefined);
  await receiver.app.idle();
  await until('it is ready by itself', async () => (await reasonsOf(adminUrl)).length === 0);
  expect((await sender.send(refused)).status).toBe(200);
  await receiver.app.idle();
  expect(await inbox.stats()).toMatchObject({ done: 3 });
});

/** Takes a file for itself alone, says so, and lets go of it when its input ends. */
const LOCKING = `
  const { DatabaseSync } = require('node:sqlite');
  const database = new DatabaseSync(process.argv[1], { timeout: 10000 });
  database.exec('BEGIN IMMEDIATE');
  console.log('locked');
  process.stdin.resume().on('end', () => { database.exec('ROLLBACK'); database.close(); });
`;

it('refuses while another process holds the inbox file, and accepts again when it lets go', async () => {
  const file = join(newFolder(), 'inbox.db');
  const { receiver, sender } = await start({
    env: { INBOX_URL: `sqlite:${file}` },
    handlers: { risr: { profile_updated: () => undefined } },
  });
  const { adminUrl } = receiver.app;
  const other = spawn(process.execPath, ['-e', LOCKING, file], { stdio: ['pipe', 'pipe', 'ignore'] });
  await once(other.stdout, 'data');
  const refused = await sender.request(risr, 'profile_updated');
  expectRefused(await sender.send(refused));
  expect(await reasonsOf(adminUrl)).toEqual(['inbox_unavailable']);
  expect((await fetch(`${adminUrl ?? ''}/live`)).status).toBe(200);

  other.stdin.end();
  await once(other, 'exit');
  await until('it is ready by itself', async () => (await reasonsOf(adminUrl)).length === 0);
  expect((await sender.send(refused)).status).toBe(200);
  await receiver.app.idle();
  expect(await receiver.app.inbox.stats()).toMatchObject({ done: 1 });
});

/** A disk of a few megabytes, where this user may mount one. */
function mountSmallDisk(): string | undefined {
  const folder = newFolder();
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk]);
  if (status !== 0) return undefined;
  later(() => spawnSync('umount', [disk]));
  return disk;
}

it('refuses while the disk is full, keeps what it promised, and accepts again when there is room', async () => {
  const disk = mountSmallDisk();
  if (disk === undefined) {
    process.stderr.write(
      'NOT TRIED: a full disk. This user may not mount a small one (run as root on Linux).\n',
    );
    return;
  }
  const filler = join(disk, 'filler');
  writeFileSync(filler, Buffer.alloc(1_500_000));
  const receiver = startProcess({
    ...enough,
    ADMIN_PORT: '0',
    INBOX_URL: `sqlite:${join(disk, 'inbox.db')}`,
  });
  const sender = senderTo(await receiver.url());
  await until('the table is whole', () => receiver.output().includes('booking_state_changed'));
  const adminUrl = /^Health on (\S+)\/live/m.exec(receiver.output())?.[1];
  const padding = 'x'.repeat(60_000);
  const promised: string[] = [];
  let refused: ReceivedReply | undefined;
  for (let count = 0; refused === undefined && count < 100; count++) {
    const reply = await sender.fire(risr, 'profile_updated', profile(`p${count}`, padding));
    if (reply.status === 200) promised.push(`p${count}`);
    else refused = reply;
  }
  expect(promised.length).toBeGreaterThan(3);
  if (refused === undefined) throw new Error('The disk never was full.');
  expectRefused(refused);
  expect(await reasonsOf(adminUrl)).toEqual(['inbox_unavailable']);
  await until('the log says why', () => /"inbox_unavailable".*inbox\.db: .*full/.test(receiver.output()));

  rmSync(filler);
  await until('it is ready by itself', async () => (await reasonsOf(adminUrl)).length === 0);
  expect((await sender.fire(risr, 'profile_updated', profile('later', padding))).status).toBe(200);
  const handled = () => receiver.output().match(/"outcome":"done"/g)?.length ?? 0;
  await until('all that was promised is handled', () => handled() === promised.length + 1);
});
