import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { openInbox } from '../../../../src/kit/inbox/open.ts';
import { newEntry } from '../contract/entries.ts';
import { newFolder } from '../../../support/fixtures.ts';
import { newReceiver } from '../../../support/new-receiver.ts';
import { startReceiver } from '../../../support/receiver.ts';
import { until } from '../../../support/until.ts';

const DAY_MS = 86_400_000;

/** An inbox in which one entry was handled so many days ago, and one has been dead for as long. */
async function inboxOf(daysAgo: number): Promise<string> {
  const folder = newFolder();
  const url = `sqlite:${join(folder, 'inbox.db')}`;
  const inbox = await openInbox(url, { maxWaiting: 10, now: () => Date.now() - daysAgo * DAY_MS });
  for (const type of ['handled', 'dead']) {
    const { entry } = await inbox.store(newEntry({ type }), { claimForMs: 1_000 });
    await (type === 'dead' ? inbox.bury(entry, 'given up') : inbox.done(entry));
  }
  await inbox.close();
  return url;
}

async function startOn(INBOX_URL: string, RETENTION_DAYS: string) {
  const { receiver } = await newReceiver({ env: { INBOX_URL, RETENTION_DAYS } });
  return receiver;
}

it('forgets what was handled long enough ago, keeps dead letters, and says so', async () => {
  const { app, log } = await startOn(await inboxOf(8), '7');
  await until('it is forgotten', async () => (await app.inbox.stats()).done === 0);
  expect(await app.inbox.list({ limit: 10 })).toMatchObject([{ type: 'dead', status: 'dead' }]);
  await until('it is said', () => log.some((line) => line['outcome'] === 'pruned' && line['count'] === 1));
});

it.each([
  ['it is young', 6, '7'],
  ['all is kept', 10_000, '0'],
])('keeps what was handled where %s', async (_why, daysAgo, retentionDays) => {
  const url = await inboxOf(daysAgo);
  const receiver = await startReceiver({ env: { INBOX_URL: url, RETENTION_DAYS: retentionDays } });
  // Whatever it forgets when it starts is forgotten before it is down.
  await receiver.stop();
  const inbox = await openInbox(url, { maxWaiting: 1, owner: false });
  expect(await inbox.stats()).toMatchObject({ done: 1, dead: 1 });
  await inbox.close();
});
