import { setTimeout as pause } from 'node:timers/promises';
import { CallFailed } from './errors.ts';

export type RetryOptions = Waits & {
  /** In all, the first one included. */
  readonly attempts: number;
  /** Which failures are tried again; without it, those that may be over in a moment. */
  readonly retryOn?: (error: unknown) => boolean;
  readonly signal?: AbortSignal | undefined;
  /** A longer Retry-After is cut to this: a longer wait should not hold up a worker. */
  readonly maxRetryAfterMs?: number;
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** In [0, 1); for the jitter. */
  readonly random?: () => number;
};

type Waits =
  | {
      /** After the first attempt, the second one, and so on; the last one is repeated. */
      readonly delaysMs: readonly number[];
    }
  | {
      /** Twice as long each time, and of that a random part from half to all, so that many do not come back together. */
      readonly backoff: { readonly baseMs: number; readonly capMs: number };
    };

const MAX_RETRY_AFTER_MS = 30_000;

/**
 * Makes a call until it succeeds, fails for good, or has failed often enough; then its last error is thrown. Waits as
 * told, or as long as the reply asked. Only for calls that do no harm when made twice.
 */
export async function withRetries<Result>(
  call: (attempt: number) => Promise<Result>,
  options: RetryOptions,
): Promise<Result> {
  const { attempts, retryOn = isTemporary, signal, sleep = sleepUnlessAborted } = options;
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await call(attempt);
    } catch (error) {
      if (attempt >= attempts || signal?.aborted || !retryOn(error)) throw error;
      await sleep(waitMs(attempt, error, options), signal);
    }
  }
}

const TEMPORARY_STATUSES = [408, 425, 429, 500, 502, 503, 504];

/** Whether a failed call may well succeed a moment later. */
export function isTemporary(error: unknown): boolean {
  if (!(error instanceof CallFailed)) return false;
  const { code, status = 0 } = error;
  if (code === 'status') return TEMPORARY_STATUSES.includes(status);
  return code === 'late' || code === 'connection' || code === 'truncated';
}

function waitMs(attempt: number, error: unknown, options: RetryOptions): number {
  const asked = error instanceof CallFailed ? (error.retryAfterMs ?? 0) : 0;
  const { maxRetryAfterMs = MAX_RETRY_AFTER_MS } = options;
  return Math.max(plannedMs(attempt, options), Math.min(asked, maxRetryAfterMs));
}

function plannedMs(attempt: number, options: RetryOptions): number {
  if ('delaysMs' in options) return options.delaysMs[attempt - 1] ?? options.delaysMs.at(-1) ?? 0;
  const { backoff, random = Math.random } = options;
  const full = Math.min(backoff.capMs, backoff.baseMs * 2 ** (attempt - 1));
  return Math.round((full * (1 + random())) / 2);
}

/** Rejects with the signal's reason once it aborts. */
export async function sleepUnlessAborted(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await pause(ms, undefined, { signal });
  } catch (interrupted) {
    signal?.throwIfAborted();
    throw interrupted;
  }
}
