import type { Config, ConfigInvalid } from './config.ts';
import { credentialVariable, isOpen, type EndpointConfig } from './endpoints.ts';

/** What the receiver says when it has started: every endpoint, open or closed, and what opens it. */
export function startupTable({ endpoints, warnings }: Config, url: string): string {
  const rows = endpoints.flatMap(rowsOf);
  const width = Math.max(...rows.map(([path]) => path.length));
  return [
    `Listening on ${url}`,
    '',
    ...rows.map(([path, state]) => `  ${path.padEnd(width)}  ${state}`),
    ...warnings.map((warning) => `\nWarning: ${warning}`),
    '',
  ].join('\n');
}

/** What the receiver says instead of starting. */
export function startupProblems({ problems }: ConfigInvalid): string {
  const heading =
    problems.length === 1 ? 'Not started:' : `Not started, ${problems.length} things are wrong:`;
  return [heading, ...problems.map((problem) => `  - ${problem}`), ''].join('\n');
}

function rowsOf(endpoint: EndpointConfig): [path: string, state: string][] {
  const { path } = endpoint.definition;
  if (!isOpen(endpoint)) return [[path, `closed  set ${credentialVariable(endpoint)} to open it`]];
  const andCertificate = endpoint.certificate ? ', client certificate' : '';
  const proven = [...endpoint.credentials].map(([installation, { kind, texts }]): [string, string] => [
    installation === '' ? path : `${path}?key=${installation}`,
    `open    ${kind.toLowerCase()}${texts.length > 1 ? `, ${texts.length} live` : ''}${andCertificate}`,
  ]);
  return endpoint.unproven ? [[path, withoutCredential(endpoint)], ...proven] : proven;
}

function withoutCredential({ certificate }: EndpointConfig): string {
  return certificate ? 'open    client certificate' : 'OPEN TO ANYBODY, without proof, as set';
}
