import type { CaseEnded, Verdict } from '../result.ts';
import { groups, type Group } from '../rule.ts';
import { markdown } from './escape.ts';
import { atTheEnd, byGroup, findingOf, firstFew, troubles, withOutcome } from './report.ts';
import type { Report, RuleCases, Trouble, WholeRun } from './report.ts';

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
    ...troubles(cases).flatMap(section),
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

const HEADINGS: Readonly<Record<Trouble, string>> = {
  failed: 'Failed',
  inconclusive: 'Inconclusive',
  warned: 'Warnings',
  waived: 'Waived',
};

function section({ outcome, rules }: ReturnType<typeof troubles>[number]): string[] {
  const write = outcome === 'failed' ? ruleInFull : ruleInShort;
  return [
    `### ${HEADINGS[outcome]}`,
    '',
    ...firstFew(rules, MOST_RULES, write, (rest) => `- … and ${rest} more rules`),
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
  const write = (one: CaseEnded) => [`  - ${markdown(`${one.endpoint}, ${one.trial}: ${findingOf(one)}`)}`];
  return firstFew(cases, MOST_CASES, write, (rest) => `  - … and ${rest} more cases`);
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
