import type { Config, ConfigInvalid } from './config.ts';
import { credentialVariable, isOpen, type EndpointConfig } from '../endpoints.ts';
import { printableInbox } from '../inbox/address.ts';

/** What the process says when it has started: every endpoint, open or closed, and what opens it. */
export function startupTable(config: Config, url: string, adminUrl?: string): string {
  const { general, warnings } = config;
  return [
    ...(general.ROLE === 'worker' ? [] : [`Listening on ${url}`]),
    ...(general.ROLE === 'receiver' ? [] : [`Working on ${printableInbox(general.INBOX_URL)}`]),
    ...(adminUrl === undefined ? [] : [`Health on ${adminUrl}/live and ${adminUrl}/ready`]),
    '',
    ...(general.ROLE === 'worker' ? [] : endpointLines(config)),
    ...warnings.map((warning) => `\nWarning: ${warning}`),
    '',
  ].join('\n');
}

function endpointLines({ endpoints }: Config): string[] {
  const rows = endpoints.flatMap(rowsOf);
  const width = Math.max(...rows.map(([path]) => path.length));
  return rows.map(([path, state]) => `  ${path.padEnd(width)}  ${state}`);
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
