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
