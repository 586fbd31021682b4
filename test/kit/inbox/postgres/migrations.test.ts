import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { missingMigrations } from '../../../../src/kit/inbox/postgres/schema.ts';
import { newEntry } from '../contract/entries.ts';
import { newDatabase, open, run, useServer } from './databases.ts';

useServer();

const version1 = readFileSync(join(import.meta.dirname, 'version-1.sql'), 'utf8');

/** Of the one in version 1 that has failed: it waits no longer than it ever does. */
const JUST_BEFORE_RETRY = 1_900_000_000_000 - 500;

async function newVersion1(): Promise<string> {
  const url = await newDatabase();
  await run(url, version1);
  return url;
}

/** Everything that the schema consists of, as text. */
function catalogueOf(url: string): Promise<unknown[]> {
  return run(
    url,
    `SELECT relkind::text AS kind, relname AS name, coalesce(pg_get_indexdef(indexrelid), '') AS text
       FROM pg_class LEFT JOIN pg_index ON indexrelid = pg_class.oid WHERE relnamespace = 'inbox'::regnamespace
     UNION ALL SELECT 'column', relname || '.' || attname, format_type(atttypid, atttypmod) || ' ' || attnotnull
       FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid
       WHERE relnamespace = 'inbox'::regnamespace AND relkind = 'r' AND attnum > 0
     UNION ALL SELECT 'function', proname, '' FROM pg_proc WHERE pronamespace = 'inbox'::regnamespace
     UNION ALL SELECT 'type', typname, '' FROM pg_type WHERE typnamespace = 'inbox'::regnamespace
     ORDER BY 1, 2`,
  );
}

it('takes over what version 1 held as jobs of pg-boss, each as it was', async () => {
  const url = await newVersion1();
  const inbox = await open(url, { now: () => JUST_BEFORE_RETRY });

  const entries = (await inbox.list({ limit: 20 })).reverse();
  const told = entries.map(({ seq, status, attempts, claims, content }) =>
    [seq, status, attempts, claims, content.toString().slice(0, 28)].join(' '),
  );
  expect(told).toEqual([
    '1 done 1 1 done',
    '2 dead 1 1 dead letter',
    '3 done 1 1 unchanged',
    '4 done 1 1 discarded',
    '5 waiting 1 1 follow-up',
    '6 waiting 0 1 second follow-up',
    '7 waiting 0 0 first of its line',
    '8 waiting 0 0 second of its line',
    '9 running 1 1 running, with a long subject',
    '10 waiting 0 0 waits behind what runs',
    `11 waiting 0 0 ${'x'.repeat(28)}`,
    '12 waiting 0 0 no key',
  ]);
  expect(entries[0]).toMatchObject({
    ...{ source: 'acme', endpoint: '/acme/order.created', installation: 'north', type: 'order.created' },
    ...{ eventId: 'evt_1', key: 'evt_1', subject: 'done', secret: 1, receivedAt: 1_700_000_000_000 },
    ...{ note: 'made it', unchanged: false, answer: Buffer.from('{}'), finishedAt: expect.any(Number) },
  });
  expect(entries[2]).toMatchObject({ unchanged: true, note: 'nothing new' });
  expect(entries[4]).toMatchObject({ note: 'ECONNREFUSED', dueAt: 1_900_000_000_000 });
  expect(await inbox.stats()).toMatchObject({
    waiting: 7,
    running: 1,
    done: 3,
    dead: 1,
    waitingBytes: 3_088,
  });
});

it('knows the keys of version 1, keeps its lines in order, and goes on with its numbers', async () => {
  const inbox = await open(await newVersion1(), { now: () => JUST_BEFORE_RETRY });
  for (const known of [
    newEntry({ key: 'evt_1', installation: 'north' }),
    newEntry({ key: 'step:2', endpoint: 'step' }),
    newEntry({ key: `${'k'.repeat(300)}\0` }),
  ]) {
    expect(await inbox.store(known)).toMatchObject({ duplicate: true });
  }
  const late = await inbox.store(newEntry({ key: 'late', subject: 'order 7' }));
  expect(late).toMatchObject({ duplicate: false, entry: { seq: expect.any(Number) } });
  expect(late.entry.seq).toBeGreaterThan(12);

  // The dead one comes first of its subject again, and what ran when version 1 ended runs once more.
  await inbox.replay(2);
  const handled: number[] = [];
  for (;;) {
    const claimed = await inbox.claim({ limit: 10, leaseMs: 60_000 });
    if (claimed.length === 0) break;
    handled.push(...claimed.map(({ seq }) => seq));
    for (const entry of claimed) await inbox.done(entry);
  }
  expect(handled.filter((seq) => [2, 7, 8, late.entry.seq].includes(seq))).toEqual([2, 7, 8, late.entry.seq]);
  expect(handled.filter((seq) => [9, 10].includes(seq))).toEqual([9, 10]);
  expect(await inbox.stats()).toMatchObject({ waiting: 1, running: 0, dead: 0 });
});

it('makes of an old database what a new one is', async () => {
  const [old, fresh] = [await newVersion1(), await newDatabase()];
  await open(old);
  await open(fresh);
  expect(await catalogueOf(old)).toEqual(await catalogueOf(fresh));
});

it('leaves an old database as it is when it cannot be brought up to date', async () => {
  const url = await newVersion1();
  await run(url, 'CREATE TABLE inbox.key (name text)'); // in the way
  const before = await catalogueOf(url);
  await expect(open(url)).rejects.toThrow(/"key" already exists/);
  expect(await catalogueOf(url)).toEqual(before);
  expect(await run(url, 'SELECT count(*)::int AS count FROM inbox.job_common')).toEqual([{ count: 12 }]);
});

it('leaves an old database to its receiver when the command line opens it, and says how to migrate', async () => {
  const url = await newVersion1();
  await expect(open(url, { owner: false })).rejects.toThrow(
    /holds schema 1, and this version needs \d+: run "npm run inbox -- migrate"/,
  );
});

it('refuses what a newer version wrote', async () => {
  const url = await newDatabase();
  await open(url);
  await run(url, 'INSERT INTO inbox.entry_version VALUES (1000)');
  await expect(open(url)).rejects.toThrow(/written by a newer version \(schema 1000/);
});

it('needs no more than to read and write the rows, once somebody else has made the tables', async () => {
  const url = await newDatabase();
  const role = `app_${url.slice(-8)}`;
  await run(
    url,
    `CREATE ROLE ${role} LOGIN; REVOKE CREATE, TEMPORARY ON DATABASE ${url.slice(url.lastIndexOf('/') + 1)} FROM PUBLIC`,
  );
  const asRole = url.replace('postgres@', `${role}@`);
  await expect(open(asRole)).rejects.toThrow(
    /permission denied.*run "npm run inbox -- migrate" as a user who may/,
  );

  const sql = await missingMigrations(asRole);
  await run(url, sql);
  expect(await missingMigrations(url)).toBe('');
  await run(
    url,
    `GRANT USAGE ON SCHEMA inbox TO ${role};
     GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA inbox TO ${role};
     GRANT USAGE ON ALL SEQUENCES IN SCHEMA inbox TO ${role}`,
  );
  const inbox = await open(asRole);
  await inbox.store(newEntry({ key: 'k', subject: 's' }));
  const [entry] = await inbox.claim({ limit: 1, leaseMs: 1_000 });
  if (!entry) throw new Error('not claimed');
  await inbox.done(entry);
  expect(await inbox.prune({ finishedBefore: Date.now() + 60_000, limit: 10 })).toBe(1);
  await inbox.close();
  await run(url, `DROP OWNED BY ${role}; DROP ROLE ${role}`);
});

it('is refused where a right is missing, with the statement that gives it', async () => {
  const url = await newDatabase();
  const role = `lesser_${url.slice(-8)}`;
  const asRole = url.replace('postgres@', `${role}@`);
  await (await open(url)).close();
  await run(url, `CREATE ROLE ${role} LOGIN`);
  await expect(open(asRole)).rejects.toThrow(
    `GRANT USAGE ON SCHEMA inbox TO ${role}; GRANT USAGE ON SEQUENCE inbox.entry_seq TO ${role}; ` +
      `GRANT DELETE, INSERT, SELECT, UPDATE ON inbox.entry TO ${role}; `,
  );

  await run(
    url,
    `GRANT USAGE ON SCHEMA inbox TO ${role};
     GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA inbox TO ${role};
     GRANT INSERT ON inbox.key, inbox.tape, inbox.fact TO ${role};
     GRANT UPDATE ON SEQUENCE inbox.entry_seq TO ${role}`,
  );
  await expect(open(asRole)).rejects.toThrow(`run: GRANT INSERT ON inbox.entry TO ${role};`);
  await (await open(asRole, { owner: false })).close(); // only looks

  await run(url, `GRANT INSERT ON inbox.entry TO ${role}`);
  const inbox = await open(asRole);
  expect(await inbox.store(newEntry({ key: 'k' }))).toMatchObject({ duplicate: false });
  await inbox.close();
  await run(url, `DROP OWNED BY ${role}; DROP ROLE ${role}`);
});
