import type { CaseEnded, RuleSummary, Verdict } from '../result.ts';
import { gradeNames, grades, type Level } from '../rule.ts';
import { byRule, listed, withOutcome, type WholeRun } from './report.ts';

/** Three sentences for whoever decides: what was examined, what was found, what to do first. */
export function threeSentences(run: WholeRun): readonly [examined: string, found: string, first: string] {
  const gravest = gravestOf(withOutcome(run.cases, 'failed'));
  return [examined(run), found(run, gravest), firstStep(run, gravest)];
}

const MEANS: Readonly<Record<Level, string>> = {
  1: 'its replies alone',
  2: 'its replies and its effects',
  3: 'its replies and its effects, also after it was killed',
};

function examined({ started, cases }: WholeRun): string {
  const tried = cases.filter(({ outcome }) => outcome !== 'skipped').length;
  const endpoints = new Set(cases.map(({ endpoint }) => endpoint)).size;
  return (
    `On ${new Date(started.at).toISOString().slice(0, 10)}, ${counted(tried, 'trial was', 'trials were')} made at ` +
    `${counted(endpoints, 'endpoint', 'endpoints')} of ${started.target}, as ${listed(started.sources)} send and as attackers ` +
    `would; the receiver was judged by ${MEANS[started.level]}.`
  );
}

function found({ cases, ended }: WholeRun, gravest: RuleSummary | undefined): string {
  if (gravest !== undefined) {
    const rules = byRule(withOutcome(cases, 'failed'));
    const critical = rules.filter(({ rule }) => rule.severity === 'critical').length;
    const how =
      rules.length === 1
        ? `one rule, of severity ${gravest.severity}:`
        : `${rules.length} rules, ${critical === 0 ? 'none' : critical} of them critical. The gravest:`;
    return `It breaks ${how} a right receiver ${gravest.title}, and this one does not. ${gravest.why}`;
  }
  if (ended.verdict !== 'conformant') return ended.says;
  const remarks = counted(byRule(withOutcome(cases, 'warned')).length, 'remark is', 'remarks are');
  const reached = ended.reached.map((grade) => `${grade} (${grades[grade]})`);
  return `Nothing speaks against it: it is ${listed(reached)}; ${remarks} left.`;
}

const FIRST: Readonly<Record<Verdict, string>> = {
  conformant: 'Nothing has to be done.',
  'not conformant': 'First, see why the receiver did not go on.',
  unreachable: 'First, see that it runs, and that the address is right.',
  inconclusive: 'First, see that secrets, addresses and the clock are right, then run this again.',
  interrupted: 'First, run this again to its end.',
  broken: 'First, run this again: the fault is not the receiver’s.',
};

function firstStep({ cases, ended }: WholeRun, gravest: RuleSummary | undefined): string {
  if (gravest !== undefined) return `First, mend this: ${gravest.fix}`;
  const remark = gravestOf(withOutcome(cases, 'warned'));
  const more =
    remark === undefined || ended.verdict !== 'conformant' ? '' : ` If anything, this: ${remark.fix}`;
  return FIRST[ended.verdict] + more;
}

/** Of the lowest grade, and there of the highest severity. */
function gravestOf(cases: readonly CaseEnded[]): RuleSummary | undefined {
  const rules = byRule(cases).map(({ rule }) => rule);
  return gradeNames.flatMap((grade) => rules.filter((rule) => rule.grade === grade))[0];
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
