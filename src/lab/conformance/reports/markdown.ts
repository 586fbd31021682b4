import type { CaseEnded, Verdict } from '../result.ts';
import { groups, type Group } from '../rule.ts';
import { markdown } from './escape.ts';
import { notExamined, unseen } from './not-examined.ts';
import { atTheEnd, byGroup, findingOf, firstFew, hindrances, troubles, withOutcome } from './report.ts';
import type { Report, RuleCases, Trouble, WholeRun } from './report.ts';
import { threeSentences } from './summary.ts';

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
    ...threeSentences(run).flatMap((sentence) => [markdown(sentence), '']),
    ...troubles(cases).flatMap((trouble) => section(trouble, cases)),
    ...table(cases),
    '',
    '### Not examined',
    '',
    ...notExamined(run).map((what) => `- ${markdown(what)}`),
    `- In no run, since it cannot be seen from outside: ${unseen.map(([what]) => markdown(inSentence(what))).join('; ')}.`,
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

function section(
  { outcome, rules }: ReturnType<typeof troubles>[number],
  cases: readonly CaseEnded[],
): string[] {
  const write = outcome === 'failed' ? ruleInFull : ruleInShort;
  return [
    `### ${HEADINGS[outcome]}`,
    '',
    ...(outcome === 'inconclusive'
      ? firstFew(hindrances(cases), MOST_RULES, hindrance, (rest) => `- … and ${rest} more`)
      : firstFew(rules, MOST_RULES, write, (rest) => `- … and ${rest} more rules`)),
    '',
  ];
}

/** What keeps many cases from proving anything is one finding. */
function hindrance([finding, { length }]: ReturnType<typeof hindrances>[number]): string[] {
  return [`- ${markdown(finding)} (${length === 1 ? '1 case' : `${length} cases`})`];
}

function inSentence(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
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
