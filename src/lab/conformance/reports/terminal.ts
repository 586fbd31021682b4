import { styleText } from 'node:util';
import type { CaseEnded, RunEnded, RunStarted, Verdict } from '../result.ts';
import { plain, short } from './escape.ts';
import { findingOf, firstFew, hindrances, troubles, withOutcome } from './report.ts';
import type { Report, RuleCases, Trouble } from './report.ts';

export interface TerminalOptions {
  readonly colour: boolean;
  /** Columns of a terminal that a line can be written over on; 0 where there is none: then no progress is shown. */
  readonly columns: number;
}

/** For the person who watches: each failure as it happens, and in the end what is wrong and what to do about it. */
export function terminalReport({ colour, columns }: TerminalOptions): Report {
  const paint: Paint = (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text);
  const cases: CaseEnded[] = [];
  let planned = 0;
  return (event) => {
    switch (event.event) {
      case 'started':
        planned = event.cases;
        return head(event);
      case 'case':
        cases.push(event);
        return caseLines(event, paint, columns) + progress(cases, planned, columns);
      case 'ended':
        return clear(columns) + summary(cases, event, paint);
    }
  };
}

type Paint = (style: 'red' | 'green' | 'yellow' | 'bold' | 'dim', text: string) => string;

const LONGEST = 300;

function head({ target, sources, level, seed, cases }: RunStarted): string {
  return `${cases} cases for ${sources.join(', ')} at ${plain(target)}, level ${level}, seed ${seed}.\n`;
}

function caseLines(one: CaseEnded, paint: Paint, columns: number): string {
  if (one.outcome !== 'failed') return '';
  return `${clear(columns)}${paint('red', '✗')} ${one.id}: ${short(findingOf(one), LONGEST)}\n`;
}

function progress(cases: readonly CaseEnded[], planned: number, columns: number): string {
  if (columns === 0) return '';
  const done = cases.length - withOutcome(cases, 'skipped').length;
  const last = cases.at(-1);
  return (
    clear(columns) + short(`${done}/${planned} ${last?.rule.id ?? ''} ${last?.endpoint ?? ''}`, columns - 1)
  );
}

/** Back to the start of the line, and nothing on it. */
function clear(columns: number): string {
  return columns === 0 ? '' : '\r\u001b[2K';
}

function summary(cases: readonly CaseEnded[], ended: RunEnded, paint: Paint): string {
  return [
    ...troubles(cases).flatMap(({ outcome, rules }) =>
      outcome === 'failed'
        ? rules.flatMap((group) => failedRule(group, paint))
        : listed(
            HEADINGS[outcome],
            outcome === 'inconclusive' ? hindranceLines(cases) : ruleLines(rules),
            paint,
          ),
    ),
    ...skipped(cases),
    '',
    Object.entries(ended.counts)
      .map(([outcome, count]) => `${outcome} ${count}`)
      .join('   '),
    paint(
      ended.verdict === 'conformant' ? 'green' : 'red',
      `${VERDICTS[ended.verdict]} ${plain(ended.says)}`,
    ) + paint('dim', ` (${(ended.ms / 1000).toFixed(1)} s)`),
    '',
  ].join('\n');
}

function skipped(cases: readonly CaseEnded[]): string[] {
  const byReason = Map.groupBy(withOutcome(cases, 'skipped'), findingOf);
  return [...byReason].map(
    ([reason, { length }]) => `\nSkipped: ${length === 1 ? '1 case' : `${length} cases`}, ${plain(reason)}.`,
  );
}

const VERDICTS: Readonly<Record<Verdict, string>> = {
  conformant: 'Conformant.',
  'not conformant': 'Not conformant.',
  unreachable: 'Unreachable.',
  inconclusive: 'Inconclusive.',
  interrupted: 'Interrupted.',
  broken: 'The suite broke off.',
};

const MOST_CASES = 5;

function failedRule({ rule, cases }: RuleCases, paint: Paint): string[] {
  const [first] = cases;
  return [
    '',
    paint('bold', `✗ A right receiver ${plain(rule.title)}.`) + paint('dim', ` ${rule.id}, ${rule.severity}`),
    ...casesOf(cases),
    `  Why it matters: ${plain(rule.why)}`,
    `  How to fix it:  ${plain(rule.fix)}`,
    ...(rule.source === undefined ? [] : [`  Written in:     ${plain(rule.source)}`]),
    ...(first?.reproduce ?? []).map((line) => `  Reproduce:      ${plain(line)}`),
  ];
}

const MOST_RULES = 10;

const HEADINGS: Readonly<Record<Exclude<Trouble, 'failed'>, string>> = {
  inconclusive: 'Inconclusive',
  warned: 'Warnings',
  waived: 'Waived',
};

function listed(heading: string, lines: readonly string[], paint: Paint): string[] {
  return ['', paint('yellow', `${heading}:`), ...lines];
}

function ruleLines(rules: readonly RuleCases[]): string[] {
  const write = ({ rule, cases }: RuleCases) => [
    `  A right receiver ${plain(rule.title)}. ${rule.id}, ${rule.severity}`,
    ...casesOf(cases).map((line) => `  ${line}`),
  ];
  return firstFew(rules, MOST_RULES, write, (rest) => `  … and ${rest} more rules`);
}

/** What keeps many cases from proving anything is one finding. */
function hindranceLines(cases: readonly CaseEnded[]): string[] {
  return firstFew(
    hindrances(cases),
    MOST_RULES,
    ([finding, { length }]) => [
      `  ${short(finding, LONGEST)} (${length === 1 ? '1 case' : `${length} cases`})`,
    ],
    (rest) => `  … and ${rest} more`,
  );
}

function casesOf(cases: readonly CaseEnded[]): string[] {
  const write = (one: CaseEnded) => [
    `  ${short(`${one.endpoint}, ${one.trial}: ${findingOf(one)}`, LONGEST)}`,
  ];
  return firstFew(cases, MOST_CASES, write, (rest) => `  … and ${rest} more cases`);
}
