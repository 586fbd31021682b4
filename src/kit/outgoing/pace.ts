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
