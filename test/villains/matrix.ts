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
  /** Where all rules that claim it were tried. */
  readonly sources: readonly string[];
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

/** How much is tried. */
export interface Extent {
  /** All of it, and not a sample. */
  readonly isWhole: boolean;
}

/** Tries every villain with the rules that claim it; those that speak TLS only with certificates to do so. */
export async function tryVillains(
  certificates: Certificates | undefined,
  extent: Extent,
): Promise<readonly MatrixRow[]> {
  const chosen = villains
    .filter(({ secure }) => secure !== true || certificates !== undefined)
    .map((villain, at) => choose(villain, at, extent));
  const found = new Map(chosen.map((one) => [one, new Array<CaseEnded>()]));
  const left = chosen.flatMap((one) => trialsOf(one).map((trial) => ({ one, ...trial }))).values();
  const work = async () => {
    for (const { one, rule, way } of left)
      found.get(one)?.push(...(await tryVillain(one.villain, rule, way, certificates)));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const rows: MatrixRow[] = [];
  for (const [one, cases] of found) {
    const row = rowOf(one, cases);
    rows.push(isMissed(row) ? await tryAlone(one, certificates) : row);
  }
  return rows;
}

interface Chosen extends Pick<MatrixRow, 'villain' | 'sources'> {
  /** Each rule is tried at the sources of each way, one after the other, until it finds something. */
  readonly ways: readonly (readonly string[])[];
}

/** In a sample at one source, another for each villain, and at others what finds nothing there. */
function choose(villain: Villain, at: number, { isWhole }: Extent): Chosen {
  const { sources } = villain;
  if (isWhole) return { villain, sources, ways: sources.map((source) => [source]) };
  const first = at % sources.length;
  const way = [...sources.slice(first), ...sources.slice(0, first)];
  return { villain, sources: way.slice(0, 1), ways: [way] };
}

function trialsOf({ villain, ways }: Chosen) {
  return villain.claimedBy.flatMap((rule) => ways.map((way) => ({ rule, way })));
}

/** Who keeps the processor busy hides others. */
async function tryAlone(one: Chosen, certificates: Certificates | undefined): Promise<MatrixRow> {
  const cases: CaseEnded[] = [];
  for (const { rule, way } of trialsOf(one))
    cases.push(...(await tryVillain(one.villain, rule, way, certificates)));
  return rowOf(one, cases);
}

function rowOf({ villain, sources }: Chosen, cases: readonly CaseEnded[]): MatrixRow {
  const told = cases.map(({ id, outcome, observed }) => `${id}: ${outcome}: ${observed}`);
  return { villain, sources, outcomes: outcomesOf(cases), told };
}

/** With one rule at the endpoints of one source after the other, until it is found out. */
async function tryVillain(
  villain: Villain,
  rule: string,
  way: readonly string[],
  certificates: Certificates | undefined,
): Promise<readonly CaseEnded[]> {
  const cases: CaseEnded[] = [];
  for (const source of way) {
    cases.push(...(await tryVillainAt(villain, rule, source, certificates)));
    if (cases.some(({ outcome }) => outcome === (villain.outcome ?? 'failed'))) break;
  }
  return cases;
}

async function tryVillainAt(
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

/** Whether it is not found out as it should be. */
export function isMissed(row: MatrixRow): boolean {
  return missedBy(row).length + unseenAt(row).length > 0;
}

/** Rules that claim a villain and do not find it out anywhere. */
export function missedBy({ villain, outcomes }: MatrixRow): string[] {
  const { claimedBy, outcome = 'failed' } = villain;
  return claimedBy.filter((rule) => ![...(outcomes.get(rule)?.values() ?? [])].includes(outcome));
}

/** Sources whose deliveries a villain gets wrong, and none of its rules sees it. */
export function unseenAt({ villain, sources, outcomes }: MatrixRow): string[] {
  const { outcome = 'failed' } = villain;
  const seen = [...outcomes.values()].flatMap((bySource) =>
    [...bySource].flatMap(([source, came]) => (came === outcome ? [source] : [])),
  );
  return sources.filter((source) => !seen.includes(source));
}
