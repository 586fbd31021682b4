import type { EndpointConfig } from '../../kit/endpoint/definition.ts';
import type { Configurable } from '../../kit/program/config.ts';
import { readEndpoints } from '../../kit/program/read-endpoints.ts';
import { Reader, type Environment } from '../../kit/program/reader.ts';
import type { Further } from './case.ts';

/** The endpoints of an app as they are configured, and what is wrong about it: a wrong configuration is there to be explained. */
export function endpointsIn(
  env: Environment,
  { sources, endpoints }: Configurable,
): { readonly endpoints: readonly EndpointConfig[]; readonly problems: readonly string[] } {
  const reader = new Reader(env);
  const found = readEndpoints(reader, sources, endpoints ?? []);
  return { endpoints: found, problems: reader.problems };
}

/** The secrets in a file of --secrets: one each line, by itself or behind NAME=. Lines that begin with # are comments. */
export function furtherSecrets(text: string): readonly Further[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === '' || /^\s*#/.test(line)) return [];
    const name = `line ${index + 1} of the file`;
    const [, value] = /^\s*(?:export\s+)?[A-Za-z_]\w*=(.*)$/.exec(line) ?? [];
    // A secret may look like a name and a sign itself.
    return [
      ...new Set([
        line,
        line.trim(),
        ...(value === undefined ? [] : [value, value.replace(/^(["'])(.*)\1$/, '$2')]),
      ]),
    ]
      .filter((one) => one !== '')
      .map((one) => ({ name, text: one }));
  });
}
