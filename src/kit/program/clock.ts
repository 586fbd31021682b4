import type { Log } from '../log.ts';

/** The time of day, and the time that has passed; both in milliseconds. */
export interface Clocks {
  readonly wall: () => number;
  readonly running: () => number;
}

const systemClocks: Clocks = { wall: () => Date.now(), running: () => performance.now() };

const LOOK_EVERY_MS = 1_000;
/** What an operating system corrects all the time is no step. */
const STEP_MS = 1_000;

/** Says in the log when the system's clock was set. Gives what ends that. */
export function watchClock(
  log: Log,
  { wall, running }: Clocks = systemClocks,
  everyMs = LOOK_EVERY_MS,
): () => void {
  let offset = wall() - running();
  const looking = setInterval(() => {
    const step = wall() - running() - offset;
    offset += step;
    if (Math.abs(step) > STEP_MS) log.warn({ outcome: 'trouble', why: told(Math.round(step / 1000)) });
  }, everyMs).unref();
  return () => {
    clearInterval(looking);
  };
}

function told(seconds: number): string {
  return seconds < 0
    ? `The clock of the system was set back by ${-seconds} s. What waits for its next attempt is tried in time all the same; ` +
        'tokens that were signed before may seem to come from the future: check the time service.'
    : `The clock of the system was set forward by ${seconds} s, or the machine slept for so long. Tokens that were signed ` +
        'before may be refused as stale: check the time service.';
}
