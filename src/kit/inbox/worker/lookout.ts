/** Looks when it is woken, and otherwise after the time that the last look gave. */
export interface Lookout {
  start(): void;
  readonly started: boolean;
  /** Looks now; while a look is under way, another one follows it. Resolves after the last one. */
  wake(): Promise<void>;
  /** No further look begins. Resolves when the one under way is over. */
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
