import type { CaseEnded, Verdict } from '../result.ts';
import { groups, type Group } from '../rule.ts';
import { markdown } from './escape.ts';
import {
  atTheEnd,
  byGroup,
  byRule,
  findingOf,
  withOutcome,
  type Report,
  type RuleCases,
  type WholeRun,
} from './report.ts';

/** A page for the summary of a build; GitHub shows one MiB and people read one screen. */
export function markdownReport(): Report {
  return atTheEnd(write);
}

const MOST_RULES = 20;
const MOST_CASES = 5;

function write(run: WholeRun): string {
  const { started, cases, ended } = run;
  return [
    `## ${MARKS[ended.verdict]} Receiver ${ended.verdict}`,
    '',
    markdown(ended.says),
    '',
    `Target ${markdown(started.target)}, level ${started.level}, seed ${started.seed}, ` +
      `${(ended.ms / 1000).toFixed(1)} s.`,
    '',
    ...section('Failed', withOutcome(cases, 'failed'), ruleInFull),
    ...section('Inconclusive', withOutcome(cases, 'inconclusive'), ruleInShort),
    ...section('Warnings', withOutcome(cases, 'warned'), ruleInShort),
    ...section('Waived', withOutcome(cases, 'waived'), ruleInShort),
    ...table(cases),
    '',
  ].join('\n');
}

const MARKS: Readonly<Record<Verdict, string>> = {
  conformant: '✅',
  'not conformant': '❌',
  unreachable: '🚫',
  inconclusive: '❔',
  interrupted: '🚫',
  broken: '🚫',
};

function section(
  heading: string,
  cases: readonly CaseEnded[],
  write: (group: RuleCases) => string[],
): string[] {
  if (cases.length === 0) return [];
  const rules = byRule(cases);
  const rest = rules.length - MOST_RULES;
  return [
    `### ${heading}`,
    '',
    ...rules.slice(0, MOST_RULES).flatMap(write),
    ...(rest > 0 ? [`- … and ${rest} more rules`] : []),
    '',
  ];
}

function ruleInFull({ rule, cases }: RuleCases): string[] {
  return [
    `- **A right receiver ${markdown(rule.title)}** (${markdown(rule.id)}, ${rule.severity})`,
    ...casesOf(cases),
    `  - Why it matters: ${markdown(rule.why)}`,
    `  - How to fix it: ${markdown(rule.fix)}`,
  ];
}

function ruleInShort({ rule, cases }: RuleCases): string[] {
  return [
    `- A right receiver ${markdown(rule.title)} (${markdown(rule.id)}, ${rule.severity})`,
    ...casesOf(cases),
  ];
}

function casesOf(cases: readonly CaseEnded[]): string[] {
  const rest = cases.length - MOST_CASES;
  return [
    ...cases
      .slice(0, MOST_CASES)
      .map((one) => `  - ${markdown(`${one.endpoint}, ${one.trial}: ${findingOf(one)}`)}`),
    ...(rest > 0 ? [`  - … and ${rest} more cases`] : []),
  ];
}

const COLUMNS = ['passed', 'warned', 'failed', 'inconclusive', 'skipped', 'waived'] as const;

function table(cases: readonly CaseEnded[]): string[] {
  const row = (group: Group, members: readonly CaseEnded[]) => [
    `${group} ${groups[group]}`,
    ...COLUMNS.map((outcome) => String(withOutcome(members, outcome).length)),
  ];
  const rows = byGroup(cases).map(([group, members]) => row(group, members));
  return [
    `| Group | ${COLUMNS.join(' | ')} |`,
    `| --- |${COLUMNS.map(() => ' ---: |').join('')}`,
    ...rows.map((cells) => `| ${cells.map(markdown).join(' | ')} |`),
  ];
}
