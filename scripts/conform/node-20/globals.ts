// What every Node since 20.0 can do, and does under these names since 21 and 22 only.

const maps: { groupBy?: typeof Map.groupBy } = Map;
maps.groupBy ??= <Key, Item>(items: Iterable<Item>, keyOf: (item: Item, index: number) => Key) => {
  const groups = new Map<Key, Item[]>();
  let index = 0;
  for (const item of items) {
    const key = keyOf(item, index++);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
};

const addresses: { parse?: typeof URL.parse } = URL;
addresses.parse ??= (text, base) => (URL.canParse(text, base) ? new URL(text, base) : null);
