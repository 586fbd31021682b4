/** Looks again and again: when it is woken, and after as long as the last look said. */
export interface Lookout {
  start(): void;
  readonly started: boolean;
  /** Looks now; while a look is under way, another one follows it. Resolves after the last one. */
  wake(): Promise<void>;
  /** Resolves when the look under way is over; there is no other. */
  stop(): Promise<void>;
}

/** `look` resolves with the milliseconds until the next look, and does not reject. */
export function createLookout(look: () => Promise<number>): Lookout {
  let started = false;
  let wanted = false;
  let looking: Promise<void> | undefined;
  let alarm: NodeJS.Timeout | undefined;

  async function lookWhileWanted(): Promise<void> {
    while (wanted && started) {
      wanted = false;
      clearTimeout(alarm);
      alarm = setTimeout(() => void wake(), await look()).unref();
    }
    looking = undefined;
  }

  async function wake(): Promise<void> {
    if (!started) return;
    wanted = true;
    await (looking ??= lookWhileWanted());
  }

  return {
    start() {
      started = true;
    },
    get started() {
      return started;
    },
    wake,
    async stop() {
      started = false;
      clearTimeout(alarm);
      await looking;
    },
  };
}
