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
