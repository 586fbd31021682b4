import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { attempt, type Attempted, type AttemptOptions, type Run } from './attempt.ts';
import { defaultBackoff, type Backoff } from './backoff.ts';
import { createSteadyClock } from '../inbox.ts';
import type { Entry, Inbox } from '../inbox.ts';
import { Lookout } from './lookout.ts';
import { Runs } from './runs.ts';

export interface WorkerOptions {
  readonly inbox: Inbox;
  readonly run: Run;
  /** How many handlers run at the same time. */
  readonly concurrency: number;
  /** After how many failed attempts an entry is a dead letter. */
  readonly maxAttempts: number;
  readonly handlerTimeoutMs: number;
  /** How long an aborted handler may take to end. Default one second. */
  readonly graceMs?: number;
  readonly backoff?: Backoff;
  /** Longer than a handler may block the event loop. Default one minute. */
  readonly leaseMs?: number;
  readonly onAttempt: (entry: Entry, attempted: Attempted) => void;
  /** Called when the inbox stops working, and not again before it works. */
  readonly onTrouble?: (error: unknown) => void;
  readonly now?: () => number;
  readonly random?: () => number;
}

/** Takes entries out of the inbox as they become due, and runs their handlers. */
export interface Worker {
  start(): void;
  /** Takes nothing new. What does not end by itself is aborted and given back, all within this time. */
  stop(withinMs: number): Promise<void>;
  /** Resolves when nothing is due and nothing runs here. Retries that are due later are not waited for. */
  idle(): Promise<void>;
}

/** By when a replay by another process is noticed at the latest; also how soon a lost inbox is asked again. */
const POLL_MS = 1_000;

export function createWorker(options: WorkerOptions): Worker {
  const { inbox, concurrency, onAttempt, leaseMs = 60_000, now = createSteadyClock() } = options;
  let { graceMs = 1_000 } = options;
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // one for each running handler is no leak
  let troubled = false;
  const onTrouble = (error: unknown) => {
    if (!troubled) options.onTrouble?.(error);
    troubled = true;
  };
  const attemptOptions: AttemptOptions = {
    backoff: defaultBackoff,
    random: Math.random,
    ...options,
    ...{ leaseMs, now, onTrouble },
    graceMs: () => graceMs,
  };
  const runs = new Runs({
    concurrency,
    renew: (entry) => inbox.renew(entry, leaseMs),
    attempt: (entry, onHandlerEnded) => attempt(entry, attemptOptions, stopping.signal, onHandlerEnded),
    onHandlerEnded: () => lookout.wakeInTurn(),
    onRecorded(entry, attempted) {
      onAttempt(entry, attempted);
      lookout.wakeInTurn();
    },
  });
  const onWorking = () => (troubled = false);
  const lookout: Lookout = new Lookout(() =>
    fillSlots({ inbox, leaseMs, now, runs, lookout, onWorking }).catch((error: unknown) => {
      onTrouble(error);
      return POLL_MS;
    }),
  );

  return {
    start() {
      inbox.onReady(() => void lookout.wake());
      lookout.start();
    },
    async stop(withinMs) {
      const patience = new AbortController();
      graceMs = Math.min(graceMs, withinMs / 2);
      const late = sleep(withinMs - graceMs, undefined, { signal: patience.signal }).catch(() => undefined);
      await Promise.race([Promise.all([lookout.stop(), ...runs.running]), late]);
      patience.abort();
      stopping.abort();
      const left = runs.suspects.splice(0).map((entry) => inbox.release(entry).catch(onTrouble));
      await Promise.all([...runs.running, ...left]);
    },
    async idle() {
      for (;;) {
        await lookout.wake();
        if (runs.running.size > 0) await Promise.race(runs.running);
        else if (runs.suspects.length > 0) continue;
        else if (!lookout.started || ((await inbox.nextDue()) ?? Infinity) > now()) return;
      }
    },
  };
}

interface Parts extends Pick<Required<WorkerOptions>, 'inbox' | 'leaseMs' | 'now'> {
  readonly runs: Runs;
  readonly lookout: Lookout;
  /** The inbox has answered. */
  readonly onWorking: () => void;
}

/** Returns the milliseconds until the next look. */
async function fillSlots({ inbox, leaseMs, now, runs, lookout, onWorking }: Parts): Promise<number> {
  if (lookout.started) await runs.tryAlone();
  if (runs.free() <= 0) return POLL_MS;
  const waitMs = runs.moreDue ? 0 : ((await inbox.nextDue()) ?? Infinity) - now();
  if (waitMs > 0) return Math.min(waitMs, POLL_MS);
  runs.moreDue = false; // also where the claim fails
  const limit = runs.free(); // more may have ended meanwhile
  const claimed = await inbox.claim({ limit, leaseMs });
  runs.moreDue = claimed.length === limit;
  onWorking();
  if (lookout.started) {
    for (const entry of claimed) runs.take(entry);
    await runs.tryAlone();
  } else {
    await Promise.all(claimed.map((entry) => inbox.release(entry)));
  }
  return POLL_MS;
}
