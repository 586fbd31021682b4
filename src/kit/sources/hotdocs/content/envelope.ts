import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DeadLetter } from '../../../errors.ts';
import { inUtf8, isObject, readJson, type JsonObject } from '../../../reading/json.ts';
import type { EndpointDefinition, Envelope, OutgoingEvent } from '../../../source.ts';
import { ACTION_LINK, events, INTERVIEW_LOAD, occasion } from '../events.ts';
import { containerIn, eventIn, layOut } from './members.ts';
import { canonical, capitalised, flat, pascal, shapeOf, type Shape } from './members.ts';
import type { Choices } from '../switches.ts';

/** The documentation has both spellings: HD-3. */
const LOAD_ALIAS = 'LoadInterviewEvent';

// No text: an id that is a number may have been another one before it was read.
const header = shapeOf(z.looseObject({ eventId: z.unknown(), eventType: z.string(), ...occasion }));
const payloads: ReadonlyMap<string, Shape> = new Map(
  Object.entries(events).map(([type, { schema }]) => [type, shapeOf(schema)]),
);
const answered: ReadonlySet<string> = new Set(
  Object.entries(events).flatMap(([type, { mode }]) => (mode === 'reply' ? [type] : [])),
);

/**
 * Takes the envelope off authenticated content, in whatever layout and spelling it came.
 * @throws DeadLetter
 */
export function readEnvelope(
  content: Buffer,
  endpoint: EndpointDefinition,
  claims: JsonObject = claimsIn(content),
): Envelope {
  const { eventId, eventType, ...members } = canonical(eventIn(claims), header);
  const type = typeOf(eventType, endpoint);
  const id = isPlain(eventId) ? eventId : undefined;
  return {
    type,
    id,
    key: id ?? keyOf(type, { ...claims, ...members }, content),
    payload: payloadOf(members, type),
  };
}

function claimsIn(content: Buffer): JsonObject {
  const claims = readJson(inUtf8(content));
  if (isObject(claims)) return claims;
  throw new DeadLetter('json_invalid', 'Expected a JSON object, another JSON value came.');
}

function typeOf(eventType: unknown, endpoint: EndpointDefinition): string {
  const named = eventType ?? endpoint.type;
  if (!isPlain(named)) throw new DeadLetter('event_unknown', 'Expected eventType to be a short plain name.');
  const type = named === LOAD_ALIAS ? INTERVIEW_LOAD : named;
  if (endpoint.type !== undefined && type !== endpoint.type && Object.hasOwn(events, type)) {
    throw new DeadLetter(
      'event_mismatch',
      `${type} came to ${endpoint.path}, which serves ${endpoint.type}.`,
    );
  }
  return type;
}

/** Anything else is no name or id of Advance's, and no store should have to keep it in a key. */
function isPlain(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,128}$/.test(value);
}

/** Of an event and of the token around it: what is different the next time, even where all else is the same. */
const OCCASIONS = ['createdDate', 'jti', 'iat', 'nbf', 'exp'];

/** The whole content, where nothing in it is an id. */
function keyOf(type: string, members: JsonObject, content: Buffer): string | undefined {
  // Two clicks are two events, and so are two openings of one interview: the second must not get the first one's answer.
  const isOnce = OCCASIONS.some((name) => Object.hasOwn(members, name));
  if (answered.has(type) && !isOnce) return undefined;
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

function payloadOf(members: JsonObject, type: string): JsonObject {
  const shape = payloads.get(type) ?? [];
  const data = containerIn(members);
  if (data === undefined) return canonical(members, shape);
  return { ...data.others, ...canonical(data.inside, shape) };
}

/** The sender's half: the content that is then proven. */
export function writeEnvelope(event: OutgoingEvent, choices: Choices): Buffer {
  const claims = {
    ...layOut(spelled(event, choices), choices.claims),
    ...times(event.at, choices.times),
    ...padding(Number(choices.padToken)),
  };
  return Buffer.from(JSON.stringify(claims));
}

function spelled(event: OutgoingEvent, choices: Choices): JsonObject {
  const shape = payloads.get(event.type) ?? [];
  const { data, ...around } = envelopeOf(event, choices);
  switch (choices.fieldStyle) {
    case 'camel':
      return { ...around, ...(data ? { data } : {}) };
    case 'pascal':
      return {
        ...pascal(around, [...header, ...shape]),
        ...(data ? { [capitalised('data')]: pascal(data, shape) } : {}),
      };
    case 'flat':
      return { ...flat(around, header), ...flat(data ?? {}, shape) };
  }
}

/** An action link's claims are taken to be flat: nothing is published of an envelope around them. */
function envelopeOf(event: OutgoingEvent, choices: Choices): JsonObject & { readonly data?: JsonObject } {
  const payload = isObject(event.payload) ? event.payload : {};
  if (event.type === ACTION_LINK) return payload;
  const { createdBy, createdDate = dateOf(event.at, choices.dateStyle), ...data } = payload;
  return {
    ...(choices.omitEventId === 'true' ? {} : { eventId: event.id }),
    eventType: event.type === INTERVIEW_LOAD ? choices.loadName : event.type,
    createdDate,
    ...(createdBy === undefined ? {} : { createdBy }),
    data: dataOf(event.type, data, choices),
  };
}

const ANSWERS_SO_FAR = { 'Tenant Name': 'Jonas Weber', 'Monthly Rent': 1450.5, 'Pets Allowed': false };

function dataOf(type: string, data: JsonObject, choices: Choices): JsonObject {
  const asked =
    choices.includeAnswers === 'true' && payloads.get(type)?.some(({ name }) => name === 'answers');
  return {
    ...(asked === true ? { answers: ANSWERS_SO_FAR } : {}),
    ...data,
    ...(Array.isArray(data['documents']) ? { documents: documentsOf(data['documents'], data, choices) } : {}),
  };
}

function documentsOf(documents: readonly unknown[], data: JsonObject, choices: Choices): unknown[] {
  return documents.map((document) => {
    if (!isObject(document)) return document;
    const { id, name, url, ...others } = document;
    const kept = choices.payloadFormat === 'legacy' ? {} : others;
    return { id, name, url: urlOf(url, id, data, choices.docUrl), ...kept };
  });
}

function urlOf(url: unknown, id: unknown, data: JsonObject, style: Choices['docUrl']): unknown {
  const base = typeof url === 'string' ? /^.*?\/rest\//.exec(url)?.[0] : undefined;
  if (base === undefined || style === 'given') return url;
  const { workItemId, workItemVersionId } = data;
  return style === 'v1.1'
    ? `${base}v1.1/workitems/${String(workItemId)}/documents/${String(id)}/content`
    : `${base}v2.0/WorkItems/${String(workItemId)}/Versions/${String(workItemVersionId)}/Documents/${String(id)}/Content`;
}

const TWO_HOURS_MS = 7_200_000;

function dateOf(at: Date, style: Choices['dateStyle']): string {
  switch (style) {
    case '7 digits':
      return at.toISOString().replace('Z', '0000Z');
    case '3 digits':
      return at.toISOString();
    case 'none':
      return at.toISOString().replace(/\.\d+Z/, 'Z');
    case 'offset':
      return new Date(at.getTime() + TWO_HOURS_MS).toISOString().replace('Z', '0000+02:00');
  }
}

const LIFE_S = 300;

function times(at: Date, style: Choices['times']): JsonObject {
  const iat = Math.floor(at.getTime() / 1000);
  switch (style) {
    case 'none':
      return {};
    case 'iat':
      return { iat };
    case 'iat+exp':
      return { iat, exp: iat + LIFE_S };
  }
}

const MOST_PADDING = 10_000_000;

function padding(length: number): JsonObject {
  return length > 0 ? { padding: 'x'.repeat(Math.min(length, MOST_PADDING)) } : {};
}
