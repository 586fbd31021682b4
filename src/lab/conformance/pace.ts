import { setTimeout as pause } from 'node:timers/promises';

/** Resolves when the next request may go: at most `rate` a second, evenly spaced. */
export function createPace(rate = Infinity): () => Promise<void> {
  const gapMs = 1000 / rate;
  let nextAt = 0;
  return async () => {
    const now = performance.now();
    const at = Math.max(now, nextAt);
    nextAt = at + gapMs;
    if (at > now) await pause(at - now);
  };
}
