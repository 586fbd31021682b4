import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { startPostgres, type PostgresServer } from '../../../../src/lab/rig/postgres.ts';
import type { Entry, Inbox } from '../../../../src/kit/inbox/inbox.ts';
import { openPostgresInbox } from '../../../../src/kit/inbox/postgres/inbox.ts';
import { createWorker } from '../../../../src/kit/inbox/worker/worker.ts';
import { createRandom, randomBelow } from '../../../../src/lab/mock/random.ts';
import { until } from '../../../support/until.ts';
import { itKeepsTheContract } from '../contract/contract.ts';
import { newEntry } from '../contract/entries.ts';

/** No test comes near it: what is waited for here are events, which take as long as the machine needs. */
const LONG_MS = 300_000;
const unavailable = { name: 'InboxUnavailable', code: 'inbox_unavailable' };

let server: PostgresServer;
let prepared: URL;
beforeAll(async () => {
  server = await startPostgres();
  prepared = new URL(await server.newDatabase());
  const inbox = await openPostgresInbox(prepared.href, { maxWaiting: 1 });
  await inbox.close();
});
afterAll(() => server.remove());

/** Servers that one test has to itself, because it stops them: they start again the sooner, the less is in them. */
const ownServers: PostgresServer[] = [];

/** An inbox without entries: a copy is made sooner than the tables. */
async function newInbox(): Promise<string> {
  const name = `copy_${randomUUID().replaceAll('-', '')}`;
  const client = new pg.Client(new URL('/postgres', prepared).href);
  await client.connect();
  await client.query(`CREATE DATABASE ${name} TEMPLATE ${prepared.pathname.slice(1)} STRATEGY file_copy`);
  await client.end();
  return new URL(`/${name}`, prepared).href;
}

const opened: Inbox[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((inbox) => inbox.close()));
  await Promise.all(ownServers.splice(0).map((own) => own.remove()));
});

async function open(url: string): Promise<Inbox> {
  const inbox = await openPostgresInbox(url, { maxWaiting: 10_000 });
  opened.push(inbox);
  return inbox;
}

async function openTwo(): Promise<readonly [Inbox, Inbox]> {
  const url = await newInbox();
  return Promise.all([open(url), open(url)]);
}

/** Everything that waits, in the order in which it may run. */
async function drain(inbox: Inbox): Promise<Entry[]> {
  const drained: Entry[] = [];
  for (;;) {
    const claimed = await inbox.claim({ limit: 100, leaseMs: LONG_MS });
    if (claimed.length === 0) return drained;
    await Promise.all(claimed.map((entry) => inbox.done(entry)));
    drained.push(...claimed);
  }
}

const keysOf = (entries: readonly Entry[]) => entries.map(({ key }) => key);

itKeepsTheContract('the postgres inbox', async (options) => openPostgresInbox(await newInbox(), options));

describe('several receivers on one database', () => {
  it('never run one subject at the same time, and lose none of its entries', async () => {
    const inboxes = await openTwo();
    const held = new Map<string | undefined, Entry>();
    const ended = new Set<number>();
    const stored = new Set<number>();

    async function runEntries(inbox: Inbox, seed: number): Promise<void> {
      const random = createRandom(seed);
      const endings: readonly ((entry: Entry) => Promise<unknown>)[] = [
        (entry) => inbox.done(entry),
        (entry) => inbox.retry(entry, 'no', Date.now()),
        (entry) => inbox.release(entry),
        async (entry) => {
          await inbox.bury(entry, 'no');
          await inbox.replay(entry.seq);
        },
      ];
      while (ended.size < 240) {
        if (stored.size < 240) {
          const fresh = Array.from({ length: 4 }, () => newEntry({ subject: `s${randomBelow(3, random)}` }));
          const all = await Promise.all(fresh.map((entry) => inbox.store(entry)));
          for (const { entry } of all) stored.add(entry.seq);
        }
        for (const entry of await inbox.claim({ limit: 2, leaseMs: LONG_MS })) {
          expect(held.get(entry.subject)).toBeUndefined();
          held.set(entry.subject, entry);
          await inbox.renew(entry, LONG_MS);
          held.delete(entry.subject);
          const ending = randomBelow(endings.length, random);
          await endings[ending]?.(entry);
          if (ending === 0) ended.add(entry.seq);
        }
      }
    }
    await Promise.all(inboxes.map((inbox, index) => runEntries(inbox, index)));
    await drain(inboxes[0]);

    expect(await inboxes[0].stats()).toMatchObject({ waiting: 0, running: 0, done: stored.size, dead: 0 });
  });

  it('leave no entry behind that came while the one before it ended', async () => {
    const [here, there] = await openTwo();
    for (let round = 0; round < 40; round++) {
      const subjects = Array.from({ length: 10 }, (_, index) => `s${round}-${index}`);
      const running = subjects.map((subject) => here.store(newEntry({ subject }), { claimForMs: LONG_MS }));
      const heads = await Promise.all(running);
      const ending = heads.map(({ entry }) => here.done(entry));
      const storing = subjects.map((subject) => there.store(newEntry({ key: subject, subject })));
      await Promise.all([...ending, ...storing]);
      expect(keysOf(await drain(there)).sort()).toEqual(subjects.sort());
    }
  });

  it('make one entry of a delivery that comes to all of them again and again', async () => {
    const inboxes = await openTwo();
    const keys = Array.from({ length: 200 }, (_, index) => `k${index % 10}`);
    const stored = await Promise.all(
      inboxes.flatMap((inbox, index) => {
        const order = index === 0 ? keys : keys.toReversed();
        return order.map((key) => inbox.store(newEntry({ key, subject: `subject of ${key}` })));
      }),
    );
    expect(stored.filter(({ duplicate }) => !duplicate)).toHaveLength(10);
    expect(new Set(stored.map(({ entry }) => entry.seq)).size).toBe(10);
    expect(keysOf(await drain(inboxes[0])).sort()).toEqual(keys.slice(0, 10));
  });

  it('claim a duplicate for one of them only', async () => {
    const inboxes = await openTwo();
    await inboxes[0].store(newEntry({ key: 'k' }));
    const stored = await Promise.all(
      [...inboxes, ...inboxes].map((inbox) => inbox.store(newEntry({ key: 'k' }), { claimForMs: LONG_MS })),
    );
    expect(stored.filter(({ claimed }) => claimed)).toHaveLength(1);
  });

  it('wake a worker with what another one has stored', async () => {
    const [here, there] = await openTwo();
    let woken = 0;
    there.onReady(() => {
      woken += 1;
    });
    await here.store(newEntry());
    await until('the other inbox called back', () => woken > 0);
  });

  it('do the work of each other', async () => {
    const [here, there] = await openTwo();
    const done: (string | undefined)[] = [];
    const worker = createWorker({
      inbox: there,
      run: async ({ key }) => {
        done.push(key);
        return {};
      },
      ...{ concurrency: 2, maxAttempts: 3, handlerTimeoutMs: LONG_MS },
      onAttempt: () => undefined,
    });
    worker.start();
    for (const key of ['a', 'b', 'c']) await here.store(newEntry({ key, subject: 's' }));
    await until('all were handled', () => done.length === 3);
    await worker.stop(LONG_MS);
    expect(done).toEqual(['a', 'b', 'c']);
  });

  it('may all open an empty database at once', async () => {
    const url = await server.newDatabase();
    const keys = await Promise.all(['a', 'b', 'c'].map((name) => readKeys(startChild(url, name, 10))));
    const drained = await drain(await open(url));
    expect(keysOf(drained).sort()).toEqual(keys.flat().sort());
  });
});

describe('one turn', () => {
  it('keeps the order of a subject, though its first entry is a duplicate', async () => {
    const inbox = await open(await newInbox());
    await inbox.store(newEntry({ key: 'known', subject: 's' }));
    await drain(inbox);
    const keys = ['known', 'a', 'b', 'c'];
    await Promise.all(keys.map((key) => inbox.store(newEntry({ key, subject: 's' }))));
    expect(keysOf(await drain(inbox))).toEqual(['a', 'b', 'c']);
  });

  it('is as large as the database can take, and the next one has the rest', async () => {
    const inbox = await open(await newInbox());
    const keys = Array.from({ length: 6 }, (_, index) => `k${index}`);
    const content = Buffer.alloc(5_000_000, 'x');
    await Promise.all(keys.map((key) => inbox.store(newEntry({ key, content, subject: 's' }))));
    expect(await inbox.stats()).toMatchObject({ waiting: 6, waitingBytes: 30_000_000 });
    const [first] = await inbox.claim({ limit: 10, leaseMs: LONG_MS });
    expect(first?.key).toBe('k0');
    expect(first?.content.equals(content)).toBe(true);
  });

  it('takes text that the database cannot hold', async () => {
    const inbox = await open(await newInbox());
    const odd = 'a\0b\ud800';
    await inbox.store(newEntry({ key: odd, subject: odd, type: odd, eventId: odd, installation: odd }));
    await inbox.store(newEntry({ subject: odd }));
    const [entry, ...others] = await inbox.claim({ limit: 10, leaseMs: LONG_MS });
    if (!entry) throw new Error('not claimed');
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ key: 'a\uFFFDb\uFFFD', type: 'a\uFFFDb\uFFFD' });
    await inbox.retry(entry, odd, 0);
    expect((await drain(inbox)).map(({ note }) => note)).toEqual(['a\uFFFDb\uFFFD', undefined]);
  });
});

describe('what is forgotten', () =>
  it('gives its room to what comes after it', async () => {
    const url = await newInbox();
    const inbox = await open(url);
    const client = new pg.Client(url);
    await client.connect();
    const sizes: number[] = [];
    for (let day = 0; day < 4; day++) {
      const content = Buffer.alloc(3_000, 'x');
      const keys = Array.from({ length: 300 }, (_, index) => `day ${day}, ${index}`);
      await Promise.all(keys.map((key) => inbox.store(newEntry({ key, content, subject: key }))));
      await drain(inbox);
      expect(await inbox.prune({ finishedBefore: Date.now() + LONG_MS, limit: 1_000 })).toBe(300);
      await client.query('VACUUM inbox.entry, inbox.key'); // as autovacuum does by and by
      const { rows } = await client.query<{ bytes: string }>(
        "SELECT pg_total_relation_size('inbox.entry') + pg_total_relation_size('inbox.key') AS bytes",
      );
      sizes.push(Number(rows[0]?.bytes));
    }
    await client.end();
    // Of 900 KB each; from the second on there is what the day before it left free.
    expect(sizes[3]).toBeLessThan(1.2 * (sizes[1] ?? 0));
  }));

describe('a receiver that dies', () =>
  it('has lost nothing that it acknowledged, and leaves no line that nobody leads', async () => {
    const url = await newInbox();
    const child = startChild(url, 'a', 100_000);
    const acknowledged = await readKeys(child, (count) => {
      if (count === 100) child.kill('SIGKILL');
    });
    const inbox = await open(url);
    let drained: Entry[] = [];
    const allDrained = async () => {
      drained = [...drained, ...(await drain(inbox))];
      return (await inbox.stats()).waiting === 0;
    };
    await until('the server has noticed', allDrained);
    expect(acknowledged.length).toBeGreaterThanOrEqual(100);
    const keys = new Set(keysOf(drained));
    expect(acknowledged.filter((key) => !keys.has(key))).toEqual([]);
  }));

describe('a database', () => {
  it('is refused in words when it does not exist, and without the password', async () => {
    const url = (await newInbox()).replace(/postgres@(.*)_/, 'postgres:hunter2@$1_no_such_');
    const opening = openPostgresInbox(url, { maxWaiting: 1 });
    await expect(opening).rejects.toMatchObject(unavailable);
    await expect(opening).rejects.toThrow(/does not exist.* There is no such database: create it/);
    await expect(opening).rejects.not.toThrow(/hunter2/);
  });

  it('is refused in words when its address is none, and without the password', async () => {
    const opening = openPostgresInbox('postgres://user:hunter2#@db:x/inbox', { maxWaiting: 1 });
    await expect(opening).rejects.toThrow(/INBOX_URL is no valid address/);
    await expect(opening).rejects.not.toThrow(/hunter2/);
  });

  it('that stops makes the inbox refuse, and nothing it promised is gone when the database is back', async () => {
    const own = await startPostgres();
    ownServers.push(own);
    const inbox = await open(await own.newDatabase());
    const promised: string[] = [];
    let stopping: Promise<void> | undefined;
    async function storeUntilRefused(): Promise<unknown[]> {
      for (let turn = 0; ; turn++) {
        if (promised.length > 50) stopping ??= own.stop();
        const keys = Array.from({ length: 10 }, (_, index) => `k${turn}-${index}`);
        const storing = keys.map((key) => inbox.store(newEntry({ key, subject: 's' })));
        const refusals: unknown[] = [];
        for (const outcome of await Promise.allSettled(storing)) {
          if (outcome.status === 'rejected') refusals.push(outcome.reason);
          else promised.push(outcome.value.entry.key ?? '');
        }
        if (refusals.length > 0) return refusals;
      }
    }
    for (const refusal of await storeUntilRefused()) expect(refusal).toMatchObject(unavailable);
    await stopping;
    await expect(inbox.store(newEntry())).rejects.toThrow(/127\.0\.0\.1:.*is the server running\?/);
    await expect(inbox.claim({ limit: 1, leaseMs: LONG_MS })).rejects.toMatchObject(unavailable);
    await expect(inbox.nextDue()).rejects.toMatchObject(unavailable);

    await own.start();
    await inbox.store(newEntry({ key: 'afterwards', subject: 's' }));
    const keys = keysOf(await drain(inbox));
    expect(promised.filter((key) => !keys.includes(key))).toEqual([]);
    expect(keys.at(-1)).toBe('afterwards');
  });
});

describe('closing', () =>
  it('waits for what is stored, and refuses what comes after', async () => {
    const url = await newInbox();
    const inbox = await open(url);
    const storing = inbox.store(newEntry({ key: 'k' }));
    await inbox.close();
    const { entry } = await storing;
    await expect(inbox.store(newEntry())).rejects.toMatchObject(unavailable);
    expect(await (await open(url)).find(entry.seq)).toEqual(entry);
  }));

type Child = ReturnType<typeof startChild>;

function startChild(url: string, name: string, count: number) {
  const script = join(import.meta.dirname, 'child-that-stores.ts');
  return spawn(process.execPath, [script, url, name, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** What a child has acknowledged by the time it is gone. */
async function readKeys(child: Child, onKey: (count: number) => void = () => undefined): Promise<string[]> {
  const keys: string[] = [];
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    keys.push(line);
    onKey(keys.length);
  }
  await ended;
  return keys;
}
