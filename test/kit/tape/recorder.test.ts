import { expect, it } from '@jest/globals';
import { createLog } from '../../../src/kit/log.ts';
import { createMemoryTapeStore } from '../../../src/kit/tape/memory.ts';
import { StoredTapeRecorder } from '../../../src/kit/tape/recorder.ts';
import { surplus, type Taped, type TapeStore } from '../../../src/kit/tape/tape.ts';

const taped: Taped = {
  at: Date.now(),
  from: undefined,
  method: 'POST',
  target: '/phenixid',
  httpVersion: '1.1',
  headers: [],
  body: Buffer.alloc(10),
  whole: true,
  endpoint: '/phenixid',
  outcome: 'proof_mismatch',
  seq: undefined,
  why: undefined,
};

function recorderOf(store: TapeStore) {
  const log = createLog('silent');
  return new StoredTapeRecorder(store, { all: false, keepMs: 1_000, key: () => undefined, log });
}

it('forgets what is old also where nothing can be written', async () => {
  const store = createMemoryTapeStore();
  const recorder = recorderOf({ ...store, write: () => Promise.reject(new Error('The disk is full.')) });
  await store.write(taped, Date.now() - 60_000, Buffer.alloc(10));
  recorder.record(taped);
  await recorder[Symbol.asyncDispose]();
  expect(await store.list()).toEqual([]);
});

it('does not hold up the end of its process where its store stands still', async () => {
  const recorder = recorderOf({ ...createMemoryTapeStore(), write: () => new Promise(() => undefined) });
  recorder.record(taped);
  const started = performance.now();
  await recorder[Symbol.asyncDispose]();
  expect(performance.now() - started).toBeLessThan(4_000);
}, 10_000);

it('keeps its bounds when many groups are filled, and something of each', () => {
  const groups = Array.from({ length: 100 }, (_, count) => ({
    endpoint: `/${count}`,
    outcome: 'proof_mismatch' as const,
  }));
  const size = 1_048_576;
  const stored = groups.flatMap((group, count) =>
    Array.from({ length: 8 }, (_, at) => ({ number: 8 * count + at, group, at, size })),
  );
  const gone = new Set(surplus(stored, 0));
  const kept = stored.filter(({ number }) => !gone.has(number));
  expect(kept.length * size).toBeLessThanOrEqual(256 * 1_048_576);
  expect(new Set(kept.map(({ group }) => group)).size).toBe(100);
});

it('counts the heads of what waits to be written as well as its bodies', async () => {
  const recorder = recorderOf(createMemoryTapeStore());
  const other = { endpoint: '/risr/profile_updated', outcome: 'proof_mismatch' } as const;
  const large = 'x'.repeat(5 * 1_048_576);
  for (let count = 0; count < 3; count += 1) recorder.record({ ...taped, headers: ['X-Large', large] });
  expect(recorder.wants(other)).toBe(true);
  recorder.record({ ...taped, target: large });
  expect(recorder.wants(other)).toBe(false);
  await recorder[Symbol.asyncDispose]();
});
