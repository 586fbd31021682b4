import { resolve } from 'node:path';
import { credentialVariable, isOpen, type EndpointConfig } from '../endpoint/definition.ts';
import { printableInbox } from '../inbox/address.ts';
import type { Config, ConfigInvalid } from './config.ts';
import type { Program, Startable } from './start.ts';
import { kitVersion } from './version.ts';

/** What the process says when it has started: which app it runs, and every endpoint with what opens it. */
export function startupTable(
  app: Pick<Startable, 'folder' | 'greeting'>,
  config: Config,
  program: Started,
): string {
  const { general, warnings } = config;
  const { url, adminUrl, console, notWritten, differing } = program;
  return [
    `advance-receiver-kit ${kitVersion()}, running ${app.folder}`,
    ...(general.ROLE === 'worker' ? [] : [`Listening on ${url}`]),
    ...(general.ROLE === 'receiver' ? [] : [`Working on ${printableInbox(general.INBOX_URL)}`]),
    ...placesOf(config),
    ...(adminUrl === undefined ? [] : [`Health on ${adminUrl}/live and ${adminUrl}/ready`]),
    ...(console === undefined ? [] : [console]),
    '',
    ...(general.ROLE === 'worker' ? [] : endpointLines(config)),
    ...notWrittenLines(app, notWritten),
    ...differingLines(differing),
    ...(app.greeting === undefined ? [] : ['', app.greeting]),
    ...warnings.map((warning) => `\nWarning: ${warning}`),
    '',
  ].join('\n');
}

/** Where the app keeps what: a relative path depends on the folder that one stands in. */
function placesOf({ own }: Config): string[] {
  return Object.entries(own).flatMap(([name, value]) =>
    /_(FILE|DIR)$/.test(name) && typeof value === 'string' && value !== '' && !value.startsWith(':')
      ? [`${name} is ${resolve(value)}`]
      : [],
  );
}

type Started = Pick<Program, 'url' | 'adminUrl' | 'notWritten' | 'differing'> &
  Partial<Pick<Program, 'console'>>;

function differingLines(count: number): string[] {
  if (count === 0) return [];
  return [
    '',
    `${count === 1 ? '1 fact differs' : `${count} facts differ`} from what was assumed: npm run facts`,
  ];
}

function notWrittenLines({ folder }: Pick<Startable, 'folder'>, notWritten: Started['notWritten']): string[] {
  const left = [...notWritten].filter(([, types]) => types.length > 0);
  if (left.length === 0) return [];
  const lines = left.map(([{ title, events }, types]) => {
    const all = Object.keys(events).length;
    const which = types.length === all ? '' : `: ${types.join(', ')}`;
    return `${types.length} of ${all} ${title} handlers are not written${which}.`;
  });
  const files = left.map(([{ name }]) => `${folder}/handlers/${name}.ts`).join(', ');
  return [
    '',
    ...lines,
    `Their events are kept as dead letters. Write them in ${files}, then npm run inbox -- replay --dead.`,
    'npm run example runs the reference receiver, in which each of them does its work.',
  ];
}

function endpointLines({ endpoints }: Config): string[] {
  const rows = endpoints.flatMap(rowsOf);
  const width = Math.max(...rows.map(([path]) => path.length));
  return rows.map(([path, state]) => `  ${path.padEnd(width)}  ${state}`);
}

/** What the receiver says instead of starting. */
export function startupProblems({ problems, warnings }: ConfigInvalid): string {
  const heading =
    problems.length === 1 ? 'Not started:' : `Not started, ${problems.length} things are wrong:`;
  return [
    heading,
    ...problems.map((problem) => `  - ${problem}`),
    ...warnings.map((warning) => `\nWarning: ${warning}`),
    '',
  ].join('\n');
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
