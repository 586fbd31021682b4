import { setTimeout as sleep } from 'node:timers/promises';

/** Work that goes on after its sender was answered. */
export interface Background {
  add(work: Promise<void>): void;
  /** Resolves when all of it is over, failed or not. */
  settled(): Promise<void>;
  /** The same, but after this time at the latest. */
  settledWithin(ms: number): Promise<void>;
}

export function createBackground(onTrouble: (error: unknown) => void): Background {
  const running = new Set<Promise<void>>();

  async function settled(): Promise<void> {
    await Promise.all(running);
  }

  return {
    add(work) {
      const told = work.catch(onTrouble).finally(() => running.delete(told));
      running.add(told);
    },
    settled,
    async settledWithin(ms) {
      await Promise.race([settled(), sleep(ms, undefined, { ref: false })]);
    },
  };
}
