import { attempt, introduce, showsEffects, type Attempt } from './attempt.ts';
import type { Exchange } from './exchange.ts';
import type { Case } from './plan.ts';
import type { EndpointUnderTest } from './rule.ts';
import { isUnreachable, type Backstage, type Control } from './stage.ts';
import type { Outcome } from './tell.ts';
import { describe, isAccepted } from './trials.ts';
import type { Stop } from './verdict.ts';
import { isGenuine, isHung, type Visit } from './visit.ts';
import type { Observation } from './wire.ts';

// Most of a run is waiting, so several cases are tried at once. What comes out must not depend on it: what has failed where
// another case may have been the cause is tried again alone, and only that counts. What would disturb others, or be
// disturbed, comes after them; what looks back at all replies comes last.

/** What the cases of a run share. */
export interface Run {
  readonly backstage: Backstage;
  /** How many cases at once. */
  readonly parallel: number;
  /** What went wrong with the suite itself, by case. */
  readonly broken: string[];
  readonly visit: (endpoint: EndpointUnderTest) => Visit;
  readonly tell: (one: Case, exchanges: readonly Exchange[], outcome: Outcome) => void;
  /** Whether so many have failed that no more are wanted. */
  readonly isEnough: () => boolean;
  /** Brings the receiver back after it has gone; false if it does not come. */
  readonly revive: (endpoint: EndpointUnderTest) => Promise<boolean>;
}

/** Tries all of them. Resolves with why there are no more than those that were told. @throws Interrupted */
export async function tryAll(run: Run, cases: readonly Case[]): Promise<Stop | undefined> {
  const unreachable = await introduceAll(run, cases);
  if (unreachable !== undefined) return unreachable;
  const turns = Map.groupBy(cases, turnOf);
  const schedule = new Schedule(run);
  await schedule.tryTogether(turns.get('together') ?? []);
  await schedule.tryAlone([...(turns.get('alone') ?? []), ...(turns.get('last') ?? [])]);
  const [broken] = run.broken;
  return schedule.stop ?? (broken === undefined ? undefined : { kind: 'broken', says: broken });
}

function turnOf({ rule }: Case): 'together' | 'alone' | 'last' {
  if (rule.group === 'U') return 'last';
  return rule.alone === true || rule.exhausting === true ? 'alone' : 'together';
}

async function introduceAll({ backstage, visit }: Run, cases: readonly Case[]): Promise<Stop | undefined> {
  for (const endpoint of new Set(cases.map((one) => one.endpoint))) {
    const observation = await introduce(backstage, endpoint);
    if (isUnreachable(observation) || tlsFailed(observation)) {
      const says = `Nothing answers at ${endpoint.url.origin} (${observation.trouble ?? ''}).`;
      return { kind: 'unreachable', says };
    }
    const isOpen = endpoint.sealed === true || isAccepted(observation);
    const isFine = isOpen && observation.trouble !== 'TIMEOUT';
    if (!isFine) visit(endpoint).closed = describe(observation);
  }
  return undefined;
}

/** As Node and OpenSSL name what keeps TLS from being set up: then nothing can be tried. */
function tlsFailed({ status, trouble = '' }: Observation): boolean {
  return (
    status === 0 && /^(?:ERR_(?:TLS|SSL)_|EPROTO|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(trouble)
  );
}

/** A case that has failed while others went on: any of them may have been the cause. */
interface Doubt {
  readonly one: Case;
  /** Nothing where it was not tried at all. */
  readonly attempted?: Attempt;
}

class Schedule {
  stop: Stop | undefined;
  readonly #run: Run;
  readonly #doubts: Doubt[] = [];
  /** Where an effect was missed: the others that look at effects are better tried when all is quiet. */
  readonly #missing = new Set<EndpointUnderTest>();

  constructor(run: Run) {
    this.#run = run;
  }

  async tryTogether(cases: readonly Case[]): Promise<void> {
    const { parallel } = this.#run;
    if (parallel === 1) return this.tryAlone(cases);
    const chains = chainsOf(cases).values();
    const work = async () => {
      for (const chain of chains) await this.#tryChain(chain);
    };
    const workers = await Promise.allSettled(Array.from({ length: parallel }, work));
    const broken = workers.find((worker) => worker.status === 'rejected');
    if (broken !== undefined) throw broken.reason;
    for (const doubt of this.#doubts) await this.#resolve(doubt);
  }

  async tryAlone(cases: readonly Case[]): Promise<void> {
    for (const one of cases) {
      if (!this.#isDone(one)) await this.#take(one, await attempt(one, this.#run.backstage));
    }
  }

  async #tryChain(chain: readonly Case[]): Promise<void> {
    const backstage = { ...this.#run.backstage, isBusy: true, controls: new Map<string, Control>() };
    for (const one of chain) await this.#tryBeside(one, backstage);
  }

  /** While others are tried. */
  async #tryBeside(one: Case, backstage: Backstage): Promise<void> {
    if (this.#isDone(one)) return;
    if (one.rule.level > 1 && this.#missing.has(one.endpoint)) {
      this.#doubts.push({ one });
      return;
    }
    const attempted = await attempt(one, backstage);
    if (!isDoubtful(one, attempted, backstage)) return this.#take(one, attempted);
    this.#run.visit(one.endpoint).watch(attempted.exchanges);
    this.#doubts.push({ one, attempted });
    if (one.rule.level > 1) this.#missing.add(one.endpoint);
    await this.#check(one, attempted);
  }

  /** Alone, and about events that the receiver has not seen; what cannot be found out so any more stays as it was. */
  async #resolve({ one, attempted }: Doubt): Promise<void> {
    const { backstage, visit } = this.#run;
    const isOver = this.stop !== undefined || visit(one.endpoint).closed !== undefined;
    if (isOver && attempted !== undefined) {
      this.#tell(one, attempted);
      return;
    }
    if (this.#isDone(one)) return;
    const again = await attempt(one, backstage, { again: true });
    const isTold = attempted === undefined || isConclusive(again);
    await this.#take(one, isTold ? again : attempted);
  }

  /** Without being tried. */
  #isDone(one: Case): boolean {
    if (this.stop !== undefined) return true;
    const skipped: Outcome | undefined =
      one.skipped === undefined
        ? this.#run.visit(one.endpoint).settled(one)
        : { outcome: 'skipped', expected: '', observed: '', reason: one.skipped, ms: 0 };
    if (skipped !== undefined) this.#run.tell(one, [], skipped);
    return skipped !== undefined;
  }

  async #take(one: Case, attempted: Attempt): Promise<void> {
    // The others that were under way when enough had failed.
    if (this.stop?.kind === 'too many failures') return;
    const { id, endpoint, rule } = one;
    const { backstage, visit } = this.#run;
    const at = visit(endpoint);
    at.watch(attempted.exchanges);
    at.note(one, attempted);
    this.#tell(one, attempted);
    await this.#check(one, attempted);
    const { outcome, ms } = attempted.outcome;
    const isMissing = rule.level > 1 && outcome === 'failed' && ms >= backstage.patienceMs;
    if (this.stop === undefined && isMissing && !(await showsEffects(backstage, endpoint, id)))
      at.unseen ??= `no effect of a genuine delivery is seen after ${id}`;
  }

  #tell(one: Case, { outcome, exchanges, broken }: Attempt): void {
    this.#run.tell(one, exchanges, outcome);
    if (broken !== undefined) this.#run.broken.push(broken);
  }

  /** Whether it is worth going on after it, at its endpoint and at all. */
  async #check(one: Case, { gone, exchanges }: Attempt): Promise<void> {
    const { backstage, visit, revive, isEnough } = this.#run;
    const { id, endpoint } = one;
    if (gone && !(await revive(endpoint))) this.stop ??= { kind: 'gone', caseId: id };
    if (isEnough()) this.stop ??= { kind: 'too many failures', caseId: id };
    const isBlocked = exchanges.some((exchange) => isGenuine(exchange) && isHung(exchange));
    if (this.stop !== undefined || gone || !isBlocked) return;
    const observation = await introduce(backstage, endpoint);
    if (isHung({ observation }))
      visit(endpoint).closed ??= `a genuine request has no whole reply in time since ${id}`;
  }
}

/** Others may have kept back what was missed: an effect, a reply, room for one more, or the rest of the request itself. */
function isDoubtful(
  { rule }: Case,
  { outcome, exchanges, gone }: Attempt,
  { patienceMs }: Backstage,
): boolean {
  if (outcome.outcome !== 'failed' && outcome.outcome !== 'inconclusive') return false;
  const isOdd = (exchange: Exchange) => {
    const { status, trouble } = exchange.observation;
    return status === 429 || status === 408 || (trouble === 'TIMEOUT' ? isGenuine(exchange) : status === 0);
  };
  return gone || (rule.level > 1 && outcome.ms >= patienceMs) || exchanges.some(isOdd);
}

function isConclusive({ outcome: { outcome } }: Attempt): boolean {
  return outcome !== 'inconclusive' && outcome !== 'skipped';
}

const LONGEST_CHAIN = 60;

/** Cases that are tried one after the other: of one endpoint, all trials of a rule; the endpoints take turns. */
function chainsOf(cases: readonly Case[]): Case[][] {
  const byEndpoint = [...Map.groupBy(cases, ({ endpoint }) => endpoint).values()].map(cut);
  const most = Math.max(0, ...byEndpoint.map(({ length }) => length));
  return Array.from({ length: most }, (_, at) =>
    byEndpoint.flatMap((chains) => chains.slice(at, at + 1)),
  ).flat();
}

function cut(cases: readonly Case[]): Case[][] {
  const chains: Case[][] = [];
  for (const ofRule of Map.groupBy(cases, ({ rule }) => rule).values()) {
    const last = chains.at(-1);
    if (last !== undefined && last.length + ofRule.length <= LONGEST_CHAIN) last.push(...ofRule);
    else chains.push(ofRule);
  }
  return chains;
}
