import type { CaseEnded, RuleSummary, RunEnded, RunEvent, RunStarted } from '../result.ts';
import type { Group, Severity } from '../rule.ts';

/** Makes text of what a run tells: what to write when it has told this. */
export type Report = (event: RunEvent) => string;

/** All that a run has told. */
export interface WholeRun {
  readonly started: RunStarted;
  readonly cases: readonly CaseEnded[];
  readonly ended: RunEnded;
}

/** A report that can only be written when all is known. */
export function atTheEnd(write: (run: WholeRun) => string): Report {
  const cases: CaseEnded[] = [];
  let started: RunStarted | undefined;
  return (event) => {
    switch (event.event) {
      case 'started':
        started = event;
        return '';
      case 'case':
        cases.push(event);
        return '';
      case 'ended':
        if (started === undefined) throw new Error('A run ended that had not started.');
        return write({ started, cases, ended: event });
    }
  };
}

/** A rule with all its cases. */
export interface RuleCases {
  readonly rule: RuleSummary;
  readonly cases: readonly CaseEnded[];
}

const severities: readonly Severity[] = ['critical', 'high', 'medium', 'low'];

/** Cases by their rule, the gravest rule first. */
export function byRule(cases: readonly CaseEnded[]): RuleCases[] {
  const groups = Map.groupBy(cases, ({ rule }) => rule.id);
  return [...groups.values()]
    .flatMap((group) => (group[0] === undefined ? [] : [{ rule: group[0].rule, cases: group }]))
    .toSorted((one, other) => rank(one.rule) - rank(other.rule));
}

/** Cases by their group, in the order of the catalogue. */
export function byGroup(cases: readonly CaseEnded[]): (readonly [Group, readonly CaseEnded[]])[] {
  return [...Map.groupBy(cases, ({ rule }) => rule.group)].toSorted(([one], [other]) =>
    one < other ? -1 : 1,
  );
}

function rank({ severity }: RuleSummary): number {
  return severities.indexOf(severity);
}

export function withOutcome(cases: readonly CaseEnded[], ...outcomes: CaseEnded['outcome'][]): CaseEnded[] {
  return cases.filter(({ outcome }) => outcomes.includes(outcome));
}

export type Trouble = 'failed' | 'inconclusive' | 'warned' | 'waived';

/** What people should look at, by outcome and rule, the worst first; outcomes that no case has are left out. */
export function troubles(
  cases: readonly CaseEnded[],
): readonly { readonly outcome: Trouble; readonly rules: readonly RuleCases[] }[] {
  const outcomes: readonly Trouble[] = ['failed', 'inconclusive', 'warned', 'waived'];
  return outcomes
    .map((outcome) => ({ outcome, rules: byRule(withOutcome(cases, outcome)) }))
    .filter(({ rules }) => rules.length > 0);
}

/** The lines of the first few, and one that says how many more there are. */
export function firstFew<Item>(
  items: readonly Item[],
  most: number,
  write: (item: Item) => readonly string[],
  more: (rest: number) => string,
): string[] {
  const rest = items.length - most;
  return [...items.slice(0, most).flatMap(write), ...(rest > 0 ? [more(rest)] : [])];
}

/**
 * Why the run says nothing for the receiver although no case says anything against it. A format that knows nothing but
 * cases gets one of this, or an empty report would look like a good one.
 */
export function troubleOf({ cases, ended }: WholeRun): string | undefined {
  if (ended.verdict === 'conformant') return undefined;
  if (ended.verdict === 'not conformant' && withOutcome(cases, 'failed').length > 0) return undefined;
  if (ended.verdict === 'inconclusive' && withOutcome(cases, 'inconclusive').length > 0) return undefined;
  return ended.says;
}

/** Cases that prove nothing, by endpoint and what kept them from it: one finding, however many they are. */
export function hindrances(
  cases: readonly CaseEnded[],
): (readonly [finding: string, cases: readonly CaseEnded[]])[] {
  const undecided = withOutcome(cases, 'inconclusive');
  return [...Map.groupBy(undecided, (one) => `${one.endpoint}: ${findingOf(one)}`)];
}

/** `a, b, and c` */
export function listed(names: readonly string[]): string {
  return new Intl.ListFormat('en').format(names);
}

/** `expected 401, observed status 202`, or why there is nothing to say. */
export function findingOf({ expected, observed, reason, outcome }: CaseEnded): string {
  const finding = expected === '' && observed === '' ? '' : `expected ${expected}, observed ${observed}`;
  if (outcome === 'skipped') return reason ?? 'skipped';
  return reason === undefined ? finding : `${finding} (${outcome}: ${reason})`;
}

/** Whose name the reports give to the suite. */
export const TOOL = 'advance-receiver-kit conform';
