import type { StoredBytes, TapeStore } from './tape.ts';

/** Lives as long as its process, as an inbox in memory does. */
export function createMemoryTapeStore(): TapeStore {
  const kept = new Map<number, StoredBytes>();
  let last = 0;
  return {
    write(group, at, bytes) {
      last += 1;
      kept.set(last, { number: last, group, at, size: bytes.length, bytes });
      return Promise.resolve(last);
    },
    list: () => Promise.resolve([...kept.values()]),
    read: (number) => Promise.resolve(kept.get(number)),
    replace(stored, bytes) {
      kept.set(stored.number, { ...stored, size: bytes.length, bytes });
      return Promise.resolve();
    },
    remove(numbers) {
      for (const number of numbers) kept.delete(number);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}
