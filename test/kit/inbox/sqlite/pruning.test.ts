import { beforeEach, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Inbox, NewEntry } from '../../../../src/kit/inbox/inbox.ts';
import { openSqliteInbox } from '../../../../src/kit/inbox/sqlite/inbox.ts';
import { createClock, newEntry } from '../contract/entries.ts';
import { later, newFolder } from '../../../support/fixtures.ts';

let file: string;
let clock: ReturnType<typeof createClock>;
let inbox: Inbox;
beforeEach(() => {
  file = join(newFolder(), 'inbox.db');
  clock = createClock();
  inbox = openSqliteInbox(file, { maxWaiting: 10_000, now: clock.now });
  later(() => inbox.close());
});

async function finish(count: number, members: Partial<NewEntry> = {}): Promise<void> {
  const finishOne = async () => {
    const { entry } = await inbox.store(newEntry(members), { claimForMs: 1_000 });
    await inbox.done(entry);
  };
  await Promise.all(Array.from({ length: count }, finishOne));
  clock.move(1_000);
}

const pruneAll = () => inbox.prune({ finishedBefore: clock.now(), limit: 10_000 });

it('forgets any number of entries, in steps that let deliveries in between', async () => {
  await finish(500);
  let over = false;
  const pruning = pruneAll().finally(() => {
    over = true;
  });

  await inbox.store(newEntry());
  expect(over).toBe(false);

  expect(await pruning).toBe(500);
  expect(await inbox.stats()).toMatchObject({ waiting: 1, done: 0 });
});

it('uses the room of what it forgot: the file does not grow any more', async () => {
  const database = new DatabaseSync(file, { readOnly: true });
  const pages = () => Number(database.prepare('PRAGMA page_count').get()?.['page_count']);
  const round = async () => {
    await finish(100, { content: Buffer.alloc(3_000, 'x') });
    await pruneAll();
    return pages();
  };

  const first = await round();
  const sizes: number[] = [];
  for (let count = 0; count < 10; count++) sizes.push(await round());
  database.close();

  expect(Math.max(...sizes)).toBeLessThanOrEqual(first + 10);
});

it.each([40, 40_000])(
  'leaves nothing in the file of %i bytes of content, of its key or its note',
  async (bytes) => {
    const content = Buffer.alloc(bytes, 'content of Ada Lovelace, ');
    await finish(20, { content });
    await finish(1, {
      key: 'key of Ada Lovelace',
      eventId: 'event of Ada Lovelace',
      subject: 'Ada Lovelace',
      content,
    });
    await inbox.store(newEntry({ content: Buffer.from('Charles Babbage') }));
    await pruneAll();
    await inbox.close();

    const left = readFileSync(file);
    expect(left.includes('Charles Babbage')).toBe(true);
    expect(left.includes('Lovelace')).toBe(false);
  },
);

it('keeps counts and bytes in step when a row is deleted by hand', async () => {
  await finish(1);
  await inbox.store(newEntry({ content: Buffer.alloc(100) }));
  const database = new DatabaseSync(file);
  database.exec('DELETE FROM entries');
  const { bodies } = database.prepare('SELECT count(*) AS bodies FROM bodies').get() ?? {};
  database.close();
  expect(bodies).toBe(0);
  expect(await inbox.stats()).toMatchObject({ waiting: 0, done: 0, waitingBytes: 0 });
  await inbox.store(newEntry({ content: Buffer.alloc(10) }));
  expect(await inbox.stats()).toMatchObject({ waiting: 1, waitingBytes: 10 });
});
