/** Work that nobody waits for where it began. */
export interface Background {
  run(work: Promise<unknown>): void;
  /** Resolves when all of it is done; rejects if any of it failed. */
  settled(): Promise<void>;
}

export function createBackground(): Background {
  const running = new Set<Promise<unknown>>();
  return {
    run(work) {
      running.add(work);
      work.then(
        () => running.delete(work),
        () => undefined, // stays for the one who asks
      );
    },
    async settled() {
      while (running.size > 0) {
        const all = [...running];
        for (const work of all) await work.finally(() => running.delete(work));
      }
    },
  };
}
