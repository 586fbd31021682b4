import { setTimeout as sleep } from 'node:timers/promises';
import { addTo, type Count, type FactStore } from './store.ts';

/** Counts in memory what is then kept, a second later and all at once. */
export interface Tally {
  count(of: Pick<Count, 'source' | 'endpoint' | 'fact' | 'variant'>, at: number): void;
  /** Resolves when all of it is kept, or could not be. */
  settled(): Promise<void>;
}

export interface TallyOptions {
  /** What is kept already. */
  readonly kept: readonly Count[];
  /** How many variants of a fact one endpoint may have. */
  readonly mostOf: (fact: string) => number;
  readonly onFailure: (error: unknown) => void;
}

/** Further variants than a fact may have are counted as these. */
export const OTHERS = 'others';

/** At most once in this time something is written. */
const PAUSE_MS = 1_000;
const PLAIN = /^[\x20-\x7e]{1,160}$/;

export function createTally(store: Pick<FactStore, 'add'>, { kept, mostOf, onFailure }: TallyOptions): Tally {
  const variants = new Map<string, Set<string>>();
  for (const count of kept) variantsOf(count).add(count.variant);
  const pending = new Map<string, Count>();
  const stopping = new AbortController();
  let writing: Promise<void> | undefined;

  function variantsOf({ source, endpoint, fact }: Pick<Count, 'source' | 'endpoint' | 'fact'>): Set<string> {
    const name = [source, endpoint, fact].join('\n');
    const found = variants.get(name) ?? new Set();
    variants.set(name, found);
    return found;
  }

  /** So that no sender can fill memory or disk with what it writes. */
  function bounded(of: Parameters<Tally['count']>[0]): string {
    const there = variantsOf(of);
    if (there.has(of.variant)) return of.variant;
    if (there.size >= mostOf(of.fact) || !PLAIN.test(of.variant)) return OTHERS;
    there.add(of.variant);
    return of.variant;
  }

  async function write(): Promise<void> {
    const counts = [...pending.values()];
    pending.clear();
    try {
      if (counts.length > 0) await store.add(counts);
    } catch (error) {
      addTo(pending, counts); // what is counted under few names may well wait
      onFailure(error);
    }
  }

  async function writeSoon(): Promise<void> {
    await sleep(PAUSE_MS, undefined, { ref: false, signal: stopping.signal }).catch(() => undefined);
    await write();
    writing = undefined;
    if (pending.size > 0 && !stopping.signal.aborted) writing = writeSoon();
  }

  return {
    count(of, at) {
      if (stopping.signal.aborted) return;
      addTo(pending, [{ ...of, variant: bounded(of), count: 1, first: at, last: at }]);
      writing ??= writeSoon();
    },
    async settled() {
      stopping.abort();
      await writing;
      await write();
    },
  };
}
