/** How long an entry waits between its attempts. */
export interface Backoff {
  /** After the first attempt. */
  readonly baseMs: number;
  /** Each wait is this many times the one before. */
  readonly factor: number;
  readonly capMs: number;
}

/**
 * Waits of about 1 s, 5 s, 25 s, 2 min, 10 min, 52 min, 1 h: eight attempts outlast two hours of trouble, and what only
 * hiccuped is done in seconds.
 */
export const defaultBackoff: Backoff = { baseMs: 1_000, factor: 5, capMs: 3_600_000 };

/** The longest that an entry waits after so many failed attempts (0: none), for each number up to where it grows no more. */
export function longestWaits({ baseMs, factor, capMs } = defaultBackoff): readonly number[] {
  const waits = [0];
  for (let wait = baseMs; wait < capMs; wait *= factor) waits.push(wait);
  return [...waits, capMs];
}

/**
 * How long to wait after this failed attempt (first is 1). Up to a quarter is taken off at random, so that entries which
 * failed together do not come back together. `random` is in [0, 1).
 */
export function backoffMs(attempt: number, random = Math.random(), backoff = defaultBackoff): number {
  const full = Math.min(backoff.capMs, backoff.baseMs * backoff.factor ** (attempt - 1));
  return Math.round(full * (1 - random / 4));
}
