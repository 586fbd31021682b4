/** A number from 0 up to but not including 1. Whatever the mock leaves to chance, it takes from one of these. */
export type Random = () => number;

/** Chance that can be repeated: the same seed gives the same numbers. Nothing secret may come from it. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  // mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A version 4 UUID. */
export function randomUuid(random: Random): string {
  const bytes = Buffer.from(Array.from({ length: 16 }, () => randomBelow(256, random)));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

/** Text of letters and digits. */
export function randomText(length: number, random: Random): string {
  return Array.from({ length }, () => LETTERS.charAt(randomBelow(LETTERS.length, random))).join('');
}

/** A whole number from 0 up to but not including `limit`. */
export function randomBelow(limit: number, random: Random): number {
  return Math.floor(random() * limit);
}

/** The same items in another order; two or more never stay as they were, unless all are the same. */
export function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const keyed = items.map((item) => ({ item, key: random() }));
  const result = keyed.toSorted((one, other) => one.key - other.key).map(({ item }) => item);
  const unmoved = result.every((item, index) => item === items[index]);
  return unmoved ? [...result.slice(1), ...result.slice(0, 1)] : result;
}
