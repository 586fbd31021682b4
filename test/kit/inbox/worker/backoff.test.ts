import { expect, it } from '@jest/globals';
import { backoffMs } from '../../../../src/kit/inbox/worker/backoff.ts';

it('waits a second after the first failure, five times longer after each, an hour at most', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 1000].map((attempt) => backoffMs(attempt, 0));
  expect(waits).toEqual([1_000, 5_000, 25_000, 125_000, 625_000, 3_125_000, 3_600_000, 3_600_000, 3_600_000]);
});

it('takes up to a quarter off at random, so that what failed together does not come back together', () => {
  expect(backoffMs(2, 0.5)).toBe(4_375);
  expect(backoffMs(2, 0.999999)).toBe(3_750);
});

it('follows other settings', () => {
  expect(backoffMs(3, 0, { baseMs: 10, factor: 2, capMs: 30 })).toBe(30);
  expect(backoffMs(2, 0, { baseMs: 10, factor: 2, capMs: 30 })).toBe(20);
});
