import { expect, it } from '@jest/globals';
import { CallFailed, CallRefused } from '../../../src/kit/outgoing/client.ts';
import { retryAfterMs } from '../../../src/kit/outgoing/errors.ts';
import { withRetries, type RetryOptions } from '../../../src/kit/outgoing/retry.ts';

const failed = (status: number, retryAfter?: number) =>
  new CallFailed('status', 'no', { status, retryAfterMs: retryAfter });

const asUsual: RetryOptions = { attempts: 4, delaysMs: [1000, 5000] };

/** A call that fails with each of these in turn and then succeeds, with time that stands still. */
async function played(errors: readonly Error[], options = asUsual) {
  const slept: number[] = [];
  let attempts = 0;
  const call = async (attempt: number) => {
    attempts = attempt;
    const error = errors[attempt - 1];
    if (error !== undefined) throw error;
    return 'done';
  };
  const sleep = async (ms: number) => void slept.push(ms);
  const result = await withRetries(call, { ...options, sleep }).catch((error: unknown) => error);
  return { result, slept, attempts };
}

it('returns what the call returns, without waiting', async () =>
  expect(await played([])).toEqual({ result: 'done', slept: [], attempts: 1 }));

it('waits as listed, the last wait again and again', async () =>
  expect(await played([failed(503), failed(503), failed(503)])).toEqual({
    result: 'done',
    slept: [1000, 5000, 5000],
    attempts: 4,
  }));

it('throws the last error when the attempts are used up', async () => {
  const last = failed(500);
  expect(await played([failed(503), failed(503), failed(503), last])).toEqual({
    result: last,
    slept: [1000, 5000, 5000],
    attempts: 4,
  });
});

it('waits twice as long each time up to the cap, with up to half taken off', async () => {
  const errors = [failed(503), failed(503), failed(503)];
  const doubling = { attempts: 4, backoff: { baseMs: 1000, capMs: 3000 } };
  const slow = await played(errors, { ...doubling, random: () => 1 });
  const fast = await played(errors, { ...doubling, random: () => 0 });
  expect([slow.slept, fast.slept]).toEqual([
    [1000, 2000, 3000],
    [500, 1000, 1500],
  ]);
});

it('waits as long as the reply asks, but no longer than it may', async () => {
  const errors = [failed(429, 7000), failed(503, 3_600_000), failed(429, 10)];
  expect((await played(errors, { ...asUsual, maxRetryAfterMs: 20_000 })).slept).toEqual([7000, 20_000, 5000]);
});

it.each([
  failed(400),
  failed(401),
  failed(403),
  failed(404),
  failed(409),
  failed(501),
  new CallFailed('too_large', 'no'),
  new CallFailed('encoded', 'no'),
  new CallFailed('tls', 'no'),
  new CallRefused('host_not_listed', 'no'),
  new TypeError('our own mistake'),
])('does not try again what will not pass: %s', async (error) =>
  expect(await played([error])).toEqual({ result: error, slept: [], attempts: 1 }),
);

it.each([
  failed(408),
  failed(429),
  failed(500),
  failed(502),
  failed(503),
  failed(504),
  new CallFailed('late', 'no'),
  new CallFailed('connection', 'no'),
  new CallFailed('truncated', 'no'),
])('tries again what may pass: %s', async (error) => expect((await played([error])).result).toBe('done'));

it('tries again what the caller wants to be tried again', async () => {
  const gone = failed(404);
  const retryOn = (error: unknown) => error === gone;
  expect((await played([gone, gone], { ...asUsual, retryOn })).result).toBe('done');
  expect((await played([failed(503)], { ...asUsual, retryOn })).attempts).toBe(1);
});

it('stops waiting when it is aborted, with the reason of that', async () => {
  const shutdown = new AbortController();
  const reason = new Error('shutting down');
  let calls = 0;
  const running = withRetries(
    async () => {
      calls++;
      throw failed(503);
    },
    { attempts: 3, delaysMs: [60_000], signal: shutdown.signal },
  );
  setTimeout(() => shutdown.abort(reason), 20);
  await expect(running).rejects.toBe(reason);
  expect(calls).toBe(1);
});

it('does not begin when it is already aborted', async () => {
  const reason = new Error('shutting down');
  const { result, attempts } = await played([], { ...asUsual, signal: AbortSignal.abort(reason) });
  expect([result, attempts]).toEqual([reason, 0]);
});

it.each([
  ['120', 120_000],
  ['0', 0],
  ['Fri, 31 Dec 1999 23:59:59 GMT', 59_000],
  ['Friday, 31-Dec-99 23:59:59 GMT', 59_000],
  ['Fri, 31 Dec 1999 23:00:00 GMT', 0],
  ['', undefined],
  ['-5', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['1999', 1_999_000],
  ['Fri, 99 Foo 1999 GMT', undefined],
  [undefined, undefined],
  [['1', '2'], undefined],
])('reads Retry-After: %j', (value, ms) =>
  expect(retryAfterMs(value, Date.UTC(1999, 11, 31, 23, 59, 0))).toBe(ms),
);
