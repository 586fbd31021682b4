import { expect, it } from '@jest/globals';
import { createPace } from '../../../src/kit/outgoing/pace.ts';

/** Starts `calls` at the same moment and tells when each may go. */
async function startsOf(calls: number, perSecond: number): Promise<number[]> {
  const pace = createPace({ perSecond, now: () => now, sleep: async (ms) => void waits.push(ms) });
  const now = 50_000;
  const waits: number[] = [];
  for (let call = 0; call < calls; call += 1) await pace();
  return [...Array.from({ length: calls - waits.length }, () => 0), ...waits];
}

it('lets as many calls start at once as a second may have, and the others a second later each time', async () => {
  expect(await startsOf(3, 5)).toEqual([0, 0, 0]);
  expect(await startsOf(12, 5)).toEqual([0, 0, 0, 0, 0, 1000, 1000, 1000, 1000, 1000, 2000, 2000]);
  expect(await startsOf(3, 1)).toEqual([0, 1000, 2000]);
});

it('holds nobody up once the second is over', async () => {
  let now = 0;
  const waits: number[] = [];
  const pace = createPace({ perSecond: 2, now: () => now, sleep: async (ms) => void waits.push(ms) });
  await pace();
  now = 400;
  await pace();
  now = 900;
  await pace();
  now = 1500;
  await pace();
  now = 9000;
  await pace();
  expect(waits).toEqual([100]);
});

it('gives the signal to whoever waits', async () => {
  const { signal } = new AbortController();
  const given: unknown[] = [];
  const pace = createPace({ perSecond: 1, now: () => 0, sleep: async (_ms, seen) => void given.push(seen) });
  await pace(signal);
  await pace(signal);
  expect(given).toEqual([signal]);
});
