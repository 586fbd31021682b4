import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startKit, type Kit } from '../../../src/lab/rig/kit.ts';
import { projectFile } from '../../../src/lab/rig/program.ts';
import type { EndpointUnderTest } from '../../../src/lab/conformance/rule.ts';
import { credentialVariable, endpointsOf } from '../../../src/kit/endpoint/definition.ts';
import { sources } from '../../../src/kit/sources/index.ts';
import { everyEndpoint, named, tryRules } from './trying-rules.ts';

// What the suite says of this kit as a process that is killed; the rest it is told in the kill matrix.

let kit: Kit;
let endpoints: readonly EndpointUnderTest[];

beforeAll(async () => {
  kit = await startKit({ sources }, projectFile('src/example/main.ts'));
  endpoints = named(
    everyEndpoint(kit.url, secretOf),
    'hotdocs/InterviewLoadEvent',
    'phenixid',
    'risr/profile_updated',
  );
});
afterAll(() => kit.stop());

function secretOf(path: string): string {
  for (const source of sources) {
    const definition = endpointsOf(source).find((endpoint) => endpoint.path === path);
    if (definition) return kit.env[credentialVariable({ definition, source })] ?? '';
  }
  return '';
}

it('finds nothing lost and nothing done twice after kills', async () => {
  const { ended, findings } = await tryRules(endpoints, ['K4*'], { level: 3, ...kit.hooks });
  expect(findings).toEqual([]);
  expect(ended.verdict).toBe('conformant');
});
