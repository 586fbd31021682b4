import { aspnet } from './aspnet.ts';
import { flask } from './flask.ts';
import { go } from './go.ts';
import { express, fastify } from './node.ts';
import { remedies, remedyOfRule, type Snippets } from './remedy.ts';
import { spring } from './spring.ts';

const frameworks: readonly (readonly [name: string, snippets: Snippets])[] = [
  ['Express', express],
  ['Fastify', fastify],
  ['Spring', spring],
  ['ASP.NET', aspnet],
  ['Flask', flask],
  ['Go', go],
];

/** What mends the fault that a rule finds, and how that looks in several frameworks. */
export interface Advice {
  readonly title: string;
  readonly snippets: readonly (readonly [framework: string, snippet: string])[];
}

/** `undefined` where the rule's own words say all there is to say. */
export function adviceFor(rule: string): Advice | undefined {
  const [, remedy = 'none'] = remedyOfRule.find(([pattern]) => pattern.test(rule)) ?? [];
  if (remedy === 'none') return undefined;
  return {
    title: remedies[remedy],
    snippets: frameworks.map(([name, snippets]) => [name, snippets[remedy].trim().replaceAll('\t', '    ')]),
  };
}
