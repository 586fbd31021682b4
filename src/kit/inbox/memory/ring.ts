/** Holds the last few items, in the order in which they came. */
export interface Ring<Item> {
  /** Returns the one that falls out for it. */
  push(item: Item): Item | undefined;
  /** Takes out what is wanted, oldest first, up to the limit. */
  take(isWanted: (item: Item) => boolean, limit: number): Item[];
}

export function createRing<Item>(size: number): Ring<Item> {
  const slots: (Item | undefined)[] = [];
  let next = 0;

  function push(item: Item): Item | undefined {
    const oldest = slots[next];
    slots[next] = item;
    next = (next + 1) % size;
    return oldest;
  }

  function take(isWanted: (item: Item) => boolean, limit: number): Item[] {
    const taken: Item[] = [];
    for (let step = 0; step < slots.length && taken.length < limit; step++) {
      const at = (next + step) % slots.length;
      const item = slots[at];
      if (item === undefined || !isWanted(item)) continue;
      taken.push(item);
      slots[at] = undefined;
    }
    return taken;
  }

  return { push, take };
}
