/** Looks once in this time, however many ask; the last answer is everybody's. */
export function every<Value>(everyMs: number, look: () => Promise<Value>): () => Promise<Value> {
  let last: Promise<Value> | undefined;
  let at = -Infinity;
  return () => {
    if (last === undefined || performance.now() - at >= everyMs) {
      at = performance.now();
      last = look();
    }
    return last;
  };
}

/** The same, one at a time: however many ask, the process has time for others in between. */
export function inTurn<Args extends readonly unknown[], Value>(
  look: (...args: Args) => Promise<Value>,
): (...args: Args) => Promise<Value> {
  let last: Promise<unknown> = Promise.resolve();
  return (...args) => {
    const next = last.then(() => look(...args));
    last = next.catch(() => undefined);
    return next;
  };
}
