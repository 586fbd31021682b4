import type { Rule } from '../../src/lab/conformance/rule.ts';
import { groups } from '../../src/lab/conformance/rule.ts';
import { textTable } from '../../src/lab/rig/table.ts';

/** All rules as a table for a terminal. */
export function listOfRules(rules: readonly Rule[]): string {
  const rows = rules.map(({ id, severity, level, exhausting, title }) => [
    id,
    severity,
    `${level}${exhausting === true ? ' exhausting' : ''}`,
    title,
  ]);
  const legend = Object.entries(groups).map(([group, name]) => `${group} ${name}`);
  return `${textTable([['rule', 'severity', 'level', 'a right receiver …'], ...rows])}\n\nGroups: ${legend.join('; ')}.`;
}
