import type { Choices } from '../switches.ts';
import { z } from 'zod';
import { DeadLetter } from '../../../errors.ts';
import { isObject, strictJson, type JsonObject } from '../../../reading/json.ts';

/** What is known of an object's members: the ways they are spelled, and what lies inside. */
export type Shape = readonly Member[];

interface Member {
  readonly name: string;
  /** In lower case, the member's own name first. */
  readonly spellings: readonly string[];
  /** Text is text; where anything else is expected, text may be JSON, as forms and queries carry it. */
  readonly isText: boolean;
  readonly isList: boolean;
  readonly inside: Shape | undefined;
}

/**
 * Spellings that are suspected besides the canonical one, by the path of the member. A member of an object is also
 * found outside of it: `user.id` as `userId`.
 */
const otherSpellings: ReadonlyMap<string, readonly string[]> = new Map([
  ['workItemId', ['id']],
  ['workItemVersionId', ['versionId']],
  ['eventName', ['interviewEventName']],
  ['user.email', ['emailAddress', 'email']],
]);

/** Reads the shape off a schema, so that a member is written down once. */
export function shapeOf(schema: { readonly shape: object }, path = ''): Shape {
  return Object.entries(schema.shape).map(([name, field]) => memberOf(name, `${path}${name}`, field));
}

function memberOf(name: string, path: string, field: unknown): Member {
  const type = unwrapped(field);
  const item = type instanceof z.ZodArray ? type.element : type;
  return {
    name,
    spellings: [name, ...(otherSpellings.get(path) ?? [])].map((spelling) => spelling.toLowerCase()),
    isText: type instanceof z.ZodString,
    isList: type instanceof z.ZodArray,
    inside: item instanceof z.ZodObject ? shapeOf(item, `${path}.`) : undefined,
  };
}

function unwrapped(field: unknown): unknown {
  return field instanceof z.ZodOptional || field instanceof z.ZodDefault ? unwrapped(field.unwrap()) : field;
}

/**
 * The same members, known ones under their canonical names and without those that are `null`; unknown ones as they are.
 * @throws DeadLetter `json_forbidden` when names differ in letter case only: readers would disagree on which counts
 */
export function canonical(members: JsonObject, shape: Shape): JsonObject {
  const left = bySpelling(members);
  const known = shape.map((member) => [member.name, take(left, member)] as const);
  return Object.fromEntries([...known.filter(([, value]) => value !== undefined), ...left.values()]);
}

/** Names and values by the name in lower case. A Map: a name from outside never indexes an object. */
type Left = Map<string, readonly [name: string, value: unknown]>;

function bySpelling(members: JsonObject): Left {
  const left: Left = new Map();
  for (const [name, value] of Object.entries(members)) {
    const spelling = name.toLowerCase();
    if (left.has(spelling)) {
      throw new DeadLetter(
        'json_forbidden',
        'Two members of one object have the same name but for letter case.',
      );
    }
    left.set(spelling, [name, value]);
  }
  return left;
}

function take(left: Left, member: Member): unknown {
  const value = takeFirst(left, member.spellings);
  if (value !== undefined) return valueOf(value, member);
  return member.isList || member.inside === undefined
    ? undefined
    : takeFlat(left, member.name, member.inside);
}

function takeFirst(left: Left, spellings: readonly string[]): unknown {
  for (const spelling of spellings) {
    const value = left.get(spelling)?.[1];
    if (value === undefined) continue;
    left.delete(spelling);
    if (value !== null) return value;
  }
  return undefined;
}

/** The members of an object that are spread over the one around it. */
function takeFlat(left: Left, outer: string, inside: Shape): JsonObject | undefined {
  const found = inside.flatMap((member) => {
    const [own = '', ...others] = member.spellings;
    const value = takeFirst(left, [`${outer}${own}`.toLowerCase(), ...others]);
    return value === undefined ? [] : [[member.name, value] as const];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

function valueOf(value: unknown, { name, isText, isList, inside }: Member): unknown {
  // An id may be written as a number; not one so large that its digits were lost, or two of them could be one.
  if (isText && /id$/i.test(name) && Number.isSafeInteger(value)) return String(value);
  const read = typeof value === 'string' && !isText ? (jsonIn(value) ?? value) : value;
  if (inside === undefined) return read;
  if (isList && Array.isArray(read)) return read.map((item: unknown) => itemOf(item, inside));
  return itemOf(read, inside);
}

function itemOf(value: unknown, inside: Shape): unknown {
  return isObject(value) ? canonical(value, inside) : value;
}

/**
 * The object or array that a text is the JSON of, if it is one.
 * @throws DeadLetter `json_forbidden`
 */
export function jsonIn(value: string): unknown {
  if (!/^\s*[{[]/.test(value)) return undefined;
  try {
    return strictJson(Buffer.from(value));
  } catch (error) {
    if (error instanceof DeadLetter && error.reason === 'json_invalid') return undefined;
    throw error;
  }
}

/** The sender's half: known members with a capital, as a .NET serialiser writes them unless told otherwise. */
export function pascal(members: JsonObject, shape: Shape): JsonObject {
  const known = new Map(shape.map((member) => [member.name, member]));
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => {
      const member = known.get(name);
      return member === undefined ? [name, value] : [capitalised(name), pascalValue(value, member.inside)];
    }),
  );
}

function pascalValue(value: unknown, inside: Shape | undefined): unknown {
  if (inside === undefined) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => pascalValue(item, inside));
  return isObject(value) ? pascal(value, inside) : value;
}

/** The members of known objects beside the others: `user.id` as `userId`. */
export function flat(members: JsonObject, shape: Shape): JsonObject {
  const spread = new Set(shape.filter(({ inside, isList }) => inside && !isList).map(({ name }) => name));
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) =>
      spread.has(name) && isObject(value)
        ? Object.entries(value).map(([inner, item]) => [`${name}${capitalised(inner)}`, item])
        : [[name, value]],
    ),
  );
}

export function capitalised(name: string): string {
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}

// Where in a token's claims the event lies is not documented (HD-21). Both directions of every layout that is plausible.

/** An object with one of these is the event itself. */
const MARKS = ['eventtype', 'eventid', 'workitemid', 'createdby', 'createddate'];

/** Members that may hold the event, or within the event its data; an object, or the JSON text of one. */
const CONTAINERS = ['data', 'payload', 'event', 'body', 'json'];

/** Claims that speak of the token (RFC 7519), not of the event. */
const REGISTERED: ReadonlySet<string> = new Set(['iss', 'aud', 'exp', 'iat', 'nbf', 'jti', 'sub']);

/**
 * The event within the claims; the first that fits: they are the event, a container holds it, another text is the JSON
 * of it, or else they are taken as a flat list.
 */
export function eventIn(claims: JsonObject): JsonObject {
  if (isMarked(claims)) return withoutRegistered(claims);
  return containerIn(claims)?.inside ?? markedText(claims) ?? withoutRegistered(claims);
}

/** In which of these ways it lies there: `flat`, or under the name of the claim that holds it, and as what. */
export function layoutOf(claims: JsonObject): string {
  if (isMarked(claims)) return 'flat';
  const entries = Object.entries(claims);
  for (const container of CONTAINERS) {
    const [, value] =
      entries.find(([name, found]) => name.toLowerCase() === container && objectIn(found)) ?? [];
    if (value !== undefined) return `${container}-${typeof value === 'string' ? 'string' : 'object'}`;
  }
  return markedText(claims) === undefined ? 'flat' : 'another text';
}

/** The first container that a member is, and what remains without it. */
export function containerIn(members: JsonObject): { inside: JsonObject; others: JsonObject } | undefined {
  const entries = Object.entries(members);
  for (const container of CONTAINERS) {
    const found = entries.find(([name]) => name.toLowerCase() === container);
    const inside = objectIn(found?.[1]);
    if (inside) return { inside, others: Object.fromEntries(entries.filter((entry) => entry !== found)) };
  }
  return undefined;
}

function isMarked(members: JsonObject): boolean {
  return Object.keys(members).some((name) => MARKS.includes(name.toLowerCase()));
}

function markedText(claims: JsonObject): JsonObject | undefined {
  return Object.values(claims)
    .filter((value) => typeof value === 'string')
    .map(objectIn)
    .find((inside) => inside !== undefined && isMarked(inside));
}

function objectIn(value: unknown): JsonObject | undefined {
  const read = typeof value === 'string' ? jsonIn(value) : value;
  return isObject(read) ? read : undefined;
}

function withoutRegistered(claims: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !REGISTERED.has(name)));
}

/** The sender's half. */
export function layOut(event: JsonObject, layout: Choices['claims']): JsonObject {
  switch (layout) {
    case 'flat':
      return event;
    case 'data-object':
      return { data: event };
    case 'data-string':
      return { data: JSON.stringify(event) };
    case 'payload-string':
      return { payload: JSON.stringify(event) };
  }
}
