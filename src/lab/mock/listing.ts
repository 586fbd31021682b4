import type { Source, SwitchDefinition } from '../../kit/source.ts';
import { faultsOf } from './faults.ts';
import { takesNumbers } from './request.ts';

/** What the mock of one source can do. */
export interface Listing {
  readonly source: string;
  readonly title: string;
  readonly events: readonly { readonly type: string; readonly mode: string; readonly summary: string }[];
  readonly switches: readonly { readonly name: string; readonly choices: string; readonly summary: string }[];
  readonly faults: readonly { readonly name: string; readonly summary: string; readonly expects: string }[];
}

export function listingOf(source: Source): Listing {
  return {
    source: source.name,
    title: source.title,
    events: Object.entries(source.events).map(([type, { mode, summary }]) => ({ type, mode, summary })),
    switches: Object.entries(source.switches).map(([name, definition]) => ({
      name,
      choices: choicesOf(definition),
      summary: definition.summary,
    })),
    faults: faultsOf(source).map(({ name, summary, expects }) => ({
      name,
      summary,
      expects: expects.summary,
    })),
  };
}

/** The same for people. */
export function listingText({ source, title, events, switches, faults }: Listing): string {
  return [
    `${source} – ${title}`,
    '',
    ...section(
      'events',
      events.map(({ type, summary }) => [type, summary]),
    ),
    ...section(
      'switches, the usual choice first',
      switches.map(({ name, choices, summary }) => [name, `${choices} – ${summary}`]),
    ),
    ...section(
      'faults',
      faults.map(({ name, summary, expects }) => [name, `${summary} Right: ${expects}.`]),
    ),
  ].join('\n');
}

function choicesOf(definition: SwitchDefinition): string {
  const { values, text = '' } = definition;
  if (values) return values.join(' | ');
  if (takesNumbers(definition)) return `a whole number, usually ${text}`;
  return text === '' ? 'any text' : `any text, usually ${text}`;
}

function section(title: string, rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return [`  ${title}`, ...rows.map(([name, words]) => `    ${name.padEnd(width)}  ${words}`), ''];
}
