import { driftOf, plainName, schemaOfEvent, type Drift, type Schema } from '../facts/drift.ts';
import { Html, html } from '../reading/html.ts';
import { isObject } from '../reading/json.ts';
import type { EventDefinition } from '../source.ts';

/** Further ones are counted: a payload may have a million. */
const MOST_NODES = 2_000;
const LONGEST_TEXT = 500;
const OPEN_DEPTH = 3;

interface Look {
  /** Values are not shown, only what kind of value stands there. */
  readonly masked: boolean;
  readonly drift: ReadonlyMap<string, readonly Drift[]>;
  left: number;
  /** Not all is shown. */
  cut: boolean;
}

/** A payload as a tree, what its event does not know marked. */
export function payloadHtml(payload: unknown, event: EventDefinition | undefined, masked: boolean): Html {
  const drift = event === undefined ? [] : driftOf(event, payload).filter(({ kind }) => isStrange(kind));
  const look: Look = { masked, drift: Map.groupBy(drift, ({ path }) => path), left: MOST_NODES, cut: false };
  const missing = drift.filter(({ kind }) => kind === 'missing');
  return html`<ul class="tree">
      ${nodeHtml('', payload, '', 0, look)}
    </ul>
    ${look.cut && html`<p>Of more values than can be read only the first are shown.</p>`}
    ${missing.map(({ path }) => html`<p class="mark">${path} is missing</p>`)}`;
}

function isStrange(kind: Drift['kind']): boolean {
  return kind !== 'there' && kind !== 'absent';
}

const WORDS: Readonly<Partial<Record<Drift['kind'], string>>> = {
  new: 'unfamiliar',
  type: 'another type',
  word: 'an unfamiliar word',
};

function nodeHtml(name: string, value: unknown, path: string, depth: number, look: Look): Html {
  if (look.left <= 0) {
    look.cut = true;
    return html``;
  }
  look.left -= 1;
  const shown = look.masked ? plainName(name) : name;
  const label = name === '' ? html`` : html`<b>${name.startsWith('[') ? name : shown}</b> `;
  const marks = (look.drift.get(path) ?? []).map(({ kind }) => html` <mark>${WORDS[kind] ?? kind}</mark>`);
  const below = childrenOf(value, path, depth < DEEPEST ? look.left : 0);
  if (below === undefined) return html`<li>${label}${valueHtml(value, look.masked)}${marks}</li>`;
  if (below.children.length < below.count) look.cut = true;
  const items = below.children.map((child) => nodeHtml(child.name, child.value, child.path, depth + 1, look));
  const open = depth < OPEN_DEPTH && new Html(' open');
  return html`<li>
    <details${open}>
      <summary>${label}<i>${Array.isArray(value) ? 'list' : 'object'} of ${below.count}</i>${marks}</summary>
      <ul>${items}</ul>
    </details>
  </li>`;
}

/** JSON that is nested deeper is a dead letter. */
const DEEPEST = 32;

interface Child {
  readonly name: string;
  readonly value: unknown;
  /** As drift writes it. */
  readonly path: string;
}

/** The first of them, and how many there are. */
function childrenOf(
  value: unknown,
  path: string,
  most: number,
): { readonly children: readonly Child[]; readonly count: number } | undefined {
  if (Array.isArray(value)) {
    const first: readonly unknown[] = value.slice(0, most);
    const children = first.map((item, index) => ({ name: `[${index}]`, value: item, path: `${path}[]` }));
    return { children, count: value.length };
  }
  if (!isObject(value)) return undefined;
  const names = Object.keys(value);
  const children = names.slice(0, most).map((name) => ({
    name,
    value: value[name],
    path: path === '' ? plainName(name) : `${path}.${plainName(name)}`,
  }));
  return { children, count: names.length };
}

function valueHtml(value: unknown, masked: boolean): Html {
  if (value === null || typeof value === 'boolean') return html`<code>${String(value)}</code>`;
  if (typeof value !== 'string')
    return masked ? html`<i>number</i>` : html`<code>${JSON.stringify(value)}</code>`;
  if (masked) return html`<i>text of ${value.length}</i>`;
  const more = value.length - LONGEST_TEXT;
  const cut = more > 0 ? html` <i>and ${more} more characters</i>` : html``;
  return html`<code><bdi>${value.slice(0, LONGEST_TEXT)}</bdi></code
    >${cut}`;
}

/** What the event's schema lists, in the same form. */
export function schemaHtml(event: EventDefinition): Html {
  const root = schemaOfEvent(event);
  return html`<ul class="tree">
    ${schemaNode('', root, true, root, 0)}
  </ul>`;
}

function schemaNode(name: string, schema: Schema, needed: boolean, root: Schema, depth: number): Html {
  const found =
    schema.$ref === undefined ? schema : (root.$defs?.[schema.$ref.slice('#/$defs/'.length)] ?? {});
  const label = name === '' ? html`` : html`<b>${name}${needed ? '' : '?'}</b> `;
  const members = depth > MOST_DEPTH ? [] : membersOf(found);
  if (members.length === 0) return html`<li>${label}<i>${typeWords(found)}</i></li>`;
  const items = members.map(([below, of, isNeeded]) => schemaNode(below, of, isNeeded, root, depth + 1));
  return html`<li>
    ${label}<i>${typeWords(found)}</i>
    <ul>
      ${items}
    </ul>
  </li>`;
}

const MOST_DEPTH = 8;

function membersOf({
  properties = {},
  required = [],
  items,
  anyOf = [],
  oneOf = [],
}: Schema): [string, Schema, boolean][] {
  const named = Object.entries(properties).map(([name, of]): [string, Schema, boolean] => [
    name,
    of,
    required.includes(name),
  ]);
  if (named.length > 0) return named;
  if (isObject(items)) return [['[]', items, true]];
  return [...anyOf, ...oneOf].flatMap(membersOf);
}

function typeWords({ type, enum: words, const: only, anyOf, oneOf }: Schema): string {
  if (words !== undefined) return words.map(String).join(' | ');
  if (only !== undefined) return JSON.stringify(only);
  const choices = anyOf ?? oneOf;
  if (choices !== undefined) return [...new Set(choices.map(typeWords))].join(' | ');
  return [type ?? 'anything'].flat().join(' | ');
}
