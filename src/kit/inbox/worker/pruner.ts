import { setTimeout as sleep } from 'node:timers/promises';
import type { Inbox } from '../inbox.ts';

export interface PrunerOptions {
  readonly inbox: Inbox;
  /** How long an entry is kept after it is done. Its key goes with it: let it outlast the sender's redeliveries. */
  readonly retentionMs: number;
  /** From the end of one look to the next. */
  readonly everyMs: number;
  readonly now?: () => number;
  /** Told how many entries one look found to forget, if any. */
  readonly onPruned: (count: number) => void;
  /** Told when a look failed; the next one comes as usual. */
  readonly onTrouble: (error: unknown) => void;
}

/** Forgets what has been done for long enough, again and again, from the moment it is created. */
export interface Pruner {
  /** Resolves when the step under way, if any, is over. */
  stop(): Promise<void>;
}

const STEP = 200;
const PAUSE_MS = 20;

export function createPruner(options: PrunerOptions): Pruner {
  const { everyMs, onTrouble } = options;
  const stopping = new AbortController();
  const { signal } = stopping;

  async function pruneAgainAndAgain(): Promise<void> {
    while (!signal.aborted) {
      await pruneAll(options, signal).catch(onTrouble);
      await pause(everyMs, signal);
    }
  }

  const pruning = pruneAgainAndAgain();
  return {
    stop() {
      stopping.abort();
      return pruning;
    },
  };
}

async function pruneAll(
  { inbox, retentionMs, now = Date.now, onPruned }: PrunerOptions,
  signal: AbortSignal,
): Promise<void> {
  let total = 0;
  try {
    for await (const count of pruneInSteps(inbox, now() - retentionMs, signal)) total += count;
  } finally {
    if (total > 0) onPruned(total);
  }
}

/**
 * Forgets all that was done before then (ms since 1970), few at a time, so that deliveries and handlers find the inbox
 * free in between. Yields how many each step forgot. @throws InboxUnavailable
 */
export async function* pruneInSteps(
  inbox: Inbox,
  finishedBefore: number,
  signal?: AbortSignal,
): AsyncGenerator<number, void, undefined> {
  while (signal?.aborted !== true) {
    const count = await inbox.prune({ finishedBefore, limit: STEP });
    yield count;
    if (count < STEP) return;
    await pause(PAUSE_MS, signal);
  }
}

/** Ends at once when the signal aborts. */
async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, signal && { signal }).catch(() => undefined);
}
