/** A binary heap: adding at the end of the order and looking at the first cost next to nothing, however many wait. */
export interface Heap<Item> {
  push(item: Item): void;
  /** The first of the order stays. */
  peek(): Item | undefined;
  /** Takes the first of the order. */
  pop(): Item | undefined;
}

export function createHeap<Item>(comesBefore: (a: Item, b: Item) => boolean): Heap<Item> {
  const items: Item[] = [];

  function push(item: Item): void {
    let at = items.push(item) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = items[above];
      if (parent === undefined || !comesBefore(item, parent)) break;
      items[at] = parent;
      at = above;
    }
    items[at] = item;
  }

  function pop(): Item | undefined {
    const first = items[0];
    const last = items.pop();
    if (last !== undefined && items.length > 0) sink(last);
    return first;
  }

  function sink(item: Item): void {
    let at = 0;
    for (;;) {
      const below = firstBelow(at);
      const child = items[below];
      if (child === undefined || !comesBefore(child, item)) break;
      items[at] = child;
      at = below;
    }
    items[at] = item;
  }

  function firstBelow(at: number): number {
    const left = 2 * at + 1;
    const [a, b] = [items[left], items[left + 1]];
    return a !== undefined && b !== undefined && comesBefore(b, a) ? left + 1 : left;
  }

  return { push, peek: () => items[0], pop };
}
