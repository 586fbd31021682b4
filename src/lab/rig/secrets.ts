import { randomBytes } from 'node:crypto';
import { credentialVariable, endpointsOf } from '../../kit/endpoint/definition.ts';
import type { Configurable } from '../../kit/program/config.ts';

/** A secret for every endpoint of an app, by its variable: made on the spot, or as `secretOf` makes it for a path. */
export function secretsFor(
  { sources, endpoints = [] }: Configurable,
  secretOf: (path: string, variable: string) => string = () => randomBytes(32).toString('hex'),
): Record<string, string> {
  return Object.fromEntries(
    sources.flatMap((source) =>
      [...endpointsOf(source), ...endpoints.filter((endpoint) => endpoint.source === source.name)].map(
        (definition) => {
          const variable = credentialVariable({ definition, source });
          return [variable, secretOf(definition.path, variable)];
        },
      ),
    ),
  );
}
