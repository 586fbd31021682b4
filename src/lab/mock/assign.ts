import { z } from 'zod';
import { closest } from '../../kit/reading/closest.ts';
import { UsageError } from '../usage.ts';

/** One member of a payload to be changed before it is sent: `documents.0.name`. */
export interface Assignment {
  readonly path: string;
  readonly value: unknown;
  /** The event need not have such a member: it is to be added. */
  readonly add?: boolean;
}

/**
 * Reads `a.b=value`: the value is JSON if it is JSON, else text.
 * @throws UsageError
 */
export function parseAssignment(text: string): Assignment {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`Expected path=value, as in user.email=a@b.example, and got ${text}`);
  return { path: text.slice(0, at), value: jsonOrText(text.slice(at + 1)) };
}

/**
 * A misspelt member would be added without a word, and the one that was meant stay as it is.
 * @throws UsageError for a member that neither the payload nor the schema has, unless it is to be added
 */
export function checkMembers(schema: z.ZodType, payload: unknown, assignments: readonly Assignment[]): void {
  const set = assignments.filter(({ add }) => add !== true);
  if (set.length === 0) return;
  // It is JSON Schema that is made, and what JSON cannot say is left open.
  const whole = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Form;
  for (const { path } of set) checkPath(path, [whole], payload);
}

/** As far as a JSON Schema says what members there are. */
interface Form {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Form>>;
  readonly items?: Form;
  readonly anyOf?: readonly Form[];
  readonly allOf?: readonly Form[];
  readonly oneOf?: readonly Form[];
}

function checkPath(path: string, forms: readonly Form[], payload: unknown): void {
  const segments = path.split('.');
  let places = alternatives(forms);
  let value = payload;
  for (const [at, name] of segments.entries()) {
    if (!Array.isArray(value)) {
      const names = namesAt(places, value);
      if (names === undefined) return;
      if (!names.includes(name)) throw unknownMember(segments, at, names);
    }
    places = alternatives(places.flatMap(({ properties, items }) => properties?.[name] ?? items ?? []));
    value = membersOf(value)[name];
  }
}

function alternatives(forms: readonly Form[]): Form[] {
  return forms.flatMap((form) => {
    const { anyOf = [], allOf = [], oneOf = [] } = form;
    const inner = [...anyOf, ...allOf, ...oneOf];
    return inner.length === 0 ? [form] : alternatives(inner);
  });
}

/** The members that a place has; `undefined` where the schema leaves open which, and where there cannot be any. */
function namesAt(forms: readonly Form[], value: unknown): string[] | undefined {
  const objects = forms.filter(({ type = 'object' }) => type === 'object');
  if (objects.length === 0 || objects.some(({ properties }) => properties === undefined)) return undefined;
  const known = objects.flatMap(({ properties = {} }) => Object.keys(properties));
  return [...new Set([...known, ...Object.keys(membersOf(value))])];
}

/** Of an object or a list, by name or place. */
function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function unknownMember(segments: readonly string[], at: number, names: readonly string[]): UsageError {
  const named = (name: string) => [...segments.slice(0, at), name].join('.');
  const guess = closest(segments[at] ?? '', names);
  const path = segments.join('.');
  return new UsageError(
    `The event has no member ${named(segments[at] ?? '').slice(0, 80)}.` +
      (guess === undefined ? '' : ` Did you mean ${named(guess)}?`) +
      ` Valid: ${names.map(named).join(', ') || 'none'}. To add it all the same: --add ${path.slice(0, 80)}=…, ` +
      'or in JSON for the mock, "add".',
  );
}

/**
 * The payload with every assignment made; the original stays as it is.
 * @throws UsageError
 */
export function assign(payload: unknown, assignments: readonly Assignment[]): unknown {
  const result: unknown = structuredClone(payload);
  for (const { path, value } of assignments) put(result, path.split('.'), value, path);
  return result;
}

function put(holder: unknown, [name = '', ...rest]: readonly string[], value: unknown, path: string): void {
  if (name === '' || name === '__proto__') throw new UsageError(`A payload has no member at ${path}`);
  const target = containerOf(holder, name, path);
  if (rest.length === 0) {
    target[name] = value;
    return;
  }
  const next: unknown = Object.hasOwn(target, name) ? target[name] : undefined;
  if (next === undefined || next === null) target[name] = {};
  put(target[name], rest, value, path);
}

function containerOf(holder: unknown, name: string, path: string): Record<string, unknown> {
  if (typeof holder !== 'object' || holder === null) {
    throw new UsageError(`Cannot set ${path}: ${name} would be a member of a plain value.`);
  }
  if (Array.isArray(holder) && !(/^\d{1,6}$/.test(name) && Number(name) <= holder.length)) {
    throw new UsageError(
      `Cannot set ${path}: a list of ${holder.length} has the places 0 to ${holder.length}.`,
    );
  }
  // An object or a list: a list's places are members too, and `name` is one of them.
  return holder as Record<string, unknown>;
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
