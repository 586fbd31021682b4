import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeadLetter, HandlerLate, Interrupted, shuttingDown } from '../../errors.ts';
import { describeFailure } from '../../failure.ts';
import { backoffMs, type Backoff } from './backoff.ts';
import { InboxUnavailable, shortNote, type Entry, type Inbox, type Result } from '../inbox.ts';

/** Reads an entry and calls its handler. What it resolves with is kept with the entry. */
export type Run = (entry: Entry, signal: AbortSignal) => Promise<Result>;

export interface AttemptOptions {
  readonly inbox: Inbox;
  readonly run: Run;
  readonly maxAttempts: number;
  readonly backoff: Backoff;
  readonly handlerTimeoutMs: number;
  /** How long an aborted handler may take to end, from now; then its attempt is over, even if the handler goes on. */
  readonly graceMs: () => number;
  /** Renewed in time while the handler runs. */
  readonly leaseMs: number;
  readonly now: () => number;
  readonly random: () => number;
  /** Told each time an outcome could not be recorded. */
  readonly onTrouble: (error: unknown) => void;
}

/** How one attempt ended, for the log. A handler interrupted by a shutdown ends with `retry`, its attempt uncounted. */
export interface Attempted {
  readonly outcome: 'done' | 'retry' | 'dead';
  readonly note: string | undefined;
  readonly ms: number;
}

type Ending = Omit<Attempted, 'ms'> & { readonly record: () => Promise<void> };

const ASK_AGAIN_MS = 1_000;

/** Runs the handler of a claimed entry once, within its time, and records the outcome. Never rejects. */
export async function attempt(
  entry: Entry,
  options: AttemptOptions,
  stopping: AbortSignal,
  /** Told when the handler has ended, in the turn in which its outcome is handed to the inbox. */
  onHandlerEnded: () => void,
): Promise<Attempted> {
  const startedAt = performance.now();
  const ending = await endingOf(entry, options, stopping);
  onHandlerEnded();
  const ms = Math.round(performance.now() - startedAt);
  const recorded = await recordPatiently(ending, options, stopping);
  if (recorded) return { outcome: ending.outcome, note: ending.note, ms };
  return { outcome: 'retry', note: `not recorded, so it will run again: ${ending.note ?? 'done'}`, ms };
}

async function endingOf(entry: Entry, options: AttemptOptions, stopping: AbortSignal): Promise<Ending> {
  if (stopping.aborted) return failed(entry, options, shuttingDown());
  if (entry.attempts > options.maxAttempts) return failed(entry, options, interruptedTooOften());
  try {
    return succeeded(entry, options, await runInTime(entry, options, stopping));
  } catch (thrown) {
    return failed(entry, options, thrown);
  }
}

/** It never came to an ending: the process ended each time, or its lease was lost. A handler may be what ends it. */
function interruptedTooOften(): Error {
  return new Error('the last attempt was interrupted. Does the handler end the process, or block it?');
}

/** @throws what the handler threw, HandlerLate, or Interrupted */
async function runInTime(entry: Entry, options: AttemptOptions, stopping: AbortSignal): Promise<Result> {
  const { run, handlerTimeoutMs, graceMs } = options;
  const over = new AbortController();
  const deadline = setTimeout(() => {
    over.abort(new HandlerLate(`not done within ${handlerTimeoutMs} ms`));
  }, handlerTimeoutMs);
  const renewal = keepLease(entry, options, over);
  const stop = () => {
    over.abort(shuttingDown());
  };
  stopping.addEventListener('abort', stop);
  try {
    return await untilAborted(run(entry, over.signal), over.signal, graceMs);
  } finally {
    clearTimeout(deadline);
    clearInterval(renewal);
    stopping.removeEventListener('abort', stop);
  }
}

/** A lease that is lost belongs to another worker by now: this one must not go on. */
function keepLease(entry: Entry, { inbox, leaseMs }: AttemptOptions, over: AbortController): NodeJS.Timeout {
  const renew = async () => {
    const held = await inbox.renew(entry, leaseMs).catch(() => true); // unavailable: asked again next time
    if (!held) over.abort(new Interrupted('the lease was lost to another worker'));
  };
  return setInterval(() => void renew(), leaseMs / 3).unref();
}

/** What the handler comes to. Once its signal has aborted it has a little longer, then the signal's reason is thrown. */
async function untilAborted<Value>(
  handling: Promise<Value>,
  signal: AbortSignal,
  graceMs: () => number,
): Promise<Value> {
  const settled = new AbortController();
  try {
    return await Promise.race([handling, graceOver(signal, graceMs, settled.signal)]);
  } catch (thrown) {
    // What an aborted handler throws is its way of stopping; only a dead letter is still news.
    if (!(thrown instanceof DeadLetter)) signal.throwIfAborted();
    throw thrown;
  } finally {
    settled.abort();
  }
}

async function graceOver(signal: AbortSignal, graceMs: () => number, settled: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort', { signal: settled });
  await sleep(graceMs(), undefined, { signal: settled });
  throw new Interrupted('the handler did not stop');
}

function succeeded(entry: Entry, { inbox }: AttemptOptions, result: Result): Ending {
  const note = result.note === undefined ? undefined : shortNote(result.note);
  return { outcome: 'done', note, record: () => inbox.done(entry, { ...result, note }) };
}

function failed(entry: Entry, options: AttemptOptions, thrown: unknown): Ending {
  const { inbox, maxAttempts, backoff, now, random } = options;
  if (thrown instanceof Interrupted) {
    return { outcome: 'retry', note: `interrupted: ${thrown.message}`, record: () => inbox.release(entry) };
  }
  const note = describeFailure(thrown);
  if (thrown instanceof DeadLetter || entry.attempts >= maxAttempts) {
    return { outcome: 'dead', note, record: () => inbox.bury(entry, note) };
  }
  const dueAt = now() + backoffMs(entry.attempts, random(), backoff);
  return { outcome: 'retry', note, record: () => inbox.retry(entry, note, dueAt) };
}

/** The handler's work is done whether or not it can be written down: rather wait for the disk than do it twice. */
async function recordPatiently(
  { record }: Ending,
  { onTrouble }: AttemptOptions,
  stopping: AbortSignal,
): Promise<boolean> {
  for (;;) {
    try {
      await record();
      return true;
    } catch (thrown) {
      onTrouble(thrown);
      if (stopping.aborted || !(thrown instanceof InboxUnavailable)) return false;
      await sleep(ASK_AGAIN_MS, undefined, { signal: stopping }).catch(() => undefined);
    }
  }
}
