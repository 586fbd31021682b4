import type { Rule } from '../../src/lab/conformance/rule.ts';
import { groups } from '../../src/lab/conformance/rule.ts';
import { table } from '../inbox/print.ts';

/** All rules as a table for a terminal. */
export function listOfRules(rules: readonly Rule[]): string {
  const rows = rules.map(({ id, severity, level, exhausting, title }) => [
    id,
    severity,
    `${level}${exhausting === true ? ' exhausting' : ''}`,
    title,
  ]);
  const legend = Object.entries(groups).map(([group, name]) => `${group} ${name}`);
  return `${table(['rule', 'severity', 'level', 'a right receiver …'], rows)}\n\nGroups: ${legend.join('; ')}.`;
}
