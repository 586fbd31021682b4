import { expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openInbox } from '../../src/inbox/open.ts';

it('opens an inbox in memory, or in the file that is named', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'inbox-'));
  const file = join(directory, 'inbox.db');
  await openInbox('memory:', { maxWaiting: 1 }).close();
  await openInbox(`sqlite:${file}`, { maxWaiting: 1 }).close();
  expect(existsSync(file)).toBe(true);
  rmSync(directory, { recursive: true });
});

it.each([
  'postgres://user:hunter2@db/inbox',
  'sqlite:',
  'sqlite://data/inbox.db',
  'sqlite::memory:',
  'data/inbox.db',
  'memory',
  '',
])('refuses %j with the forms that it knows, and without what may be a password', (url) => {
  const opening = () => openInbox(url, { maxWaiting: 1 });
  expect(opening).toThrow(/sqlite:data\/inbox\.db .* or memory:/);
  expect(opening).not.toThrow(/hunter2/);
});
