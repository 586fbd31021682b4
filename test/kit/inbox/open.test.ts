import { expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Inbox } from '../../../src/kit/inbox/inbox.ts';
import { openInbox } from '../../../src/kit/inbox/open.ts';
import { newFolder } from '../../support/fixtures.ts';

const ROOM = { maxWaiting: 1 };

async function openAndClose(url: string): Promise<void> {
  const inbox: Inbox = await openInbox(url, ROOM);
  await inbox.close();
}

it('opens an inbox in memory, or in the file that is named', async () => {
  const directory = newFolder();
  const file = join(directory, 'inbox.db');
  await openAndClose('memory:');
  await openAndClose(`sqlite:${file}`);
  expect(existsSync(file)).toBe(true);
});

it('loads nothing of PostgreSQL for an inbox in a file', async () => {
  const directory = newFolder();
  const program = `
    import { _cache } from 'node:module';
    const { openInbox } = await import(${JSON.stringify(join(import.meta.dirname, '../../../src/kit/inbox/open.ts'))});
    const inbox = await openInbox('sqlite:inbox.db', { maxWaiting: 1 });
    await inbox.close();
    console.log(Object.keys(_cache).filter((file) => /node_modules.pg/.test(file)).length);`;
  const args = ['--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: directory });
  expect(stdout).toBe('0\n');
});

it.each([
  'sqlite:',
  'sqlite://data/inbox.db',
  'sqlite::memory:',
  'data/inbox.db',
  'memory',
  'postgres:inbox',
  '',
])('refuses %j with the forms that it knows', async (url) => {
  await expect(openInbox(url, ROOM)).rejects.toThrow(/sqlite:data\/inbox\.db .*, postgres:\/\/.* or memory:/);
});

it('says nothing of a form it does not know but the scheme: the rest may be a password', async () => {
  const opening = openInbox('mysql://user:hunter2@db/inbox', ROOM);
  await expect(opening).rejects.toThrow(/mysql:/);
  await expect(opening).rejects.not.toThrow(/hunter2/);
});

it.each(['postgres', 'postgresql'])(
  'asks the database that %s:// names, and keeps its password',
  async (scheme) => {
    const opening = openInbox(`${scheme}://user:hunter2@127.0.0.1:1/inbox`, ROOM); // nobody listens on port 1
    await expect(opening).rejects.toMatchObject({ name: 'InboxUnavailable', code: 'inbox_unavailable' });
    await expect(opening).rejects.not.toThrow(/hunter2/);
  },
);
