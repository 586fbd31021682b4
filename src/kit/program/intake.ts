import { setTimeout as sleep } from 'node:timers/promises';
import { setMaxListeners } from 'node:events';
import { credentialVariable, isOpen } from '../endpoint/definition.ts';
import { messageOf, shuttingDown } from '../errors.ts';
import type { Calling } from '../handling/handle.ts';
import { createAddressOf } from '../http/address.ts';
import { createBodyBudget } from '../http/body-budget.ts';
import { createFailureCounter } from '../http/rate-limit.ts';
import { createRefusalLog, type RefusalLog } from '../http/refusal-log.ts';
import { createTaping } from '../http/taping.ts';
import { createRouter, type Route, type RouterOptions } from '../http/router.ts';
import { createSteadyClock } from '../inbox/inbox.ts';
import type { Inbox } from '../inbox/inbox.ts';
import { backoffMs } from '../inbox/worker/backoff.ts';
import type { Log, StepLog } from '../log.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { Tracing } from '../tracing.ts';
import type { TapeRecorder } from '../tape/recorder.ts';
import type { Config } from './config.ts';
import type { Door } from './door.ts';
import type { Metrics } from './operations/metrics.ts';

/** The half of the program that deliveries come to: it stores, and answers. The server in front of it is another's. */
export interface Intake {
  readonly route: Route;
  readonly refusals: RefusalLog;
  /** Every delivery from now on is received as this says; those that are under way, as before. */
  renew(config: Config, endpoints: readonly Endpoint[]): void;
  /** Resolves when nothing is running that began before its sender was answered. */
  settled(): Promise<void>;
  /** Still takes deliveries, but ends each connection with its next reply. */
  leave(): void;
  /**
   * Answers what is in flight within this time, and what still comes while the door in front closes; where it comes after
   * that, too, it is refused.
   */
  drain(withinMs: number, door: ClosingDoor | undefined): Promise<void>;
}

export type ClosingDoor = Pick<Door, 'close' | 'goesOn'>;

export interface IntakeParts {
  /** One for each endpoint of the configuration, in its order. */
  readonly endpoints: readonly Endpoint[];
  readonly calling: Calling;
  readonly inbox: Inbox;
  /** `undefined`: nothing is taped. */
  readonly tape: TapeRecorder | undefined;
  readonly log: Log;
  readonly observed?: RouterOptions['observed'];
  /** `undefined`: no steps are told. */
  readonly step?: StepLog | undefined;
  /** `undefined`: no spans are told. */
  readonly tracing?: Tracing | undefined;
  /** `undefined`: nothing is counted. */
  readonly metrics?: Pick<Metrics, 'received' | 'refused' | 'canary'> | undefined;
}

/** The last part of the time is for the replies to those whose handlers go on and on. */
const LAST_PART_MS = 1_000;

export function createIntake(atStart: Config, { calling, inbox, tape, log, ...parts }: IntakeParts): Intake {
  const { general } = atStart;
  const now = createSteadyClock();
  const background = createBackground(log);
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // one for each handler that somebody waits for is no leak
  const addressOf = createAddressOf(general.TRUST_PROXY_HOPS);
  const refusals = createRefusalLog(log, general.FAILED_PROOF_LIMIT, parts.metrics?.refused);
  const bodies = createBodyBudget(general.BODY_BUDGET_BYTES, addressOf);
  let phase: 'open' | 'leaving' | 'draining' = 'open';
  const options: Omit<RouterOptions, keyof Table> = {
    tools: {
      ...calling,
      inbox: parts.tracing?.inbox(inbox) ?? inbox,
      tracing: parts.tracing,
      handlerTimeoutMs: general.HANDLER_TIMEOUT_MS,
      retryAt: (attempts) => now() + backoffMs(attempts),
      afterwards: (work) => background.add(work),
      stopping: stopping.signal,
      inFlight: new Map(),
      step: parts.step,
    },
    countFailure: createFailureCounter(general.FAILED_PROOF_LIMIT, addressOf),
    addressOf,
    bodies,
    isDraining: () => phase === 'draining',
    isLeaving: () => phase !== 'open',
    ...{ log, refusals, observed: parts.observed, keepAliveMs: general.KEEP_ALIVE_MS },
    ...{ counted: parts.metrics?.received, countedCanary: parts.metrics?.canary, tracing: parts.tracing },
    taping: tape && createTaping(tape, bodies),
  };

  let current = createRouter({ ...options, ...tableOf(atStart, parts.endpoints) });

  return {
    route: (request, response) => current(request, response),
    refusals,
    renew(config, renewed) {
      current = createRouter({ ...options, ...tableOf(config, renewed) });
    },
    settled: () => background.settled(),
    leave() {
      phase = 'leaving';
    },
    async drain(withinMs, door) {
      phase = door?.goesOn === true ? 'draining' : 'leaving';
      const late = sleep(withinMs, undefined, { ref: false });
      await closeDoor(door, withinMs, stopping);
      await Promise.race([background.settled(), late]);
    },
  };
}

async function closeDoor(
  door: ClosingDoor | undefined,
  withinMs: number,
  stopping: AbortController,
): Promise<void> {
  // First of the two that look at the time: with none left, who waits is still answered before the door is shut.
  const handlers = setTimeout(
    () => {
      stopping.abort(shuttingDown());
    },
    withinMs - Math.min(LAST_PART_MS, withinMs / 2),
  );
  await door?.close(withinMs);
  clearTimeout(handlers);
}

type Table = Pick<RouterOptions, 'endpoints' | 'closed'>;

/** What is open, and the paths that wait for a secret, with the variable it is missing in. */
function tableOf({ endpoints: configs }: Config, endpoints: readonly Endpoint[]): Table {
  const all = endpoints.flatMap((endpoint, index) => {
    const config = configs[index];
    return config === undefined ? [] : [{ endpoint, config }];
  });
  const closed = all.filter(({ config }) => !isOpen(config));
  return {
    endpoints: all.filter(({ config }) => isOpen(config)).map(({ endpoint }) => endpoint),
    closed: new Map(
      closed.map(({ endpoint, config }) => [
        endpoint.definition.path,
        { endpoint, variable: credentialVariable(config) },
      ]),
    ),
  };
}

/** Work that goes on after its sender was answered. */
interface Background {
  add(work: Promise<void>): void;
  /** Resolves when all of it is over, failed or not. */
  settled(): Promise<void>;
}

function createBackground(log: Log): Background {
  const running = new Set<Promise<void>>();

  return {
    add(work) {
      const told = work
        .catch((error: unknown) => {
          log.error({ outcome: 'trouble', why: messageOf(error) });
        })
        .finally(() => running.delete(told));
      running.add(told);
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
