import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { until } from '../../support/until.ts';
import { newFolder } from '../../support/fixtures.ts';
import { enough, senderTo, startProcess } from '../../support/processes.ts';

/** Windows has no such permissions. */
const itOnUnix = process.platform === 'win32' ? it.skip : it;

function modesIn(folder: string): Record<string, number> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(paths.map((path) => [path, statSync(join(folder, path)).mode & 0o777]));
}

itOnUnix('makes nothing that another user may read or lock', async () => {
  const folder = newFolder();
  const receiver = startProcess(enough, folder);
  await senderTo(await receiver.url()).fire(risr, 'profile_updated');
  await until('it is handled', () => receiver.output().includes('"outcome":"done"'));
  const modes = modesIn(folder);
  expect(modes).toMatchObject({ data: 0o700, 'data/inbox.db': 0o600, 'data/inbox.db.lock': 0o600 });
  expect(modes).toHaveProperty(['data/records.db'], 0o600);
  expect(Object.values(modes).filter((mode) => (mode & 0o077) !== 0)).toEqual([]);
});

itOnUnix('warns of what every user of the machine may read', async () => {
  const folder = newFolder();
  const secret = join(folder, 'secret');
  mkdirSync(join(folder, 'data'));
  const loose = ['.env', 'secret', 'data/records.db', 'data/inbox.db'].map((name) => join(folder, name));
  for (const file of loose)
    writeFileSync(file, file === secret ? 'f'.repeat(8) + '0123456789'.repeat(4) : '');
  for (const file of loose) chmodSync(file, 0o644);
  const receiver = startProcess({ ...enough, PHENIXID_SECRET_FILE: secret }, folder);
  await receiver.url();
  await until('the table is whole', () => receiver.output().includes('booking_state_changed'));
  await receiver.said(/(PHENIXID_SECRET_FILE) names a file that every user of this machine may read:/);
  for (const file of loose.filter((path) => path !== secret))
    expect(receiver.output()).toContain(`Every user of this machine may read ${file}: chmod 600.`);
});

itOnUnix('warns of nothing that it has made itself', async () => {
  const folder = newFolder();
  const first = startProcess(enough, folder);
  await first.url();
  first.kill('SIGTERM');
  await first.ended;
  const second = startProcess(enough, folder);
  await second.url();
  second.kill('SIGTERM');
  await second.ended;
  expect(second.output()).not.toContain('Every user');
});
