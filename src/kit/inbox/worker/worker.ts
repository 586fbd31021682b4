import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { attempt, type Attempted, type AttemptOptions, type Run } from './attempt.ts';
import { defaultBackoff, type Backoff } from './backoff.ts';
import type { Entry, Inbox } from '../inbox.ts';

export interface WorkerOptions {
  readonly inbox: Inbox;
  readonly run: Run;
  /** So many handlers run at the same time. */
  readonly concurrency: number;
  /** After so many failed attempts an entry is a dead letter. */
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
  /** Takes nothing new. What does not come to its end is aborted and given back, all within this time. */
  stop(withinMs: number): Promise<void>;
  /** Resolves when nothing is due and nothing runs here. Retries that are due later are not waited for. */
  idle(): Promise<void>;
}

/** At most so long after it happened a replay by another process is noticed; also how soon a lost inbox is asked again. */
const POLL_MS = 1_000;

export function createWorker(options: WorkerOptions): Worker {
  const { inbox, concurrency, onAttempt, leaseMs = 60_000, now = Date.now } = options;
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  /** Claimed, and to be run when nothing else runs here. */
  const suspects: Entry[] = [];
  let aloneRuns = false;
  let { graceMs = 1_000 } = options;
  let started = false;
  let troubled = false;
  let wanted = false;
  let pumping: Promise<void> | undefined;
  let alarm: NodeJS.Timeout | undefined;

  setMaxListeners(0, stopping.signal); // one for each running handler is no leak

  const attemptOptions: AttemptOptions = {
    backoff: defaultBackoff,
    random: Math.random,
    ...options,
    ...{ leaseMs, now, onTrouble },
    graceMs: () => graceMs,
  };

  function onTrouble(error: unknown): void {
    if (!troubled) options.onTrouble?.(error);
    troubled = true;
  }

  /** Asks for a look into the inbox; while one is under way, for another one after it. */
  function wake(): Promise<void> {
    if (!started) return Promise.resolve();
    wanted = true;
    pumping ??= pump();
    return pumping;
  }

  async function pump(): Promise<void> {
    while (wanted && started) {
      wanted = false;
      clearTimeout(alarm);
      const waitMs = await fillSlots().catch(afterTrouble);
      alarm = setTimeout(wakeLater, waitMs).unref();
    }
    pumping = undefined;
  }

  function wakeLater(): void {
    void wake();
  }

  function afterTrouble(error: unknown): number {
    onTrouble(error);
    return POLL_MS;
  }

  /** Returns how long there is nothing to look for. */
  async function fillSlots(): Promise<number> {
    if (suspects.length > 0) await tryAlone();
    const limit = concurrency - running.size;
    if (limit <= 0 || suspects.length > 0 || aloneRuns) return POLL_MS;
    const waitMs = ((await inbox.nextDue()) ?? Infinity) - now();
    if (waitMs > 0) return Math.min(waitMs, POLL_MS);
    const claimed = await inbox.claim({ limit, leaseMs });
    troubled = false;
    if (started) claimed.forEach(take);
    else await Promise.all(claimed.map((entry) => inbox.release(entry)));
    if (suspects.length > 0) await tryAlone();
    return POLL_MS;
  }

  function take(entry: Entry): void {
    if (mayEndTheProcess(entry)) suspects.push(entry);
    else begin(entry);
  }

  /** What ended the process once may do it again: then nothing else is interrupted, and counted, with it. */
  async function tryAlone(): Promise<void> {
    if (running.size > 0 || !started) return;
    const suspect = suspects.shift();
    // Others may have taken it meanwhile: the ones before it had their time.
    if (suspect === undefined || !(await inbox.renew(suspect, leaseMs))) return;
    aloneRuns = true;
    begin(suspect);
  }

  function begin(entry: Entry): void {
    const ended = attempt(entry, attemptOptions, stopping.signal).then((attempted) => {
      running.delete(ended);
      aloneRuns = false;
      onAttempt(entry, attempted);
      wakeLater();
    });
    running.add(ended);
  }

  return {
    start() {
      started = true;
      inbox.onReady(wakeLater);
      wakeLater();
    },
    async stop(withinMs) {
      started = false;
      clearTimeout(alarm);
      const patience = new AbortController();
      graceMs = Math.min(graceMs, withinMs / 2);
      const late = sleep(withinMs - graceMs, undefined, { signal: patience.signal }).catch(() => undefined);
      await Promise.race([Promise.all([pumping, ...running]), late]);
      patience.abort();
      stopping.abort();
      const left = suspects.splice(0).map((entry) => inbox.release(entry).catch(onTrouble));
      await Promise.all([...running, ...left]);
    },
    async idle() {
      for (;;) {
        await wake();
        if (running.size > 0) await Promise.race(running);
        else if (suspects.length > 0) continue;
        else if (!started || ((await inbox.nextDue()) ?? Infinity) > now()) return;
      }
    },
  };
}

/** It ran when a process ended or hung, and nobody knows which of those that ran did that. */
function mayEndTheProcess({ attempts, note }: Entry): boolean {
  return attempts > 1 && note?.startsWith('interrupted') === true;
}
