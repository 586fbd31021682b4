import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../kit/errors.ts';
import { Interrupted, introduce } from './attempt.ts';
import { createLedger } from './ledger.ts';
import { createPace } from './pace.ts';
import { planCases, type Case, type PlanOptions } from './plan.ts';
import type { CaseEnded, RunEnded, RunEvent } from './result.ts';
import type { EndpointUnderTest, Grade, Loan } from './rule.ts';
import { tryAll, type Run } from './schedule.ts';
import { isUnreachable, type Backstage, type Control, type Effects } from './stage.ts';
import { createTelling, type Waiver } from './tell.ts';
import { universalChecks } from './universal.ts';
import { endOf, type Stop } from './verdict.ts';
import { Visit } from './visit.ts';
import { exchange, type TlsOptions } from './wire.ts';

export interface RunOptions extends Omit<PlanOptions, 'hasProbe' | 'hasRestart' | 'loans'> {
  readonly seed: number;
  /** The grade that the receiver is to reach; `correct` unless given. */
  readonly grade?: Grade;
  /** The run ends when as many cases have failed. */
  readonly maxFailures?: number;
  /** Requests per second at most. */
  readonly rate?: number;
  readonly waivers?: readonly Waiver[];
  /** Asks the receiver's owner what it has done: level 2. */
  readonly probe?: () => Promise<Effects>;
  /** Kills the receiver and starts it again: level 3. */
  readonly restart?: () => Promise<void>;
  /** Has the receiver end as a supervisor would, and starts it again. */
  readonly terminate?: () => Promise<void>;
  /** Where the receiver is asked how it is. */
  readonly health?: URL;
  /** Folder for the bytes of all requests. They hold proofs; an access token is its own proof. */
  readonly keep?: string;
  readonly tls?: TlsOptions;
  /** How long to wait for a reply at most; else as long as each sender would. */
  readonly timeoutMs?: number;
  /** Cases at once, {@link USUAL_PARALLEL} unless given; 1 for a receiver that must not be asked twice at a time. */
  readonly parallel?: number;
  /** For effects to show, counted from the last one that did: 5,000 unless given. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
  readonly version?: string;
  onEvent(event: RunEvent): void;
}

export const USUAL_PARALLEL = 4;

/** What an owner has lent of what only some rules need. */
function loansIn({ health, terminate }: Pick<RunOptions, Loan>): readonly Loan[] {
  const loans = { health, terminate };
  return (['health', 'terminate'] as const).filter((loan) => loans[loan] !== undefined);
}

const SAMPLED =
  'This was a sample, three cases of each rule for each sender: run all of them before you rely on it.';

/** Tries rules on a receiver, tells of each case as it ends, and resolves with the verdict. */
export async function runConformance(options: RunOptions): Promise<RunEnded> {
  const started = performance.now();
  const ended: CaseEnded[] = [];
  const finish = (stop: Stop | undefined): RunEnded => {
    const { says, ...rest } = endOf(ended, stop, options.grade);
    const words = options.quick === true ? `${says} ${SAMPLED}` : says;
    const end = { ...rest, says: words, ms: Math.round(performance.now() - started) };
    options.onEvent(end);
    return end;
  };
  try {
    const { probe, restart } = options;
    const cases = planCases({
      ...options,
      hasProbe: probe !== undefined,
      hasRestart: restart !== undefined,
      loans: loansIn(options),
    });
    options.onEvent(startOf(options, cases));
    return finish(await tryAll(createRun(options, ended), cases));
  } catch (error) {
    return finish(
      error instanceof Interrupted ? { kind: 'interrupted' } : { kind: 'broken', says: messageOf(error) },
    );
  }
}

function createRun(options: RunOptions, ended: CaseEnded[]): Run {
  const visits = new Map<string, Visit>();
  const visit = ({ name }: EndpointUnderTest) => {
    const known = visits.get(name) ?? new Visit();
    visits.set(name, known);
    return known;
  };
  const backstage = createBackstage(options, visit);
  const telling = createTelling(options);
  return {
    backstage,
    visit,
    parallel: options.parallel ?? USUAL_PARALLEL,
    broken: [],
    tell(one, exchanges, outcome) {
      const event = telling(one, exchanges, outcome);
      ended.push(event);
      options.onEvent(event);
    },
    isEnough() {
      const failures = ended.filter(({ outcome }) => outcome === 'failed').length;
      return failures >= (options.maxFailures ?? Infinity);
    },
    revive: createRevival(backstage),
  };
}

function createBackstage(options: RunOptions, visit: Run['visit']): Backstage {
  const pace = createPace(options.rate);
  const { probe, restart, terminate, health } = options;
  return {
    seed: options.seed,
    ledger: createLedger(universalChecks),
    patienceMs: options.patienceMs ?? 5_000,
    controls: new Map<string, Control>(),
    probe,
    restart,
    terminate,
    health,
    async carry(bytes, endpoint, method, { manner, tls, timeoutMs }) {
      await pace();
      if (options.signal?.aborted === true) throw new Interrupted();
      const usualMs = Math.min(endpoint.deadlineMs, options.timeoutMs ?? Infinity, visit(endpoint).longestMs);
      const all = tls === undefined ? options.tls : { ...options.tls, ...tls };
      return exchange(bytes, {
        url: endpoint.url,
        timeoutMs: timeoutMs ?? usualMs,
        tls: all,
        manner,
        method,
      });
    },
  };
}

const COMEBACK_TRIES = 20;
const COMEBACK_PAUSE_MS = 100;
const MOST_RESTARTS = 5;

/** Something may start a receiver again that has gone; else its owner may have lent a way to do so. */
function createRevival(backstage: Backstage): Run['revive'] {
  let restarts = 0;
  let underWay: Promise<boolean> | undefined;
  const comesBack = async (endpoint: EndpointUnderTest) => {
    for (let tries = 0; tries < COMEBACK_TRIES; tries += 1) {
      await pause(COMEBACK_PAUSE_MS);
      if (!isUnreachable(await introduce(backstage, endpoint))) return true;
    }
    return false;
  };
  const revive = async (endpoint: EndpointUnderTest) => {
    if (await comesBack(endpoint)) return true;
    if (backstage.restart === undefined || restarts >= MOST_RESTARTS) return false;
    restarts += 1;
    await backstage.restart();
    return comesBack(endpoint);
  };
  // Several cases may have seen that it is gone.
  return async (endpoint) => {
    underWay ??= revive(endpoint).finally(() => (underWay = undefined));
    return underWay;
  };
}

function startOf(
  { endpoints, level, grade = 'correct', seed, version = 'unknown' }: RunOptions,
  cases: readonly Case[],
): RunEvent {
  return {
    event: 'started',
    target: [...new Set(endpoints.map(({ url }) => url.origin))].join(' '),
    sources: [...new Set(endpoints.map(({ source }) => source.name))],
    level,
    grade,
    seed,
    cases: cases.filter(({ skipped }) => skipped === undefined).length,
    at: Date.now(),
    version,
  };
}
