import { expect, it } from '@jest/globals';
import { newEntry } from '../contract/entries.ts';
import { newDatabase, open, useServer } from './databases.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

useServer();

it('does not let a clock that was set back while no receiver ran hold up what waits, or its subject', async () => {
  const url = await newDatabase();
  const time = { now: 10 * HOUR_MS };
  const forward: number[] = [];
  const reopen = () => open(url, { now: () => time.now, onBroughtForward: (n) => forward.push(n) });
  const before = await reopen();
  await before.store(newEntry({ subject: 'one', key: '1' }));
  await before.store(newEntry({ subject: 'one', key: '2' }));
  await before.store(newEntry({ subject: 'two', key: '3' }));
  const [failed] = await before.claim({ limit: 1, leaseMs: 1_000 });
  if (failed === undefined) throw new Error('It was due.');
  await before.retry(failed, 'not yet', time.now + 900);
  await before.close();

  time.now -= HOUR_MS;
  const both = await Promise.all([reopen(), reopen()]);
  expect(forward.reduce((sum, count) => sum + count, 0)).toBe(2); // the third when it leads
  time.now += 1_000;
  const [after] = both;
  const claimed = await after.claim({ limit: 10, leaseMs: 1_000 });
  expect(claimed.map(({ subject }) => subject).sort()).toEqual(['one', 'two']);
  await Promise.all(claimed.map((entry) => after.done(entry)));
  expect(await after.claim({ limit: 10, leaseMs: 1_000 })).toMatchObject([{ key: '2' }]);
});

it('leaves no entry to a lease that a clock far ahead has given', async () => {
  const url = await newDatabase();
  const time = { now: 400 * DAY_MS };
  const before = await open(url, { now: () => time.now });
  await before.store(newEntry(), { claimForMs: 60_000 });
  await before.close();
  time.now = DAY_MS;
  const after = await open(url, { now: () => time.now });
  time.now += 2 * DAY_MS;
  expect(await after.claim({ limit: 1, leaseMs: 1_000 })).toHaveLength(1);
});

it('brings nothing forward while the clock only goes on', async () => {
  const url = await newDatabase();
  const forward: number[] = [];
  const reopen = () => open(url, { now: () => DAY_MS, onBroughtForward: (n) => forward.push(n) });
  const before = await reopen();
  await before.store(newEntry({ key: '1', subject: 'one' }));
  await before.store(newEntry({ key: '2' }), { claimForMs: 60_000 });
  for (const entry of await before.claim({ limit: 8, leaseMs: 1_000 }))
    await before.retry(entry, 'not yet', DAY_MS + 1_000);
  await before.close();
  await reopen();
  expect(forward).toEqual([]);
});
