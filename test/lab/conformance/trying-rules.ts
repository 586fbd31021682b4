import { createEndpoint, type EndpointOptions } from '../../../src/lab/conformance/endpoints.ts';
import type { CaseEnded, RunEnded } from '../../../src/lab/conformance/result.ts';
import type { EndpointUnderTest } from '../../../src/lab/conformance/rule.ts';
import { rules } from '../../../src/lab/conformance/rules/index.ts';
import { runConformance, type RunOptions } from '../../../src/lab/conformance/run.ts';
import { endpointsOf } from '../../../src/kit/endpoint/definition.ts';
import { sources } from '../../../src/kit/sources/index.ts';

/** Every endpoint of every source at one address. */
export function everyEndpoint(
  url: URL | string,
  secretOf: (this: void, path: string) => string,
  options: Partial<Pick<EndpointOptions, 'switches'>> = {},
): EndpointUnderTest[] {
  return sources.flatMap((source) => {
    const [representative = ''] = source.story ?? Object.keys(source.events);
    return endpointsOf(source).map(({ path, type = representative }) =>
      createEndpoint({
        source,
        type,
        url: new URL(path, url),
        credential: { kind: 'SECRET', text: secretOf(path) },
        ...options,
      }),
    );
  });
}

/** Those of them with these names. */
export function named(
  endpoints: readonly EndpointUnderTest[],
  ...names: readonly string[]
): EndpointUnderTest[] {
  return endpoints.filter(({ name }) => names.includes(name));
}

export interface Outcome {
  readonly ended: RunEnded;
  readonly cases: readonly CaseEnded[];
  /** What was found, a line each; empty where everything was as it should be. */
  readonly findings: readonly string[];
}

/** Tries some rules, by patterns of their ids. */
export async function tryRules(
  endpoints: readonly EndpointUnderTest[],
  only: readonly string[],
  options: Partial<RunOptions> = {},
): Promise<Outcome> {
  const cases: CaseEnded[] = [];
  const ended = await runConformance({
    endpoints,
    rules,
    level: 1,
    grade: 'hardened',
    seed: 3,
    only,
    ...options,
    onEvent: (event) => {
      if (event.event === 'case') cases.push(event);
    },
  });
  const findings = cases
    .filter(({ outcome }) => outcome !== 'passed')
    .map(({ outcome, id, observed }) => `${outcome} ${id}: ${observed}`);
  return { ended, cases, findings };
}
