import { isObject, type JsonObject } from '../../../reading/json.ts';
import { jsonIn } from './members.ts';
import type { Choices } from '../switches.ts';

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
