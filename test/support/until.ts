import { setTimeout as sleep } from 'node:timers/promises';

const LONGEST_MS = 10_000;

/** Waits until a condition holds, and says what it waited for if it never does. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  longestMs = LONGEST_MS,
): Promise<void> {
  const started = performance.now();
  while (!(await holds())) {
    if (performance.now() - started > longestMs)
      throw new Error(`Waited ${longestMs} ms in vain until ${what}.`);
    await sleep(5);
  }
}
