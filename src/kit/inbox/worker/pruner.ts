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
  /** Milliseconds that have passed, however the clock is set. */
  readonly running?: () => number;
  /** Told how many entries one look found to forget, if any. */
  readonly onPruned: (count: number) => void;
  /** Told, once, by how many days the clock is ahead of all that is known: nothing is forgotten for a day. */
  readonly onDoubt?: (days: number) => void;
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
const DAY_MS = 86_400_000;
/** As long as few receivers hear nothing, and short beside the time for which keys are known. */
const FAR_AHEAD_MS = 30 * DAY_MS;

export function createPruner(options: PrunerOptions): Pruner {
  const { everyMs, onTrouble } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const isPlausible = createDoubt(options);

  async function pruneAgainAndAgain(): Promise<void> {
    while (!signal.aborted) {
      await look().catch(onTrouble);
      await pause(everyMs, signal);
    }
  }

  async function look(): Promise<void> {
    if (await isPlausible()) await pruneAll(options, signal);
  }

  const pruning = pruneAgainAndAgain();
  return {
    stop() {
      stopping.abort();
      return pruning;
    },
  };
}

/**
 * Whether the clock may be gone by. One that was set far ahead, for one start or while the process runs, would have
 * everything forgotten, and replays taken for new: after such a leap it must have gone on for a day. So what a receiver
 * knows that was switched off for long is forgotten a day later.
 */
function createDoubt({
  inbox,
  now = Date.now,
  running = () => performance.now(),
  onDoubt,
}: PrunerOptions): () => Promise<boolean> {
  let known: number | undefined;
  let knownAt = running();
  let told = false;
  return async () => {
    const time = now();
    known ??= (await newestTime(inbox)) ?? time;
    const passed = running() - knownAt;
    const ahead = time - known - passed;
    if (ahead > FAR_AHEAD_MS && passed < DAY_MS) {
      if (!told) onDoubt?.(Math.round(ahead / DAY_MS));
      told = true;
      return false;
    }
    [known, knownAt, told] = [time, running(), false];
    return true;
  };
}

async function newestTime(inbox: Inbox): Promise<number | undefined> {
  const [newest] = await inbox.list({ limit: 1 });
  return newest && Math.max(newest.receivedAt, newest.dueAt, newest.finishedAt ?? 0);
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
