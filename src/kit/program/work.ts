import type { Config } from './config.ts';
import type { GeneralSettings } from './variables.ts';
import { messageOf } from '../errors.ts';
import { whyAndWhere } from '../failure.ts';
import type { Attempted, Run } from '../inbox/worker/attempt.ts';
import type { Entry, Inbox } from '../inbox/inbox.ts';
import { createPruner, type Pruner } from '../inbox/worker/pruner.ts';
import { createWorker } from '../inbox/worker/worker.ts';
import { called, logged, stepLog, type Log, type StepLog } from '../log.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { Calling } from '../handling/handle.ts';
import { runStored } from '../handling/run-stored.ts';
import type { Tracing } from '../tracing.ts';
import type { Metrics } from './operations/metrics.ts';

/** The half of the program that handles what was stored, and forgets it in the end. */
export interface Work {
  /** Resolves when nothing that is due is waiting, and nothing runs here. */
  idle(): Promise<void>;
  /** Takes nothing new. What does not come to its end is given back, all within this time. */
  stop(withinMs: number): Promise<void>;
}

export interface WorkParts {
  readonly endpoints: readonly Endpoint[];
  readonly calling: Calling;
  readonly inbox: Inbox;
  readonly log: Log;
  /** `undefined`: nothing is counted. */
  readonly metrics?: Pick<Metrics, 'attempted'> | undefined;
  /** `undefined`: no spans are told. */
  readonly tracing?: Tracing | undefined;
}

export function startWork(config: Config, parts: WorkParts): Work {
  const { general } = config;
  const { endpoints, calling, inbox, log, metrics, tracing } = parts;
  const worker = createWorker({
    inbox,
    run: toldOf(runStored(endpoints, calling), stepLog(log), tracing),
    concurrency: general.HANDLER_CONCURRENCY,
    maxAttempts: calling.maxAttempts,
    handlerTimeoutMs: general.HANDLER_TIMEOUT_MS,
    onAttempt: (entry, attempted) => {
      logAttempt(log, entry, attempted);
      metrics?.attempted(entry, attempted);
    },
    onTrouble: (error) => {
      log.error({ outcome: 'trouble', why: messageOf(error) });
    },
  });
  worker.start();
  const pruner = startPruner(general, parts);
  return {
    idle: () => worker.idle(),
    async stop(withinMs) {
      await Promise.all([pruner?.stop(), worker.stop(withinMs)]);
    },
  };
}

/** The line of an attempt comes when it has ended. */
function toldOf(run: Run, step: StepLog | undefined, tracing: Tracing | undefined): Run {
  if (step === undefined && tracing === undefined) return run;
  return (entry, signal) => {
    step?.(entry.request, 'handling', { seq: entry.seq, attempt: entry.attempts });
    return tracing?.handle(entry, () => run(entry, signal)) ?? run(entry, signal);
  };
}

export const DAY_MS = 86_400_000;
const PRUNE_EVERY_MS = 600_000;

function startPruner(general: GeneralSettings, { inbox, log }: WorkParts): Pruner | undefined {
  const retentionMs = general.RETENTION_DAYS * DAY_MS;
  if (retentionMs === 0) return undefined;
  return createPruner({
    inbox,
    retentionMs,
    replayMs: general.REPLAY_DAYS * DAY_MS,
    everyMs: Math.min(PRUNE_EVERY_MS, retentionMs),
    onPruned: (count) => {
      log.info({ outcome: 'pruned', count });
    },
    onDoubt: (days) => {
      log.warn({
        outcome: 'trouble',
        why:
          `The clock is ${days} days ahead of the newest entry: nothing is forgotten before this process has run for a day ` +
          'with it. If it is wrong, set it right.',
      });
    },
    onTrouble: (error) => {
      log.error({ outcome: 'trouble', why: `Old entries were not forgotten: ${messageOf(error)}` });
    },
  });
}

function logAttempt(log: Log, entry: Entry, { outcome, note, ms }: Attempted): void {
  const line = {
    source: entry.source,
    type: logged(entry.type),
    ...called(entry),
    outcome,
    seq: entry.seq,
    request: entry.request,
    attempt: entry.attempts,
    ms,
    ...whyAndWhere(note),
  };
  if (outcome === 'done') log.info(line);
  else if (outcome === 'retry') log.warn(line);
  else log.error(line);
}
