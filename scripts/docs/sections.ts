import { variables } from '../../src/kit/program/variables.ts';
import { credentialVariable, endpointsOf, upperSnake } from '../../src/kit/endpoint/definition.ts';
import { deadLetterReasons, rejections } from '../../src/kit/errors.ts';
import type {
  Source,
  SettingDefinitions,
  SwitchDefinition,
  SwitchDefinitions,
} from '../../src/kit/source.ts';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { hotdocsSwitches } from '../../src/lab/mock/platforms/hotdocs/switches.ts';
import { phenixidSwitches } from '../../src/lab/mock/platforms/phenixid/switches.ts';
import { risrSwitches } from '../../src/lab/mock/platforms/risr/switches.ts';
import { takesNumbers } from '../../src/lab/mock/request.ts';
import { createProducts } from '../../src/lab/stage/products.ts';
import { scenarios } from '../../src/lab/mock/scenarios/index.ts';
import { example } from '../../src/example/index.ts';
import { commands } from './commands.ts';
import { code, table } from './markdown.ts';

/** The computed sections of all pages, by name, as Markdown. */
export function sectionsFor(sources: readonly Source[]): ReadonlyMap<string, string> {
  return new Map([
    ['commands', commandTables()],
    ['variables', settingRows(variables, '')],
    ['example-settings', settingRows(example.settings ?? {}, '')],
    ['rejections', rejectionTable()],
    ['dead-letters', deadLetterTable()],
    ['switches', switchTables(sources.map(({ title, switches }) => [title, switches]))],
    ['product-switches', switchTables(productSwitches)],
    ['scenarios', scenarioTable()],
    ['admin-addresses', adminTables()],
    ...sources.flatMap(ofSource),
  ]);
}

/** The sections of a source's own page. */
function ofSource(source: Source): [name: string, content: string][] {
  const { name, api } = source;
  return [
    [`${name}-events`, eventTable(source)],
    [`${name}-settings`, settingTable(source)],
    ...(api === undefined ? [] : [[`${name}-api`, apiTable(source)] as [string, string]]),
  ];
}

function commandTables(): string {
  const groups = Object.entries(commands).map(([title, group]) => {
    const rows = Object.entries(group).map(([name, summary]) => [code(invocation(name)), summary]);
    return `## ${title}\n\n${table(['Command', 'What it does'], rows)}`;
  });
  return groups.join('\n\n');
}

function invocation(name: string): string {
  return name === 'start' || name === 'test' ? `npm ${name}` : `npm run ${name}`;
}

type Switches = readonly (readonly [title: string, SwitchDefinitions])[];

/** What the mocks of the products can vary besides the requests that they send. */
const productSwitches: Switches = [
  [hotdocs.title, hotdocsSwitches],
  [phenixid.title, phenixidSwitches],
  [risr.title, risrSwitches],
];

function switchTables(switches: Switches): string {
  return switches.map(([title, definitions]) => `#### ${title}\n\n${switchTable(definitions)}`).join('\n\n');
}

function scenarioTable(): string {
  return table(
    ['Scenario', 'What happens'],
    scenarios.map(({ name, summary }) => [code(name), summary]),
  );
}

/** What the products are asked for by the people who work with them. */
function adminTables(): string {
  const [receiver, origin] = [new URL('http://127.0.0.1:3000'), 'http://127.0.0.1:4000'];
  const products = createProducts({ app: example, env: {}, receiver, origin, seed: 0 });
  return [products.hotdocs, products.phenixid, products.risr]
    .map(({ admin }) => ['```text', ...admin, '```'].join('\n'))
    .join('\n\n');
}

function eventTable(source: Source): string {
  return source.endpointPer === 'event' ? eventsByEndpoint(source) : eventsOfOneEndpoint(source);
}

function eventsByEndpoint(source: Source): string {
  const rows = endpointsOf(source).map((definition) => {
    const type = definition.type ?? '';
    const event = source.events[type];
    const secret = code(credentialVariable({ definition, source }));
    return [code(definition.path), methodsOf(source, type), event?.mode ?? '', event?.summary ?? '', secret];
  });
  return table(['Endpoint', 'Method', 'Mode', 'What happened', 'Secret'], rows);
}

function eventsOfOneEndpoint(source: Source): string {
  const rows = Object.entries(source.events).map(([type, { mode, summary }]) => [code(type), mode, summary]);
  const endpoints = endpointsOf(source).map(
    (definition) =>
      `All come to ${code(definition.path)} by ${methodsOf(source, undefined)}; ` +
      `the secret is ${code(credentialVariable({ definition, source }))}.`,
  );
  return [...endpoints, '', table(['Event', 'Mode', 'What happened'], rows)].join('\n');
}

function methodsOf(source: Source, type: string | undefined): string {
  return source.methods(type).join(', ');
}

function settingTable(source: Source): string {
  const prefix = `${upperSnake(source.name)}_`;
  const kinds = Object.entries(source.proof.kinds).map(
    ([kind, { summary }]) => `- ${code(`…_${kind}`)}: ${summary}`,
  );
  return [...kinds, '', settingRows(source.settings, prefix)].join('\n');
}

function apiTable({ name, api }: Source): string {
  return settingRows(api?.settings ?? {}, `${upperSnake(name)}_`);
}

function settingRows(definitions: SettingDefinitions, prefix: string): string {
  const rows = Object.entries(definitions).map(([name, { default: usual, summary }]) => [
    code(prefix + name),
    code(usual),
    summary,
  ]);
  return table(['Variable', 'Default', 'What it sets'], rows);
}

function rejectionTable(): string {
  const rows = Object.entries(rejections).map(([name, [status, meaning]]) => [code(name), status, meaning]);
  return table(['Code', 'Status', 'Meaning'], rows);
}

function deadLetterTable(): string {
  const rows = Object.entries(deadLetterReasons).map(([name, meaning]) => [code(name), meaning]);
  return table(['Reason', 'What it means, and what to do'], rows);
}

function switchTable(switches: SwitchDefinitions): string {
  const rows = Object.entries(switches).map(([name, definition]) => [
    code(name),
    choicesOf(definition),
    definition.summary,
  ]);
  return table(['Switch', 'Choices, the usual one first', 'What it varies'], rows);
}

function choicesOf(definition: SwitchDefinition): string {
  const { values, text = '' } = definition;
  if (values) return values.map(code).join(', ');
  if (takesNumbers(definition)) return `a whole number, usually ${code(text)}`;
  return text === '' ? 'any text' : `any text, usually ${code(text)}`;
}
