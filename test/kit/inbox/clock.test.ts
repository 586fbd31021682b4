import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, jest } from '@jest/globals';
import { createSteadyClock } from '../../../src/kit/inbox/inbox.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { startReceiver, type TestReceiver } from '../../support/receiver.ts';
import { createTestSender } from '../../support/test-sender.ts';
import { until } from '../../support/until.ts';

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
