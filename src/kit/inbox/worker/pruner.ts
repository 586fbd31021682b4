import { setTimeout as sleep } from 'node:timers/promises';
import type { Inbox, PruneOptions } from '../inbox.ts';

export interface PrunerOptions {
  readonly inbox: Inbox;
  /** How long an entry is kept after it is done. */
  readonly retentionMs: number;
  /** How long after that time its key is known, if longer. Let it outlast whoever may have recorded the delivery. */
  readonly replayMs?: number;
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
  { inbox, retentionMs, replayMs = 0, now = Date.now, onPruned }: PrunerOptions,
  signal: AbortSignal,
): Promise<void> {
  let total = 0;
  try {
    const before = { finishedBefore: now() - retentionMs, keysBefore: now() - replayMs };
    for await (const count of pruneInSteps(inbox, before, signal)) total += count;
  } finally {
    if (total > 0) onPruned(total);
  }
}

/**
 * Forgets all that was done before then, few at a time, so that deliveries and handlers find the inbox
 * free in between. Yields how many each step forgot. @throws InboxUnavailable
 */
export async function* pruneInSteps(
  inbox: Inbox,
  before: Omit<PruneOptions, 'limit'>,
  signal?: AbortSignal,
): AsyncGenerator<number, void, undefined> {
  while (signal?.aborted !== true) {
    const count = await inbox.prune({ ...before, limit: STEP });
    yield count;
    if (count < STEP) return;
    await pause(PAUSE_MS, signal);
  }
}

/** Ends at once when the signal aborts. */
async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, signal && { signal }).catch(() => undefined);
}
