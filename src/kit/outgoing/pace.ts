/** Waits until the next call may start. */
export type Pace = (signal?: AbortSignal) => Promise<void>;

export interface PaceOptions {
  readonly perSecond: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

/** Lets only so many calls start in any one second, in the order in which they ask. */
export function createPace({ perSecond, now, sleep }: PaceOptions): Pace {
  const starts: number[] = [];
  return async (signal) => {
    const asked = now();
    const oldest = starts.length < perSecond ? undefined : starts.shift();
    const start = oldest === undefined ? asked : Math.max(asked, oldest + 1000);
    starts.push(start);
    if (start > asked) await sleep(start - asked, signal);
  };
}

/** Runs works of one key one after the other, in the order in which they came; those of other keys are not held up. */
export type Turns = <Result>(key: string, work: () => Promise<Result>) => Promise<Result>;

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return async (key, work) => {
    const before = last.get(key) ?? Promise.resolve();
    const mine = before.then(work);
    const over = mine.catch(() => undefined); // the next one's turn comes, however this one ended
    last.set(key, over);
    try {
      return await mine;
    } finally {
      if (last.get(key) === over) last.delete(key);
    }
  };
}
