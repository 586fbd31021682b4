import type { CaseEnded } from '../result.ts';
import { json } from './escape.ts';
import { atTheEnd, findingOf, TOOL, troubleOf, type Report, type WholeRun } from './report.ts';

/** Common Test Report Format: https://github.com/ctrf-io/ctrf, schema/ctrf.schema.json */
export function ctrfReport(): Report {
  return atTheEnd(write);
}

type Status = 'passed' | 'failed' | 'skipped' | 'pending' | 'other';

function write(run: WholeRun): string {
  const { started, cases, ended } = run;
  const trouble = troubleOf(run);
  const tests = [...cases.map(testOf), ...(trouble === undefined ? [] : [testOfTrouble(trouble)])];
  const count = (status: Status) => tests.filter((test) => test.status === status).length;
  const document = {
    reportFormat: 'CTRF',
    specVersion: '1.0.0',
    timestamp: new Date(started.at + ended.ms).toISOString(),
    generatedBy: TOOL,
    results: {
      tool: { name: TOOL, version: started.version },
      summary: {
        tests: tests.length,
        passed: count('passed'),
        failed: count('failed'),
        skipped: count('skipped'),
        pending: count('pending'),
        other: count('other'),
        suites: new Set(cases.map(({ endpoint }) => endpoint)).size,
        start: started.at,
        stop: started.at + ended.ms,
        duration: ended.ms,
      },
      tests,
      extra: {
        target: started.target,
        level: started.level,
        seed: started.seed,
        verdict: ended.verdict,
        says: ended.says,
      },
    },
  };
  return `${json(document, 2)}\n`;
}

function testOf(one: CaseEnded) {
  const { id, rule, endpoint, trial, outcome, ms, reproduce, exchanges } = one;
  return {
    name: `${rule.title}: ${trial}`,
    status: statusOf(outcome),
    rawStatus: outcome,
    duration: ms,
    suite: [endpoint, rule.id],
    type: 'conformance',
    tags: [rule.group, rule.severity, `level ${rule.level}`],
    ...(outcome === 'passed' ? {} : { message: findingOf(one) }),
    extra: { case: id, ...(outcome === 'passed' ? {} : { rule, reproduce, exchanges }) },
  };
}

function testOfTrouble(says: string) {
  return { name: 'the run comes to a verdict', status: 'failed' as const, duration: 0, message: says };
}

function statusOf(outcome: CaseEnded['outcome']): Status {
  switch (outcome) {
    case 'passed':
    case 'warned':
      return 'passed';
    case 'failed':
      return 'failed';
    case 'skipped':
    case 'waived':
      return 'skipped';
    case 'inconclusive':
      return 'other';
  }
}
