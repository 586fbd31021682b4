/** What an operating system corrects all the time is no step. */
const STEP_MS = 1_000;

/**
 * The time of day that what waits is measured by. Where the system's clock is set back it goes on as if it had not been,
 * until the system's has caught up or was set forward again: else all that is due would stand still for as long.
 */
export function createSteadyClock(wall = () => Date.now(), running = () => performance.now()): () => number {
  let offset = wall() - running();
  let ahead = 0;
  return () => {
    const now = wall();
    const next = now - running();
    const step = Math.round(next - offset);
    offset = next;
    if (Math.abs(step) > STEP_MS) ahead = Math.max(0, ahead - step);
    return now + ahead;
  };
}
