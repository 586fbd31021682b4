import type { CaseEnded, RunEnded, RunStarted, Verdict } from '../result.ts';
import { json, plain } from './escape.ts';
import { findingOf, type Report } from './report.ts';

/** TAP, version 14, while the run goes on: https://testanything.org/tap-version-14-specification.html */
export function tapReport(): Report {
  let count = 0;
  return (event) => {
    switch (event.event) {
      case 'started':
        return head(event);
      case 'case':
        count += 1;
        return point(event, count);
      case 'ended':
        return end(event, count);
    }
  };
}

function head({ target, level, seed }: RunStarted): string {
  return `TAP version 14\n# ${plain(target)}, level ${level}, seed ${seed}\n`;
}

function point(one: CaseEnded, number: number): string {
  const { id, rule, outcome } = one;
  const ok = outcome === 'passed' || outcome === 'warned' || outcome === 'skipped';
  const line = `${ok ? 'ok' : 'not ok'} ${number} - ${escaped(`${id} ${rule.title}`)}${directiveOf(one)}\n`;
  return outcome === 'passed' || outcome === 'skipped' ? line : line + diagnosis(one);
}

/** A failure that is put up with is what TAP calls something to do: it does not count. */
function directiveOf(one: CaseEnded): string {
  if (one.outcome === 'skipped') return ` # SKIP ${escaped(findingOf(one))}`;
  return one.outcome === 'waived' ? ` # TODO ${escaped(one.reason ?? 'waived')}` : '';
}

/** A block of YAML: every value is JSON, which YAML reads alike. */
function diagnosis({ outcome, expected, observed, ms, rule, reproduce }: CaseEnded): string {
  const members = { outcome, severity: rule.severity, expected, observed, ms, why: rule.why, fix: rule.fix };
  const lines = Object.entries(members).map(([name, value]) => `${name}: ${json(value)}`);
  return block([...lines, ...(reproduce.length === 0 ? [] : [`reproduce: ${json(reproduce)}`])]);
}

function block(lines: readonly string[]): string {
  return `  ---\n${lines.map((line) => `  ${line}\n`).join('')}  ...\n`;
}

/** A harness that reads this counts the run as failed. */
const NO_VERDICT: readonly Verdict[] = ['unreachable', 'interrupted', 'broken'];

function end({ verdict, says }: RunEnded, count: number): string {
  if (count === 0 || NO_VERDICT.includes(verdict)) return `Bail out! ${plain(says)}\n`;
  return `1..${count}\n# ${plain(says)}\n`;
}

function escaped(text: string): string {
  return plain(text).replace(/[\\#]/g, '\\$&');
}
