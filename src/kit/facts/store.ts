/** How often something was seen of the deliveries that came to one endpoint. */
export interface Count {
  /** Name of the source. */
  readonly source: string;
  /** Path of the endpoint. */
  readonly endpoint: string;
  /** Id of a fact, or what drift is counted under (see drift.ts). */
  readonly fact: string;
  readonly variant: string;
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly first: number;
  readonly last: number;
}

/** Counted of every endpoint, besides facts and drift. */
export const DELIVERIES = 'deliveries';
export const CAME = 'came';
export const EXAMINED = 'looked at';
/** Event types that its source does not have. */
export const EVENT = 'event';

/** Where counts are kept, beside the inbox: memory, a file, a table. */
export interface FactStore {
  /** Adds to what is kept under the same names. */
  add(counts: readonly Count[]): Promise<void>;
  read(): Promise<readonly Count[]>;
  close(): Promise<void>;
}

/** What a count is of. */
function nameOf({ source, endpoint, fact, variant }: Omit<Count, 'count' | 'first' | 'last'>): string {
  return [source, endpoint, fact, variant].join('\n');
}

/** Adds counts to others of the same names. */
export function addTo(kept: Map<string, Count>, counts: Iterable<Count>): void {
  for (const count of counts) {
    const name = nameOf(count);
    const before = kept.get(name);
    kept.set(name, before === undefined ? count : sum(before, count));
  }
}

export function sum(one: Count, other: Count): Count {
  return {
    ...one,
    count: one.count + other.count,
    first: Math.min(one.first, other.first),
    last: Math.max(one.last, other.last),
  };
}

export function createMemoryStore(): FactStore {
  const kept = new Map<string, Count>();
  return {
    add: async (counts) => addTo(kept, counts),
    read: async () => [...kept.values()],
    close: async () => undefined,
  };
}
