import { isObject, type JsonObject } from '../../../reading/json.ts';
import { DeadLetter } from '../../../errors.ts';

// Neither half of this payload is documented in detail (RI-25): which member holds the user's id, and where the data of the
// single sign-on stands. Both can be set.

/** Where to look in a login's payload, in this order. */
interface LoginPlaces {
  /** Member names; `user.id` looks inside an object. */
  readonly userId: readonly string[];
  readonly sso: readonly string[];
}

/** How the mock writes it. */
interface LoginChoices {
  readonly userMember: string;
  readonly sso: 'nested' | 'flat';
}

/** @throws DeadLetter that names the members that came, so that the right one can be set */
export function readLogin(document: JsonObject, places: LoginPlaces): JsonObject {
  const userPlace = places.userId.find((place) => valueAt(document, place) !== undefined);
  const user = userPlace === undefined ? undefined : valueAt(document, userPlace);
  // The first place that holds anything decides: passing over it could find the id of something else.
  if (userPlace === undefined || typeof user !== 'string') {
    throw new DeadLetter(
      'payload_invalid',
      `No user id under ${places.userId.join(', ')}. Members that came: ${namesOf(document)}.`,
    );
  }
  const nested = places.sso.map((place) => valueAt(document, place)).find(isObject);
  return { user, sso: ssoOf(nested ?? remainingTexts(document, userPlace)) };
}

export function writeLogin({ user, sso }: JsonObject, choices: LoginChoices): JsonObject {
  const headers = Object.fromEntries(
    Object.entries(isObject(sso) ? sso : {}).map(([name, values]) => [name, joined(values)]),
  );
  return { [choices.userMember]: user, ...(choices.sso === 'nested' ? { headers } : headers) };
}

function valueAt(document: JsonObject, place: string): unknown {
  let value: unknown = document;
  for (const name of place.split('.')) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value ?? undefined;
}

function remainingTexts(document: JsonObject, userPlace: string): JsonObject {
  return Object.fromEntries(
    Object.entries(document).filter(([name, value]) => name !== userPlace && typeof value === 'string'),
  );
}

/** Header names do not depend on case. Two spellings of one name are one name with the values of both. */
function ssoOf(headers: JsonObject): Record<string, string[]> {
  const sso = new Map<string, string[]>();
  for (const [name, value] of Object.entries(headers)) {
    const values = (Array.isArray(value) ? value : [value]).flatMap(valuesIn);
    if (values.length === 0) continue;
    const key = name.toLowerCase();
    const known = sso.get(key);
    if (known === undefined) sso.set(key, values);
    else for (const further of values) known.push(further);
  }
  return Object.fromEntries(sso);
}

const MAX_VALUE_LENGTH = 8192;

/** Shibboleth joins several values of an attribute with `;` and writes a semicolon inside one as `\;`. */
function valuesIn(header: unknown): string[] {
  if (typeof header !== 'string') return [];
  const values = header.slice(0, MAX_VALUE_LENGTH).split(/(?<!\\);/);
  // What the limit cuts through is dropped: half of `admin-readonly` must not read `admin`.
  if (header.length > MAX_VALUE_LENGTH) values.pop();
  return values.map((value) => value.replaceAll('\\;', ';').replace(/\p{Cc}/gu, '')).filter(Boolean);
}

function joined(values: unknown): unknown {
  if (!Array.isArray(values)) return values;
  return values.map((value) => String(value).replaceAll(';', '\\;')).join(';');
}

/** Names only, and no more of them than a log line bears. */
function namesOf(document: JsonObject): string {
  return Object.keys(document)
    .slice(0, 20)
    .map((name) => JSON.stringify(name.slice(0, 40)))
    .join(', ');
}
