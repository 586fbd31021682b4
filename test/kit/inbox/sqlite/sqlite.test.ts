import { afterAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import type { Readable, Writable } from 'node:stream';
import { statuses, type Entry, type Inbox } from '../../../../src/kit/inbox/inbox.ts';
import { openSqliteInbox } from '../../../../src/kit/inbox/sqlite/inbox.ts';
import { createRandom, randomBelow } from '../../../../src/lab/mock/random.ts';
import { itKeepsTheContract } from '../contract/contract.ts';
import { createClock, newEntry } from '../contract/entries.ts';

const directory = mkdtempSync(join(tmpdir(), 'inbox-'));
let files = 0;
afterAll(() => rmSync(directory, { recursive: true }));

function newFile(): string {
  files += 1;
  return join(directory, `${files}.db`);
}

function open(file: string, now = Date.now): Inbox {
  return openSqliteInbox(file, { maxWaiting: 10_000, now });
}

function openBeside(file: string): Inbox {
  return openSqliteInbox(file, { maxWaiting: 10_000, owner: false });
}

itKeepsTheContract('the sqlite inbox', async (options) => openSqliteInbox(newFile(), options));

describe('an inbox file', () => {
  it('is created with its directory, for its user alone', async () => {
    const file = join(directory, 'new', 'deeper', 'inbox.db');
    await open(file).close();
    expect(statSync(file).size).toBeGreaterThan(0);
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('has what was stored when it is opened again', async () => {
    const file = newFile();
    const first = open(file);
    const { entry } = await first.store(newEntry({ key: 'k', content: Buffer.from([1, 2, 3]) }));
    await first.close();

    const second = open(file);
    expect(await second.find(entry.seq)).toEqual(entry);
    expect(await second.store(newEntry({ key: 'k' }))).toMatchObject({ duplicate: true });
    await second.close();
  });

  it('gives back at once what was running when its receiver ended, each subject in order', async () => {
    const file = newFile();
    const clock = createClock();
    const first = open(file, clock.now);
    const { entry } = await first.store(newEntry({ subject: 's' }), { claimForMs: 3_600_000 });
    await first.store(newEntry({ subject: 's' }));
    await first.close();

    const second = open(file, clock.now);
    const claimed = await second.claim({ limit: 10, leaseMs: 1_000 });
    expect(claimed.map(({ seq, attempts }) => ({ seq, attempts }))).toEqual([
      { seq: entry.seq, attempts: 2 },
    ]);
    expect(claimed[0]?.note).toMatch(/^interrupted: the receiver ended/);
    await second.close();
  });

  it('has one receiver only', async () => {
    const file = newFile();
    const first = open(file);
    expect(() => open(file)).toThrow(/Another receiver is running on/);
    await first.close();
    await open(file).close();
  });

  it('can be read and replayed by another process beside its receiver', async () => {
    const file = newFile();
    const receiver = open(file);
    const { entry } = await receiver.store(newEntry(), { claimForMs: 1_000 });
    await receiver.bury(entry, 'no');

    const beside = openBeside(file);
    expect(await beside.list({ status: 'dead', limit: 10 })).toHaveLength(1);
    await beside.replay(entry.seq);
    await beside.close();

    expect(await receiver.claim({ limit: 10, leaseMs: 1_000 })).toHaveLength(1);
    await receiver.close();
  });

  it('leaves running what its receiver runs when another process opens it', async () => {
    const file = newFile();
    const receiver = open(file);
    const { entry } = await receiver.store(newEntry(), { claimForMs: 1_000 });
    await openBeside(file).close();
    expect(await receiver.find(entry.seq)).toEqual(entry);
    await receiver.close();
  });

  it('has one head in each line of a subject and right counts, whatever happens to its entries', async () => {
    const file = newFile();
    const clock = createClock();
    const inbox = open(file, clock.now);
    const beside = openBeside(file);
    const look = new DatabaseSync(file, { readOnly: true });
    const random = createRandom(11);
    const held: Entry[] = [];
    const ending = async (end: (entry: Entry) => Promise<void>) => {
      const [entry] = held.splice(randomBelow(held.length, random), 1);
      if (entry) await end(entry);
    };
    const steps: readonly (() => Promise<unknown>)[] = [
      () => inbox.store(newEntry({ subject: `s${randomBelow(3, random)}` })),
      () => inbox.store(newEntry({ key: `k${randomBelow(5, random)}`, subject: 's0' }), { claimForMs: 50 }),
      () => inbox.store(newEntry()),
      async () => held.push(...(await inbox.claim({ limit: 2, leaseMs: 50 }))),
      () => inbox.replay(1 + randomBelow(40, random)),
      () => beside.replay(1 + randomBelow(40, random)),
      () => inbox.discard(1 + randomBelow(40, random), 'not wanted'),
      () => beside.discard(1 + randomBelow(40, random), 'not wanted'),
      () => beside.prune({ finishedBefore: clock.now() - 300, limit: 3 }),
      () => ending((entry) => inbox.done(entry)),
      () => ending((entry) => inbox.done(entry, { followUps: [newEntry({ subject: 's0' })] })),
      () => ending((entry) => inbox.retry(entry, 'no', clock.now() + 10)),
      () => ending((entry) => inbox.bury(entry, 'no')),
      () => ending((entry) => inbox.release(entry)),
    ];

    for (let count = 0; count < 400; count++) {
      await steps[randomBelow(steps.length, random)]?.();
      clock.move(5);
      expect([...headsPerLine(look)].filter((heads) => heads !== 1)).toEqual([]);
      expect(await inbox.stats()).toMatchObject(countedIn(look));
      expect(numberIn(look, 'SELECT count(*) FROM bodies WHERE seq NOT IN (SELECT seq FROM entries)')).toBe(
        0,
      );
    }

    look.close();
    await beside.close();
    await inbox.close();
  });

  it('is not created by a process that only looks into it', () => {
    const file = newFile();
    expect(() => openBeside(file)).toThrow(/There is no inbox at/);
    expect(existsSync(file)).toBe(false);
  });

  it('is refused when a newer version has written it', async () => {
    const file = newFile();
    await open(file).close();
    const database = new DatabaseSync(file);
    database.exec('PRAGMA user_version = 6');
    database.close();
    expect(() => open(file)).toThrow(/newer version \(schema 6, this one knows 5\)/);
    expect(() => openBeside(file)).toThrow(/schema 6/);
  });

  it("is refused, and left as it is, when it is another program's database", () => {
    const file = newFile();
    const database = new DatabaseSync(file);
    database.exec('CREATE TABLE patients (name TEXT)');
    database.close();
    const before = readFileSync(file);
    expect(() => open(file)).toThrow(/not an inbox/);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('is refused in words when it is no database at all', () => {
    const file = newFile();
    writeFileSync(file, 'Dear diary, '.repeat(100));
    expect(() => open(file)).toThrow(/not a SQLite database: check INBOX_URL/);
  });

  it('frees its lock when it could not be opened', async () => {
    const file = newFile();
    writeFileSync(file, 'Dear diary, '.repeat(100));
    expect(() => open(file)).toThrow();
    rmSync(file);
    await open(file).close();
  });
});

describe('a commit', () => {
  it('is shared by all operations of one turn', async () => {
    const file = newFile();
    const inbox = open(file);
    await inbox.store(newEntry());
    const before = commitsIn(`${file}-wal`);

    await Promise.all(
      Array.from({ length: 20 }, (_, index) => inbox.store(newEntry({ key: String(index) }))),
    );

    expect(commitsIn(`${file}-wal`) - before).toBe(1);
    await inbox.close();
  });

  it('is on disk when a store resolves: a copy of the files at that moment has the entry', async () => {
    const file = newFile();
    const copy = newFile();
    const inbox = open(file);
    const { entry } = await inbox.store(newEntry({ key: 'k' }));
    for (const end of ['', '-wal']) copyFileSync(file + end, copy + end);
    await inbox.close();

    const restored = open(copy);
    expect(await restored.find(entry.seq)).toEqual(entry);
    await restored.close();
  });

  it('that fails rejects every operation of its turn, stores nothing of it, and the next one works', async () => {
    const file = newFile();
    const inbox = open(file);
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');

    const outcomes = await Promise.allSettled([
      inbox.store(newEntry({ key: 'a' })),
      inbox.store(newEntry({ key: 'b' })),
      inbox.claim({ limit: 1, leaseMs: 1_000 }),
    ]);
    other.exec('ROLLBACK');
    other.close();

    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { name: 'InboxUnavailable', code: 'inbox_unavailable' },
      });
    }
    expect(outcomes[0]).toMatchObject({
      reason: { message: expect.stringContaining('holds the file locked') },
    });
    expect((await inbox.stats()).waiting).toBe(0);
    expect(await inbox.store(newEntry({ key: 'a' }))).toMatchObject({ duplicate: false });
    await inbox.close();
  });

  it('that fails leaves the counts as they were', async () => {
    const file = newFile();
    const inbox = open(file);
    await inbox.store(newEntry());
    const other = new DatabaseSync(file);
    other.exec(`CREATE TRIGGER broken BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'broken'); END`);

    const outcomes = await Promise.allSettled([
      inbox.store(newEntry()),
      inbox.claim({ limit: 1, leaseMs: 1_000 }),
    ]);
    other.exec('DROP TRIGGER broken');
    other.close();

    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await inbox.stats()).toMatchObject({ waiting: 1, running: 0 });
    await inbox.store(newEntry());
    expect(await inbox.stats()).toMatchObject({ waiting: 2, running: 0 });
    await inbox.close();
  });

  it('is made of what is still queued when the inbox is closed', async () => {
    const file = newFile();
    const inbox = open(file);
    const storing = inbox.store(newEntry());
    await inbox.close();
    const { entry } = await storing;
    await expect(inbox.store(newEntry())).rejects.toMatchObject({ code: 'inbox_unavailable' });

    const again = open(file);
    expect(await again.find(entry.seq)).toEqual(entry);
    await again.close();
  });
});

describe('a receiver that dies', () => {
  it('has lost nothing that it acknowledged when it is killed amid its stores', async () => {
    const file = newFile();
    const child = startChild([file]);
    const acknowledged = await readKeys(child, (keys) => {
      if (keys.length === 300) child.kill('SIGKILL');
    });

    const inbox = open(file);
    const entries = await inbox.list({ limit: 100_000 });
    const stored = new Set(entries.map(({ key }) => key));
    expect(acknowledged.length).toBeGreaterThanOrEqual(300);
    expect(acknowledged.filter((key) => !stored.has(key))).toEqual([]);
    expect(await inbox.stats()).toMatchObject({ waiting: entries.length, running: 0 });
    await inbox.close();
  });

  it('keeps a second receiver out as long as it lives, and no longer', async () => {
    const file = newFile();
    const child = startChild([file]);
    let refusal: unknown;
    await readKeys(child, (keys) => {
      if (keys.length !== 10) return;
      try {
        open(file);
      } catch (thrown) {
        refusal = thrown;
      }
      child.kill('SIGKILL');
    });

    expect(String(refusal)).toMatch(/Another receiver is running/);
    await open(file).close();
  });

  // A limit on the size of files makes real writes fail, as a full disk does; room is made by emptying the log.
  const withShell = process.platform === 'win32' ? it.skip : it;
  withShell(
    'refuses while there is no room, goes on when there is, and lost nothing in between',
    async () => {
      const file = newFile();
      await open(file).close();
      const child = startChild([file, '20000'], 'ulimit -f 2000; exec "$@"');
      let refusals = 0;
      const acknowledged = await readKeys(child, (keys, line) => {
        if (line === 'refused' && refusals === 0) {
          refusals += 1;
          emptyTheLog(file);
          child.stdin.write('there is room\n');
          keys.push('refused');
        } else if (keys.includes('refused') && line !== 'refused') child.kill('SIGKILL');
      });

      const inbox = open(file);
      const stored = new Set((await inbox.list({ limit: 100_000 })).map(({ key }) => key));
      const [before, after] = [acknowledged.indexOf('refused'), acknowledged.length - 1];
      expect(before).toBeGreaterThan(0);
      expect(after).toBeGreaterThan(before);
      expect(acknowledged.filter((key) => key !== 'refused' && !stored.has(key))).toEqual([]);
      await inbox.close();
    },
  );
});

type Child = ChildProcessByStdio<Writable, Readable, null>;

function startChild(args: readonly string[], shell = 'exec "$@"'): Child {
  const script = join(import.meta.dirname, 'child-that-stores.ts');
  const command = [process.execPath, script, ...args];
  const [program = '', ...rest] =
    process.platform === 'win32' ? command : ['/bin/sh', '-c', shell, 'sh', ...command];
  return spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
}

/** What a child has acknowledged by the time it is gone. */
async function readKeys(child: Child, onLine: (keys: string[], line: string) => void): Promise<string[]> {
  const keys: string[] = [];
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('key-')) keys.push(line);
    onLine(keys, line);
  }
  await ended;
  return keys;
}

function emptyTheLog(file: string): void {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
}

/** How many heads the lines have: each line one, if all is well. */
function headsPerLine(database: DatabaseSync): Set<number> {
  const rows = database.prepare(`
    SELECT sum(head) AS heads FROM entries
    WHERE subject IS NOT NULL AND status IN ('waiting', 'running') GROUP BY source, subject`);
  return new Set(rows.all().map(({ heads }) => Number(heads)));
}

function countedIn(database: DatabaseSync): Record<string, number> {
  const countOf = (status: string) =>
    numberIn(database, `SELECT count(*) FROM entries WHERE status = '${status}'`);
  return {
    ...Object.fromEntries(statuses.map((status) => [status, countOf(status)])),
    waitingBytes: numberIn(
      database,
      `SELECT total(length(content)) FROM entries JOIN bodies USING (seq) WHERE status = 'waiting'`,
    ),
  };
}

function numberIn(database: DatabaseSync, sql: string): number {
  const [value] = Object.values(database.prepare(sql).get() ?? {});
  return Number(value);
}

/** A frame that ends a commit says how many pages the database has; see https://sqlite.org/fileformat2.html#walformat */
function commitsIn(walFile: string): number {
  const wal = readFileSync(walFile);
  const [headerBytes, frameHeaderBytes, pageBytes] = [32, 24, wal.readUInt32BE(8)];
  let commits = 0;
  for (let at = headerBytes; at < wal.length; at += frameHeaderBytes + pageBytes) {
    if (wal.readUInt32BE(at + 4) > 0) commits += 1;
  }
  return commits;
}
