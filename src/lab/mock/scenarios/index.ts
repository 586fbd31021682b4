import { interview } from './interview.ts';
import type { Scenario } from './scenario.ts';
import { signing } from './signing.ts';
import { trainee } from './trainee.ts';
import { pick } from '../../usage.ts';

/** The stories that the mock can play, one of each product. */
export const scenarios: readonly Scenario[] = [interview, signing, trainee];

/** @throws UsageError that lists them */
export function scenarioOf(name: string): Scenario {
  return pick(
    'scenario',
    name,
    scenarios.map((scenario) => [scenario.name, scenario]),
  );
}
