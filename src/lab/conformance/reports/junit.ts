import type { CaseEnded } from '../result.ts';
import { markup } from './escape.ts';
import { atTheEnd, findingOf, TOOL, troubleOf, withOutcome, type Report, type WholeRun } from './report.ts';

// JUnit's XML has no specification; this is what Jenkins, GitLab and GitHub's actions all read:
// https://github.com/testmoapp/junitxml. A suite is an endpoint, a test case is a case.

/** JUnit XML, for build servers. */
export function junitReport(): Report {
  return atTheEnd(write);
}

function write(run: WholeRun): string {
  const { cases, ended } = run;
  const suites = [...Map.groupBy(cases, ({ endpoint }) => endpoint)];
  const trouble = troubleOf(run);
  const count = { ...countsOf(cases), errors: countsOf(cases).errors + (trouble === undefined ? 0 : 1) };
  const tests = cases.length + (trouble === undefined ? 0 : 1);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    // The schema of Jenkins knows neither `skipped` nor `timestamp` here.
    `<testsuites name="${markup(TOOL)}" tests="${tests}" failures="${count.failures}" errors="${count.errors}" ` +
      `time="${seconds(ended.ms)}">`,
    ...suites.flatMap(([endpoint, members]) => suite(endpoint, members, run)),
    ...(trouble === undefined ? [] : suiteOfTrouble(trouble, ended.verdict)),
    '</testsuites>',
    '',
  ].join('\n');
}

function suite(endpoint: string, cases: readonly CaseEnded[], { started }: WholeRun): string[] {
  const ms = cases.reduce((sum, one) => sum + one.ms, 0);
  return [
    `  <testsuite name="${markup(endpoint)}" tests="${cases.length}" ${attributes(countsOf(cases))} ` +
      `time="${seconds(ms)}" timestamp="${new Date(started.at).toISOString()}">`,
    '    <properties>',
    ...propertiesOf({
      target: started.target,
      level: started.level,
      grade: started.grade,
      seed: started.seed,
    }),
    '    </properties>',
    ...cases.flatMap(testcase),
    '  </testsuite>',
  ];
}

function propertiesOf(values: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(values).map(
    ([name, value]) => `      <property name="${name}" value="${markup(String(value))}"/>`,
  );
}

function testcase(one: CaseEnded): string[] {
  const { rule, endpoint, trial, ms } = one;
  const inside = insideOf(one);
  const open =
    `    <testcase classname="${markup(`${rule.id}.${endpoint}`)}" name="${markup(`${rule.title}: ${trial}`)}" ` +
    `time="${seconds(ms)}"`;
  return inside === '' ? [`${open}/>`] : [`${open}>`, inside, '    </testcase>'];
}

function insideOf(one: CaseEnded): string {
  const { outcome, rule } = one;
  const message = markup(findingOf(one));
  switch (outcome) {
    case 'passed':
      return '';
    case 'warned':
      return `      <system-out>Warning: ${message}</system-out>`;
    case 'failed':
      return `      <failure type="${rule.severity}" message="${message}">${textOf(one)}</failure>`;
    case 'inconclusive':
      return `      <error type="inconclusive" message="${message}">${textOf(one)}</error>`;
    case 'skipped':
    case 'waived':
      return `      <skipped message="${message}"/>`;
  }
}

function textOf({ id, rule, expected, observed, reproduce }: CaseEnded): string {
  return [
    `Case: ${id}`,
    `Expected: ${expected}`,
    `Observed: ${observed}`,
    `Why it matters: ${rule.why}`,
    `How to fix it: ${rule.fix}`,
    ...reproduce.map((line) => `Reproduce: ${line}`),
  ]
    .map(markup)
    .join('\n');
}

function suiteOfTrouble(says: string, verdict: string): string[] {
  return [
    '  <testsuite name="run" tests="1" failures="0" errors="1" skipped="0" time="0.000">',
    '    <testcase classname="run" name="the run comes to a verdict" time="0.000">',
    `      <error type="${markup(verdict)}" message="${markup(says)}"/>`,
    '    </testcase>',
    '  </testsuite>',
  ];
}

interface Counts {
  readonly failures: number;
  readonly errors: number;
  readonly skipped: number;
}

function countsOf(cases: readonly CaseEnded[]): Counts {
  return {
    failures: withOutcome(cases, 'failed').length,
    errors: withOutcome(cases, 'inconclusive').length,
    skipped: withOutcome(cases, 'skipped', 'waived').length,
  };
}

function attributes({ failures, errors, skipped }: Counts): string {
  return `failures="${failures}" errors="${errors}" skipped="${skipped}"`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
