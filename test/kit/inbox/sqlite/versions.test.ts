import { beforeEach, expect, it } from '@jest/globals';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openSqliteInbox } from '../../../../src/kit/inbox/sqlite/inbox.ts';
import { newEntry } from '../contract/entries.ts';
import { newFolder } from '../../../support/fixtures.ts';

let file: string;
beforeEach(() => void (file = join(newFolder(), 'inbox.db')));

const ROOM = { maxWaiting: 100 };

function withDatabase<Result>(work: (database: DatabaseSync) => Result, at = file): Result {
  const database = new DatabaseSync(at);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

function writeVersion1(change = ''): void {
  const sql = readFileSync(join(import.meta.dirname, 'version-1.sql'), 'utf8');
  withDatabase((database) => database.exec(sql + change));
}

/** Tables, indexes and triggers, as text that does not depend on how they came to be. */
function schemaOf(at: string): unknown[] {
  return withDatabase(
    (database) =>
      database
        .prepare(
          `SELECT type, name, tbl_name FROM sqlite_master UNION ALL
           SELECT 'column', name, cid FROM pragma_table_xinfo('counts') ORDER BY 1, 2`,
        )
        .all(),
    at,
  );
}

it('brings a file of version 1 up to date with all that is in it', async () => {
  writeVersion1();

  const inbox = openSqliteInbox(file, ROOM);

  const entries = await inbox.list({ limit: 10 });
  expect(entries.map(({ content, status }) => `${status}: ${content.toString()}`)).toEqual([
    'waiting: running', // given back: its receiver ended
    'waiting: second of its line',
    'waiting: first of its line',
    'dead: dead letter',
    'done: done',
  ]);
  expect(entries.filter(({ request, trace }) => request !== undefined || trace !== undefined)).toEqual([]);
  expect(entries.at(-1)).toMatchObject({ note: 'made it', answer: Buffer.from('{}') });
  expect(await inbox.stats()).toMatchObject({ waiting: 3, running: 0, done: 1, dead: 1, waitingBytes: 42 });
  expect(await inbox.store(newEntry({ key: 'evt_1' }))).toMatchObject({ duplicate: true });
  expect(await inbox.prune({ finishedBefore: Date.now(), limit: 10 })).toBe(1);
  expect(await inbox.store(newEntry({ key: 'evt_1' }))).toMatchObject({ duplicate: false });
  await inbox.close();
});

it('makes of an old file what a new one is', async () => {
  writeVersion1();
  const fresh = join(newFolder(), 'fresh.db');
  await openSqliteInbox(file, ROOM).close();
  await openSqliteInbox(fresh, ROOM).close();
  expect(schemaOf(file)).toEqual(schemaOf(fresh));
});

it('has larger pages in a new file, and leaves those of an old one', async () => {
  writeVersion1();
  const fresh = join(newFolder(), 'fresh.db');
  for (const [at, size] of [[file, 4_096] as const, [fresh, 8_192] as const]) {
    await openSqliteInbox(at, ROOM).close();
    expect(withDatabase((database) => database.prepare('PRAGMA page_size').get(), at)).toEqual({
      page_size: size,
    });
  }
});

it('lets the log grow to many pages before it is copied into the file', async () => {
  const inbox = openSqliteInbox(file, ROOM);
  const content = Buffer.alloc(5_000_000, 'x');
  for (let count = 0; count < 4; count++) await inbox.store(newEntry({ content }));
  expect(statSync(`${file}-wal`).size).toBeGreaterThan(20_000_000);
  await inbox.close();
});

it('leaves an old file as it is when it cannot be brought up to date', () => {
  writeVersion1('CREATE TABLE finished (name TEXT);'); // in the way of the index
  expect(() => openSqliteInbox(file, ROOM)).toThrow(/there is already a table named finished/);
  withDatabase((database) => {
    expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 });
    expect(database.prepare('SELECT waiting, done FROM counts').get()).toEqual({ waiting: 2, done: 1 });
  });
});

it('leaves an old file to its receiver when the command line opens it', async () => {
  writeVersion1();
  const asGuest = () => openSqliteInbox(file, { ...ROOM, owner: false });
  expect(asGuest).toThrow(/holds schema 1, and this version needs 5: start its receiver once/);
  await openSqliteInbox(file, ROOM).close();
  await asGuest().close();
});
