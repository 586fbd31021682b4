import { setTimeout as sleep } from 'node:timers/promises';

/** No wait comes near it, on whatever machine. */
const LONGEST_MS = 120_000;

/** Waits until a condition holds, and says what it waited for if it never does. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const started = performance.now();
  while (!(await holds())) {
    if (performance.now() - started > LONGEST_MS) throw new Error(`Waited in vain until ${what}.`);
    await sleep(5);
  }
}
