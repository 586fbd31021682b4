import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, jest } from '@jest/globals';
import { createSteadyClock } from '../../../src/kit/inbox/inbox.ts';
import { openSqliteInbox } from '../../../src/kit/inbox/sqlite/inbox.ts';
import { backoffMs } from '../../../src/kit/inbox/worker/backoff.ts';
import { createLog } from '../../../src/kit/log.ts';
import { watchClock } from '../../../src/kit/program/clock.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { later, newFolder } from '../../support/fixtures.ts';
import { startReceiver, type TestReceiver } from '../../support/receiver.ts';
import { createTestSender } from '../../support/test-sender.ts';
import { until } from '../../support/until.ts';
import { newEntry } from './contract/entries.ts';

const HOUR_MS = 3_600_000;

let receiver: TestReceiver | undefined;
let folder: string | undefined;
afterEach(async () => {
  jest.restoreAllMocks();
  await receiver?.stop();
  receiver = undefined;
  if (folder !== undefined) rmSync(folder, { recursive: true });
  folder = undefined;
});

it('goes on where the clock is set back, and follows it again where it is set forward', () => {
  const time = { wall: 10 * HOUR_MS, running: 0 };
  const now = createSteadyClock(
    () => time.wall,
    () => time.running,
  );
  const pass = (ms: number, set = 0) => {
    time.running += ms;
    time.wall += ms + set;
    return now() - 10 * HOUR_MS;
  };
  expect(pass(5_000)).toBe(5_000);
  expect(pass(5_000, -HOUR_MS)).toBe(10_000);
  expect(pass(5_000)).toBe(15_000);
  expect(pass(5_000, HOUR_MS)).toBe(20_000);
  expect(pass(5_000, HOUR_MS)).toBe(25_000 + HOUR_MS);
});

it('says in the log by how much the clock was set', async () => {
  const time = { wall: 0, running: 0 };
  const told: string[] = [];
  const log = createLog('info', { write: (line) => void told.push(line) });
  const clocks = { wall: () => time.wall, running: () => time.running };
  later(watchClock(log, clocks, 1));
  time.wall -= HOUR_MS;
  await until('it is said', () => told.length === 1);
  [time.wall, time.running] = [time.wall + 9_000, time.running + 9_000]; // it only passes
  time.wall += HOUR_MS;
  await until('it is said', () => told.length === 2);
  expect(told[0]).toContain('set back by 3600 s');
  expect(told[1]).toContain('set forward by 3600 s');
});

/** A file that is opened again and again, by one clock; `forward` has what each opening brought forward. */
function newFile(now: number) {
  const file = join(newFolder(), 'inbox.db');
  const time = { now };
  const forward: number[] = [];
  const open = () =>
    openSqliteInbox(file, { maxWaiting: 100, now: () => time.now, onBroughtForward: (n) => forward.push(n) });
  return { open, time, forward };
}

it('does not let a clock that was set back while no receiver ran hold up what waits, or its subject', async () => {
  const { open, time, forward } = newFile(10 * HOUR_MS);
  const before = open();
  await before.store(newEntry({ subject: 'one', key: '1', receivedAt: 0 }));
  await before.store(newEntry({ subject: 'one', key: '2', receivedAt: 0 }));
  await before.store(newEntry({ subject: 'two', key: '3', receivedAt: 0 }));
  const [failed] = await before.claim({ limit: 1, leaseMs: 1_000 });
  if (failed === undefined) throw new Error('It was due.');
  await before.retry(failed, 'not yet', time.now + 900);
  await before.close();
  time.now -= HOUR_MS;
  const after = open();
  later(() => after.close());
  expect(forward).toEqual([3]);
  time.now += 1_000;
  const claimed = await after.claim({ limit: 10, leaseMs: 1_000 });
  expect(claimed.map(({ subject }) => subject).sort()).toEqual(['one', 'two']);
  await Promise.all(claimed.map((entry) => after.done(entry)));
  expect(await after.claim({ limit: 10, leaseMs: 1_000 })).toHaveLength(1);
});

it('brings forward what was tried again long after the last delivery came', async () => {
  const { open, time, forward } = newFile(10 * HOUR_MS);
  const before = open();
  for (const key of ['1', '2']) await before.store(newEntry({ key, receivedAt: time.now }));
  const [tried, last] = await before.claim({ limit: 2, leaseMs: 1_000 });
  if (tried === undefined || last === undefined) throw new Error('Both were due.');
  await before.done(last);
  time.now += 2 * HOUR_MS;
  await before.retry(tried, 'not yet', time.now + 900);
  await before.close();
  time.now -= HOUR_MS;
  const after = open();
  later(() => after.close());
  expect(forward).toEqual([1]);
  expect((await after.nextDue()) ?? 0).toBeLessThanOrEqual(time.now + 1_000);
});

it('brings nothing forward after a restart while the clock only went on', async () => {
  const { open, forward } = newFile(HOUR_MS);
  const before = open();
  for (let attempt = 1; attempt <= 8; attempt += 1)
    await before.store(newEntry({ key: `${attempt}`, receivedAt: HOUR_MS }));
  for (const entry of await before.claim({ limit: 8, leaseMs: 1_000 }))
    await before.retry(entry, 'not yet', HOUR_MS + backoffMs(1, 0));
  await before.close();
  await open().close();
  expect(forward).toEqual([]);
});

it.each(['memory:', 'sqlite:'])('tries again in time though the clock is set back (%s)', async (engine) => {
  folder = mkdtempSync(join(tmpdir(), 'clock-'));
  const attempts: number[] = [];
  receiver = await startReceiver({
    env: { INBOX_URL: engine === 'sqlite:' ? engine + join(folder, 'inbox.db') : engine },
    handlers: {
      risr: {
        profile_updated: ({ attempt }) => {
          attempts.push(attempt);
          if (attempt === 1) throw new Error('not yet');
        },
      },
    },
  });
  const sender = createTestSender(receiver);
  await sender.fire(risr, 'profile_updated');
  sender.close();
  await until('it has failed', () => attempts.length === 1);
  const real = Date.now;
  jest.spyOn(Date, 'now').mockImplementation(() => real.call(Date) - HOUR_MS);
  await until('it is tried again', () => attempts.length === 2);
});
