import type { CaseEnded } from '../../src/lab/conformance/result.ts';
import type { Certificates } from '../support/certificates.ts';
import { villains } from './all.ts';
import { tryReceiver } from './try.ts';
import type { Villain } from './villain.ts';

/** What a rule came to at the endpoints of one source. */
export type Outcome = CaseEnded['outcome'];

/** What the rules that claim a villain made of it. */
export interface MatrixRow {
  readonly villain: Villain;
  /** By rule and source. */
  readonly outcomes: ReadonlyMap<string, ReadonlyMap<string, Outcome>>;
  /** Each case in a line, for whoever must find out why nothing was found. */
  readonly told: readonly string[];
}

/** Enough of each source for every rule to apply somewhere, and for those that need a second endpoint. */
const endpoints = [
  'hotdocs/NewWorkItemVersionComplete',
  'hotdocs/CustomInterviewEvent',
  'hotdocs/ActionLink',
  'phenixid/OrderCreated',
  'risr/user_logged_in',
  'risr/booking_updated',
];

/** Rules about every reply look at those that other rules have brought about. */
const provoking = ['A14-parts', 'A28-again', 'B1-missing', 'B9-body-changed', 'H1-method'];

/** Much of the time is spent waiting for replies that do not come. */
const AT_ONCE = 12;

/** Tries every villain with the rules that claim it; those that speak TLS only with certificates to do so. */
export async function tryVillains(certificates: Certificates | undefined): Promise<readonly MatrixRow[]> {
  const candidates = villains.filter(({ secure }) => secure !== true || certificates !== undefined);
  const found = new Map(candidates.map((villain) => [villain, new Array<CaseEnded>()]));
  const left = candidates
    .flatMap((villain) => trialsOf(villain).map((trial) => ({ villain, ...trial })))
    .values();
  const work = async () => {
    for (const { villain, rule, source } of left) {
      found.get(villain)?.push(...(await tryVillain(villain, rule, source, certificates)));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const rows: MatrixRow[] = [];
  for (const [villain, cases] of found) {
    const row = rowOf(villain, cases);
    const isMissed = missedBy(row).length + unseenAt(row).length > 0;
    rows.push(isMissed ? await tryAlone(villain, certificates) : row);
  }
  return rows;
}

function trialsOf({ claimedBy, sources }: Villain) {
  return claimedBy.flatMap((rule) => sources.map((source) => ({ rule, source })));
}

/** Who keeps the processor busy hides others. */
async function tryAlone(villain: Villain, certificates: Certificates | undefined): Promise<MatrixRow> {
  const cases: CaseEnded[] = [];
  for (const { rule, source } of trialsOf(villain))
    cases.push(...(await tryVillain(villain, rule, source, certificates)));
  return rowOf(villain, cases);
}

function rowOf(villain: Villain, cases: readonly CaseEnded[]): MatrixRow {
  const told = cases.map(({ id, outcome, observed }) => `${id}: ${outcome}: ${observed}`);
  return { villain, outcomes: outcomesOf(cases), told };
}

/** With one rule at the endpoints of one source, until it is found out. */
async function tryVillain(
  villain: Villain,
  rule: string,
  source: string,
  certificates: Certificates | undefined,
): Promise<readonly CaseEnded[]> {
  const { kind, key, secondKey, unset, patienceMs, secure } = villain;
  const isUniversal = rule.startsWith('U');
  const { cases } = await tryReceiver({
    start: (credentials, certified) => villain.start(credentials, certified),
    sources: [source],
    endpoints,
    kind,
    key,
    secondKey,
    unset,
    patienceMs,
    certificates: secure === true ? certificates : undefined,
    only: isUniversal ? [rule, ...provoking] : [rule],
    level: 3,
    exhausting: true,
    parallel: 1,
    maxFailures: isUniversal ? Infinity : 1,
  });
  return cases.filter((ended) => ended.rule.id === rule);
}

const worst: readonly Outcome[] = ['failed', 'inconclusive', 'warned', 'waived', 'passed', 'skipped'];

function outcomesOf(cases: readonly CaseEnded[]): MatrixRow['outcomes'] {
  const outcomes = new Map<string, Map<string, Outcome>>();
  for (const { rule, endpoint, outcome } of cases) {
    const [source = ''] = endpoint.split(/[/?]/);
    const bySource = outcomes.get(rule.id) ?? new Map<string, Outcome>();
    const before = bySource.get(source) ?? 'skipped';
    bySource.set(source, worst.indexOf(outcome) < worst.indexOf(before) ? outcome : before);
    outcomes.set(rule.id, bySource);
  }
  return outcomes;
}

/** Rules that claim a villain and do not find it out anywhere. */
export function missedBy({ villain, outcomes }: MatrixRow): string[] {
  const { claimedBy, outcome = 'failed' } = villain;
  return claimedBy.filter((rule) => ![...(outcomes.get(rule)?.values() ?? [])].includes(outcome));
}

/** Sources whose deliveries a villain gets wrong, and none of its rules sees it. */
export function unseenAt({ villain, outcomes }: MatrixRow): string[] {
  const { sources, outcome = 'failed' } = villain;
  const seen = [...outcomes.values()].flatMap((bySource) =>
    [...bySource].flatMap(([source, came]) => (came === outcome ? [source] : [])),
  );
  return sources.filter((source) => !seen.includes(source));
}
