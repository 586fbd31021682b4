import { z } from 'zod';
import { isObject } from '../reading/json.ts';
import type { EventDefinition } from '../source.ts';

/** How a payload is not as its event's schema and example say; `there` and `absent` tell when a member has gone. */
export const driftKinds = ['new', 'type', 'word', 'missing', 'there', 'absent'] as const;
export type DriftKind = (typeof driftKinds)[number];

/** One thing about one member of a payload. */
export interface Drift {
  readonly kind: DriftKind;
  /** `orders[].name`; names that look like data stand as `(a name)`. */
  readonly path: string;
  /** The JSON type that came, for `new` and `type`; for `word` the word, if it is a plain one. */
  readonly came: string;
}

/** Further down nothing is looked at. */
const MOST_DEPTH = 8;
/** Of a list. */
const MOST_ITEMS = 50;

type JsonType = 'string' | 'number' | 'boolean' | 'object' | 'array' | 'null';

/** As much of JSON Schema as zod writes. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema | boolean;
  readonly prefixItems?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  /** Read off an example: what stands there is known, and nothing of it is needed. */
  readonly ofExample?: true;
}

/** What of a payload its event does not know, or no longer has. Each thing once, however often the payload has it. */
export function driftOf(event: EventDefinition, payload: unknown): readonly Drift[] {
  const { schema, example } = knowledgeOf(event);
  const found = new Map<string, Drift>();
  walk(payload, [schema, example], '', {
    root: schema,
    note: (kind, path, came = '') => found.set(`${kind} ${path} ${came}`, { kind, path, came }),
  });
  return [...found.values()];
}

interface Look {
  readonly root: Schema;
  readonly note: (kind: DriftKind, path: string, came?: string) => void;
}

/** What the event's schema says, as JSON Schema. */
export function schemaOfEvent(event: EventDefinition): Schema {
  return knowledgeOf(event).schema;
}

const knowledge = new WeakMap<EventDefinition, { schema: Schema; example: Schema }>();

function knowledgeOf(event: EventDefinition): { readonly schema: Schema; readonly example: Schema } {
  const before = knowledge.get(event);
  if (before !== undefined) return before;
  const known = {
    schema: z.toJSONSchema(event.schema, { io: 'input', unrepresentable: 'any' }) as Schema, // what zod writes is one
    example: schemaOf(event.example),
  };
  knowledge.set(event, known);
  return known;
}

/** What an example says is there. */
function schemaOf(example: unknown): Schema {
  const type = typeOf(example);
  if (Array.isArray(example)) return { type, items: { anyOf: example.map(schemaOf) }, ofExample: true };
  if (!isObject(example)) return { type, ofExample: true };
  const members = Object.entries(example).map(([name, value]) => [name, schemaOf(value)] as const);
  return { type, properties: Object.fromEntries(members), ofExample: true };
}

function walk(value: unknown, schemas: readonly Schema[], path: string, look: Look): void {
  const nodes = schemas.flatMap((schema) => alternatives(schema, look.root));
  if (nodes.some(isAnything) || depthOf(path) > MOST_DEPTH) return;
  const type = typeOf(value);
  const fitting = nodes.filter((node) => typesOf(node).has(type));
  if (Array.isArray(value)) walkItems(value, fitting, path, look);
  if (type === 'object' && isObject(value)) walkMembers(value, fitting, path, look);
  const strict = nodes.filter(isOfSchema);
  const ofType = strict.filter((node) => fitting.includes(node));
  if (strict.length === 0) return; // an example is no promise of a type
  if (ofType.length === 0) look.note('type', path, type);
  else if (!ofType.some((node) => allows(node, value))) look.note('word', path, plainWord(value));
}

function walkItems(items: readonly unknown[], nodes: readonly Schema[], path: string, look: Look): void {
  const schemas = nodes.flatMap(({ items: item, prefixItems = [] }) => [...prefixItems, ...schemaIn(item)]);
  if (schemas.length === 0) return;
  for (const item of items.slice(0, MOST_ITEMS)) walk(item, schemas, `${path}[]`, look);
}

function walkMembers(
  members: Readonly<Record<string, unknown>>,
  nodes: readonly Schema[],
  path: string,
  look: Look,
): void {
  const names = new Set(nodes.flatMap(({ properties = {} }) => Object.keys(properties)));
  const rest = nodes.flatMap(({ additionalProperties: others, properties = {} }) =>
    // `{}` beside members only says that others are kept; alone it is all that is known.
    isObject(others) && (Object.keys(others).length > 0 || Object.keys(properties).length === 0)
      ? [others]
      : [],
  );
  if (names.size === 0 && rest.length === 0) return;
  for (const [name, value] of Object.entries(members)) {
    if (value === undefined) continue; // as its source reads what is not there
    const listed = nodes.flatMap((node) => memberOf(node, name));
    const below = path === '' ? plainName(name) : `${path}.${plainName(name)}`;
    if (listed.length + rest.length === 0) look.note('new', below, typeOf(value));
    else walk(value, listed.length === 0 ? rest : listed, below, look);
  }
  for (const name of names) presence(members, name, nodes, path, look);
}

function presence(
  members: Readonly<Record<string, unknown>>,
  name: string,
  nodes: readonly Schema[],
  path: string,
  look: Look,
): void {
  const schemas = nodes.filter(isOfSchema);
  const listed = schemas.flatMap((node) => memberOf(node, name));
  if (listed.length === 0) return;
  const below = path === '' ? name : `${path}.${name}`;
  if (Object.hasOwn(members, name) && members[name] !== undefined) {
    look.note('there', below);
    return;
  }
  const needed =
    schemas.every(({ required }) => required?.includes(name)) &&
    listed.every((schema) => !('default' in schema)) &&
    !listed.flatMap((schema) => alternatives(schema, look.root)).some(isAnything);
  look.note(needed ? 'missing' : 'absent', below);
}

function memberOf({ properties }: Schema, name: string): Schema[] {
  const member = properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
  return member === undefined ? [] : [member];
}

/** What a schema stands for, without references and choices. */
function alternatives(schema: Schema, root: Schema): readonly Schema[] {
  if (schema.$ref !== undefined) {
    const found = schema.$ref === '#' ? root : root.$defs?.[schema.$ref.slice('#/$defs/'.length)];
    return found === undefined ? [{}] : alternatives(found, root);
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.flatMap((choice) => alternatives(choice, root));
  if (schema.allOf === undefined) return [schema];
  return [schema.allOf.flatMap((part) => alternatives(part, root)).reduce(both, {})];
}

function both(one: Schema, other: Schema): Schema {
  return {
    ...one,
    ...other,
    properties: { ...one.properties, ...other.properties },
    required: [...(one.required ?? []), ...(other.required ?? [])],
  };
}

function isAnything(node: Schema): boolean {
  return node.type === undefined && node.enum === undefined && !('const' in node);
}

function typesOf(node: Schema): ReadonlySet<string> {
  const { type, enum: words = 'const' in node ? [node.const] : [] } = node;
  const types = type === undefined ? words.map(typeOf) : [type].flat();
  return new Set(types.map((name) => (name === 'integer' ? 'number' : name)));
}

function allows(node: Schema, value: unknown): boolean {
  if ('const' in node) return node.const === value;
  return node.enum?.includes(value) ?? true;
}

function isOfSchema({ ofExample }: Schema): boolean {
  return ofExample !== true;
}

function schemaIn(schema: Schema | boolean | undefined): Schema[] {
  return isObject(schema) ? [schema] : [];
}

function typeOf(value: unknown): JsonType {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  const type = typeof value;
  return type === 'string' || type === 'number' || type === 'boolean' ? type : 'object';
}

/** What a name or word of data would be: an address, a number of somebody, a sentence. */
const DATA = /\d{4}|^.{41}/;

/** Names may be data: a map by e-mail address has as many as there are people. */
export function plainName(name: string): string {
  return /^[A-Za-z_$][\w$-]*$/.test(name) && !DATA.test(name) ? name : '(a name)';
}

/** Where a schema lists words, another one is a word, too. */
function plainWord(value: unknown): string {
  const word = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  return typeof word === 'string' && /^[A-Za-z][\w.:-]*$/.test(word) && !DATA.test(word) ? word : '';
}

function depthOf(path: string): number {
  return path.split(/[.[]/).length;
}
