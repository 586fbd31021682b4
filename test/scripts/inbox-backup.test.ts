import { existsSync, readdirSync, rmSync, statSync, writeFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { startPostgres, type PostgresServer } from '../../src/lab/rig/postgres.ts';
import { checkInbox } from '../../src/kit/inbox/check.ts';
import type { NewEntry } from '../../src/kit/inbox/inbox.ts';
import { openInbox } from '../../src/kit/inbox/open.ts';
import { encryptInbox } from '../../src/kit/inbox/sealed/inbox.ts';
import { readInboxKeys } from '../../src/kit/inbox/sealed/keys.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { newEntry } from '../kit/inbox/contract/entries.ts';
import { ended, startScript } from '../support/command.ts';
import { newFolder, newInboxUrl } from '../support/fixtures.ts';
import { runHere } from '../support/in-one-process.ts';
import { enough, senderTo, startProcess } from '../support/processes.ts';
import { until } from '../support/until.ts';

const inbox = (args: readonly string[], url: string, env: Record<string, string> = {}) =>
  runHere('inbox', args, { ...env, INBOX_URL: url });
const fileOf = (url: string) => url.replace('sqlite:', '');

/** The ids of the events in an inbox. */
async function idsIn(url: string): Promise<Set<string>> {
  const opened = await openInbox(url, { maxWaiting: 1, owner: false });
  const entries = await opened.list({ limit: 100_000 });
  await opened.close();
  return new Set(entries.flatMap(({ eventId }) => eventId ?? []));
}

async function fill(url: string, entries: readonly Partial<NewEntry>[]): Promise<void> {
  const opened = await openInbox(url, { maxWaiting: 100_000 });
  await Promise.all(entries.map((members) => opened.store(newEntry(members))));
  await opened.close();
}

it('copies what was acknowledged while deliveries come, and goes on from the copy', async () => {
  const url = newInboxUrl();
  const receiver = startProcess({ ...enough, INBOX_URL: url, LOG_LEVEL: 'error' });
  const sender = senderTo(await receiver.url());
  const acknowledged = new Set<string>();
  let next = 0;
  const sendAll = async () => {
    for (;;) {
      const id = `e${next++}`;
      if (next > 2_000) return;
      if ((await sender.fire(risr, 'profile_updated', { id })).status === 200) acknowledged.add(id);
    }
  };
  const sending = Promise.all(Array.from({ length: 16 }, sendAll));
  await until('some have come', () => acknowledged.size > 300);
  const before = [...acknowledged];
  const copy = join(newFolder(), 'copies', 'copy.db');
  const made = await inbox(['backup', copy, '--json'], url);
  const during = acknowledged.size;
  await sending;
  expect([made.code, made.err, acknowledged.size]).toEqual([0, '', 2_000]);
  expect(during).toBeGreaterThan(before.length);
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  expect(await inbox(['backup', copy], url)).toMatchObject({
    code: 1,
    err: expect.stringContaining('already'),
  });
  expect(await inbox(['restore', copy], url)).toMatchObject({
    code: 1,
    err: expect.stringContaining('Another receiver'),
  });

  receiver.kill('SIGKILL');
  await receiver.ended;
  const restored = await inbox(['restore', copy, '--json'], url);
  expect([restored.code, restored.err]).toEqual([0, '']);
  const there = await idsIn(url);
  expect(before.filter((id) => !there.has(id))).toEqual([]);
  const { aside } = JSON.parse(restored.out) as { aside: string };
  expect((await idsIn(`sqlite:${aside}`)).size).toBe(2_000);
  const again = senderTo(await startProcess({ ...enough, INBOX_URL: url }).url());
  expect((await again.fire(risr, 'profile_updated', { id: 'after' })).status).toBe(200);
  expect((await inbox(['verify'], url)).out).toBe('Nothing is inconsistent.\n');
});

it.each([['backup'], ['restore']])('leaves the inbox whole when %s is killed', async (command) => {
  const url = newInboxUrl();
  const [old, copied] = [fileOf(url), join(newFolder(), 'copy.db')];
  const content = Buffer.alloc(10_000, 'x');
  await fill(
    url,
    Array.from({ length: 2_000 }, (_, n) => ({ key: `k${n}`, eventId: `k${n}`, content })),
  );
  if (command === 'restore') expect((await inbox(['backup', copied], url)).code).toBe(0);
  const folder = command === 'backup' ? dirname(copied) : dirname(old);
  for (const delay of [0, 10, 30, 60]) {
    const child = startScript('inbox', [command, copied], { INBOX_URL: url });
    const over = ended(child);
    await until('it has begun', () => readdirSync(folder).some((name) => name.endsWith('.begun')));
    await sleep(delay);
    child.kill('SIGKILL');
    await over;
    expect((await idsIn(url)).size).toBe(2_000);
    expect(await checkInbox(url, [])).toEqual([]);
    if (existsSync(copied)) expect((await idsIn(`sqlite:${copied}`)).size).toBe(2_000);
    if (command === 'backup') rmSync(copied, { force: true });
  }
});

it('restores nothing that is damaged or no inbox, and what was there stays', async () => {
  const url = newInboxUrl();
  await fill(url, [{ eventId: 'there' }]);
  const file = join(newFolder(), 'copy.db');
  expect((await inbox(['restore', file], url)).err).toContain('There is no file');
  writeFileSync(file, Buffer.alloc(20_000, 'x'));
  expect(await inbox(['restore', file], url)).toMatchObject({
    code: 1,
    err: expect.stringContaining('not a database'),
  });
  new DatabaseSync(join(dirname(file), 'other.db')).exec('CREATE TABLE other (a)');
  expect((await inbox(['restore', join(dirname(file), 'other.db')], url)).err).toContain('is no inbox');
  expect(await idsIn(url)).toEqual(new Set(['there']));
});

it('replaces an inbox that is damaged beyond reading, and keeps it', async () => {
  const url = newInboxUrl();
  await fill(url, [{ eventId: 'there' }]);
  const copy = join(newFolder(), 'copy.db');
  await inbox(['backup', copy], url);
  writeFileSync(fileOf(url), Buffer.alloc(20_000, 'x'));
  expect((await inbox(['verify'], url)).code).toBe(1);
  expect((await inbox(['restore', copy], url)).code).toBe(0);
  expect(await idsIn(url)).toEqual(new Set(['there']));
  expect(readdirSync(dirname(fileOf(url))).filter((name) => /\.before-\w+$/.test(name))).toHaveLength(1);
});

it('says how PostgreSQL is backed up: the schema of the inbox, and no password', async () => {
  const { code, err } = await inbox(['backup', 'x.dump'], 'postgres://me:hidden@127.0.0.1:1/db');
  expect(code).toBe(1);
  expect(err).toContain(
    "pg_dump --format=custom --schema=inbox --file='x.dump' --dbname='postgres://127.0.0.1:1/db'",
  );
  expect(err).not.toContain('hidden');
});

const subject = 'acme order:1';
/** Two of a subject, the first running, one of no subject, all with keys. */
const some = [{ key: 'a', subject }, { key: 'b', subject }, { key: 'c' }];

async function prepared(url: string): Promise<void> {
  await fill(url, some);
  const opened = await openInbox(url, { maxWaiting: 1_000 });
  const [claimed] = await opened.claim({ limit: 1, leaseMs: 60_000 });
  if (claimed === undefined) throw new Error('Nothing could be claimed.');
  await opened.close();
}

const TWO_RUN = "status = 'running', lease_until = ";

it.each([
  ['entries of a status that there is not', "UPDATE entries SET status = 'lost' WHERE seq = 3"],
  ['subjects of which several entries run', `UPDATE entries SET ${TWO_RUN} 1 WHERE key = 'b'`],
  ['entries that run without being the first', `UPDATE entries SET ${TWO_RUN} 1 WHERE key = 'b'`],
  ['entries that run without a lease', 'UPDATE entries SET lease_until = NULL'],
  ['entries that wait behind none', 'DELETE FROM entries WHERE seq = 1'],
  [
    'entries without their content',
    "DELETE FROM bodies WHERE seq = (SELECT seq FROM entries WHERE key = 'b')",
  ],
  ['contents without their entry', "INSERT INTO bodies VALUES (9, x'00', NULL)"],
  ['counts of entries by status', 'UPDATE counts SET waiting = waiting + 1'],
  ['counts of waiting bytes', 'UPDATE counts SET waiting_bytes = 7'],
  ['entries without the key of their event', "UPDATE entries SET unique_key = NULL WHERE key = 'b'"],
  [
    'keys kept as those of a forgotten entry',
    "INSERT INTO forgotten SELECT x'00', seq, 1 FROM entries WHERE key = 'b'",
  ],
  [
    'contents or answers encrypted with a key',
    "UPDATE bodies SET content = x'c10102030405060708' WHERE seq = 3",
  ],
])('finds in a file: %s', async (what, sql) => {
  const url = newInboxUrl();
  await prepared(url);
  expect(await checkInbox(url, [])).toEqual([]);
  const database = new DatabaseSync(fileOf(url));
  database.exec(`PRAGMA ignore_check_constraints = ON; ${sql}`);
  database.close();
  const found = await checkInbox(url, []);
  expect(found).toContainEqual({ what: expect.stringContaining(what), count: 1 });
});

it('knows entries of keys that are there, and tape that cannot be read, and ends with 1', async () => {
  const url = newInboxUrl();
  const INBOX_KEYS = Buffer.alloc(32, 7).toString('base64');
  await fill(url, []);
  const opened = encryptInbox(await openInbox(url, { maxWaiting: 10 }), readInboxKeys(INBOX_KEYS));
  await opened.store(newEntry());
  await opened.close();
  expect(await inbox(['verify'], url, { INBOX_KEYS })).toMatchObject({ code: 0, err: '' });
  mkdirSync(`${fileOf(url)}.tape`);
  writeFileSync(join(`${fileOf(url)}.tape`, '4.tape'), 'cut sho');
  const { code, out } = await inbox(['verify'], url);
  expect(code).toBe(1);
  expect(out.trimEnd().split('\n')).toEqual([
    expect.stringMatching(/^1 {2}contents or answers encrypted with a key .* begins with [0-9a-f]{16}$/),
    expect.stringMatching(/^1 {2}deliveries on the tape that cannot be read, as 4: /),
  ]);
});

describe('in PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  it.each([
    ['entries of a status that there is not', "UPDATE inbox.entry SET status = 'lost' WHERE seq = 3"],
    ['subjects of which several entries run', `UPDATE inbox.entry SET ${TWO_RUN} now() WHERE seq = 2`],
    ['entries in no line', 'UPDATE inbox.entry SET line = NULL WHERE seq = 2'],
    ['entries that run without a lease', 'UPDATE inbox.entry SET lease_until = NULL'],
    ['entries that wait behind none', 'DELETE FROM inbox.entry WHERE seq = 1'],
    ['entries whose count of bytes is wrong', 'UPDATE inbox.entry SET bytes = 7 WHERE seq = 2'],
    ['entries without the key of their event', 'DELETE FROM inbox.key WHERE seq = 2'],
    ['keys without their entry', 'DELETE FROM inbox.entry WHERE seq = 3'],
    ['keys kept as those of a forgotten entry', 'UPDATE inbox.key SET done_at = now() WHERE seq = 2'],
    [
      'contents or answers encrypted',
      "UPDATE inbox.entry SET content = '\\xc10102030405060708' WHERE seq = 3",
    ],
  ])('finds: %s', async (what, sql) => {
    const url = await server.newDatabase();
    await prepared(url);
    expect(await checkInbox(url, [])).toEqual([]);
    const client = new pg.Client(url);
    await client.connect();
    await client.query(`
      ALTER TABLE inbox.entry DROP CONSTRAINT entry_status_check, DROP CONSTRAINT entry_check;
      DROP INDEX inbox.entry_head; ${sql}`);
    await client.end();
    expect(await checkInbox(url, [])).toContainEqual({ what: expect.stringContaining(what), count: 1 });
  });
});
