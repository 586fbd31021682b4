import { messageOf } from '../../kit/errors.ts';
import type { Exchange } from './exchange.ts';
import { createLedger } from './ledger.ts';
import { createPace } from './pace.ts';
import { gradeOf, planCases, type Case, type PlanOptions } from './plan.ts';
import type { CaseEnded, RunEnded, RunEvent } from './result.ts';
import { DoesNotApply, type EndpointUnderTest, type Finding, type Grade, type Loan } from './rule.ts';
import {
  createStage,
  isUnreachable,
  TargetGone,
  type Backstage,
  type Control,
  type Effects,
} from './stage.ts';
import { createTelling, type Outcome, type Waiver } from './tell.ts';
import { describe, isAccepted } from './trials.ts';
import { universalChecks } from './universal.ts';
import { endOf, type Stop } from './verdict.ts';
import { bytesOf, exchange, type Observation, type TlsOptions } from './wire.ts';

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
  /** For effects to show, counted from the last one that did: 5,000 unless given. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
  readonly version?: string;
  onEvent(event: RunEvent): void;
}

/** What an owner has lent of what only some rules need. */
function loansIn({ health, terminate }: Pick<RunOptions, Loan>): readonly Loan[] {
  const loans = { health, terminate };
  return (['health', 'terminate'] as const).filter((loan) => loans[loan] !== undefined);
}

class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** Tries rules on a receiver, tells of each case as it ends, and resolves with the verdict. */
export async function runConformance(options: RunOptions): Promise<RunEnded> {
  const started = performance.now();
  const ended: CaseEnded[] = [];
  const finish = (stop: Stop | undefined): RunEnded => {
    const end = { ...endOf(ended, stop, options.grade), ms: Math.round(performance.now() - started) };
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

interface Run {
  readonly options: RunOptions;
  readonly backstage: Backstage;
  readonly ended: CaseEnded[];
  /** Cases in a row, at this endpoint, in which a reply did not come to its end in time. */
  late: number;
  /** What went wrong with the suite itself, by case. */
  readonly broken: string[];
  tell(one: Case, exchanges: readonly Exchange[], outcome: Outcome): void;
}

function createRun(options: RunOptions, ended: CaseEnded[]): Run {
  const pace = createPace(options.rate);
  const backstage: Backstage = {
    seed: options.seed,
    ledger: createLedger(universalChecks),
    patienceMs: options.patienceMs ?? 5_000,
    controls: new Map<string, Control>(),
    probe: options.probe,
    restart: options.restart,
    terminate: options.terminate,
    health: options.health,
    async carry(bytes, endpoint, method, { manner, tls, timeoutMs }) {
      await pace();
      if (options.signal?.aborted === true) throw new Interrupted();
      const longestMs = timeoutMs ?? Math.min(endpoint.deadlineMs, options.timeoutMs ?? Infinity);
      const all = tls === undefined ? options.tls : { ...options.tls, ...tls };
      return exchange(bytes, { url: endpoint.url, timeoutMs: longestMs, tls: all, manner, method });
    },
  };
  const telling = createTelling(options);
  return {
    options,
    backstage,
    ended,
    late: 0,
    broken: [],
    tell(one, exchanges, outcome) {
      const event = telling(one, exchanges, outcome);
      ended.push(event);
      options.onEvent(event);
    },
  };
}

function startOf(
  { endpoints, level, grade = 'correct', seed, version = 'unknown' }: RunOptions,
  cases: readonly Case[],
): RunEvent {
  return {
    event: 'started',
    target: [...new Set(endpoints.map(({ url }) => url.origin))].join(' '),
    sources: [...new Set(endpoints.filter(({ sealed }) => sealed !== true).map(({ source }) => source.name))],
    level,
    grade,
    seed,
    cases: cases.filter(({ skipped }) => skipped === undefined).length,
    at: Date.now(),
    version,
  };
}

/** A receiver that lets every reply hang would take hours. */
const MOST_LATE = 10;

function isLate({ trouble }: Observation): boolean {
  return trouble === 'TIMEOUT';
}

async function tryAll(run: Run, cases: readonly Case[]): Promise<Stop | undefined> {
  const { options, ended } = run;
  const closed = new Map<EndpointUnderTest, string>();
  for (const endpoint of new Set(cases.map((one) => one.endpoint))) {
    const observation = await introduce(run, endpoint);
    if (isUnreachable(observation) || tlsFailed(observation)) {
      return {
        kind: 'unreachable',
        says: `Nothing answers at ${endpoint.url.origin} (${observation.trouble ?? ''}).`,
      };
    }
    const isOpen = endpoint.sealed === true || isAccepted(observation);
    if (!isOpen || isLate(observation)) closed.set(endpoint, describe(observation));
    run.late = 0;
    for (const one of cases.filter((candidate) => candidate.endpoint === endpoint)) {
      const stop = await tryOne(run, one, closed.get(endpoint));
      if (stop !== undefined) return stop;
      if (run.late >= MOST_LATE)
        closed.set(endpoint, `after ${MOST_LATE} cases in a row without a whole reply in time`);
      const failures = ended.filter(({ outcome }) => outcome === 'failed').length;
      if (failures >= (options.maxFailures ?? Infinity)) return { kind: 'too many failures', caseId: one.id };
    }
  }
  return run.broken[0] === undefined ? undefined : { kind: 'broken', says: run.broken[0] };
}

/** The first genuine request of an endpoint: without its being accepted nothing can be found out. */
async function introduce({ backstage }: Run, endpoint: EndpointUnderTest): Promise<Observation> {
  const stage = createStage(
    endpoint,
    { caseId: `introduction/${endpoint.name}`, grade: 'authentic' },
    backstage,
    [],
  );
  const request = await stage.genuine();
  return backstage.carry(bytesOf(request, endpoint.url), endpoint, request.method, {});
}

/** As Node and OpenSSL name what keeps TLS from being set up: then nothing can be tried. */
function tlsFailed({ status, trouble = '' }: Observation): boolean {
  return (
    status === 0 && /^(?:ERR_(?:TLS|SSL)_|EPROTO|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(trouble)
  );
}

async function tryOne(run: Run, one: Case, closed: string | undefined): Promise<Stop | undefined> {
  if (one.skipped !== undefined) {
    run.tell(one, [], { outcome: 'skipped', expected: '', observed: '', reason: one.skipped, ms: 0 });
    return undefined;
  }
  if (closed !== undefined) {
    const expected = 'a genuine request is accepted first';
    run.tell(one, [], { outcome: 'inconclusive', expected, observed: closed, ms: 0 });
    return undefined;
  }
  const exchanges: Exchange[] = [];
  const started = performance.now();
  const stage = createStage(one.endpoint, { caseId: one.id, grade: gradeOf(one) }, run.backstage, exchanges);
  const { finding, gone, broken } = await findingOf(() => one.trial.run(stage), one.id);
  run.tell(one, exchanges, { ...finding, ms: Math.round(performance.now() - started) });
  if (broken !== undefined) run.broken.push(broken);
  run.late = exchanges.some(({ observation }) => isLate(observation)) ? run.late + 1 : 0;
  if (gone && !(await comesBack(run, one.endpoint))) return { kind: 'gone', caseId: one.id };
  return undefined;
}

async function findingOf(
  run: () => Promise<Finding>,
  id: string,
): Promise<{ finding: Omit<Outcome, 'ms'>; gone: boolean; broken?: string }> {
  try {
    return { finding: await run(), gone: false };
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    if (error instanceof DoesNotApply) {
      return {
        finding: { outcome: 'skipped', expected: '', observed: '', reason: error.message },
        gone: false,
      };
    }
    if (!(error instanceof TargetGone)) {
      // Of the suite, not of the receiver; the other cases are worth trying all the same.
      const observed = `the suite itself failed: ${messageOf(error)}`;
      const finding = { outcome: 'inconclusive', expected: 'the case can be tried', observed } as const;
      return { finding, gone: false, broken: `${id}: ${messageOf(error)}` };
    }
    const observed = `nothing listens any more: ${error.message}`;
    return {
      finding: { outcome: 'failed', expected: 'the receiver goes on answering', observed },
      gone: true,
    };
  }
}

const COMEBACK_TRIES = 20;
const COMEBACK_PAUSE_MS = 100;

/** Something may start it again: then the rest is worth trying. */
async function comesBack(run: Run, endpoint: EndpointUnderTest): Promise<boolean> {
  for (let tries = 0; tries < COMEBACK_TRIES; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, COMEBACK_PAUSE_MS));
    if (!isUnreachable(await introduce(run, endpoint))) return true;
  }
  return false;
}
