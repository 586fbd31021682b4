import { isObject } from '../../../reading/json.ts';
import type { Delivery } from '../../../delivery.ts';
import type { OutgoingRequest } from '../../../source.ts';
import {
  multipartFields,
  multipartOf,
  placeFields,
  urlencodedFields,
  type Blank,
  type Field,
} from './form.ts';
import { jsonIn } from '../content/members.ts';
import type { Choices } from '../switches.ts';

/** How a form begins, in the only letters that one is written with: a name, and what ends it. */
const FORM = /^[\w.*+%[\]~&-]+=/;

/** Of a field, of any event's. */
const LONGEST_NAME = 1_024;

/**
 * What an access token vouches for: the fields of the form, else of the query, as a JSON object; any other body as it
 * came. To read as a form what is none would lose letters for good, while what is kept can still be read by a human.
 */
export function plainContent(delivery: Delivery): Buffer | Promise<Buffer> {
  const { body, query } = delivery;
  if (body.length === 0) return contentOf(urlencodedFields(query), Buffer.from(query));
  const multipart = multipartOf(delivery);
  if (multipart !== undefined) return multipartFields(multipart).then((fields) => contentOf(fields, body));
  return FORM.test(body.toString('latin1', 0, LONGEST_NAME))
    ? contentOf(urlencodedFields(body.toString('utf8')), body)
    : body;
}

/** Written member by member, so that a repeated field is a repeated member, and stands out when the JSON is checked. */
function contentOf(fields: readonly Field[] | undefined, unread: Buffer): Buffer {
  if (fields === undefined) return unread;
  const members = fields.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return Buffer.from(`{${members.join(',')}}`);
}

/** The sender's half. */
export function placeContent(content: Buffer, to: Blank, { tokenBody }: Choices): OutgoingRequest {
  const place = placeOn(to.method, tokenBody);
  const fields = place === 'json' ? undefined : fieldsOf(content);
  if (place !== 'json' && fields !== undefined) return placeFields(fields, to, place);
  return {
    method: to.method,
    target: to.path,
    headers: { 'Content-Type': 'application/json; charset=utf-8' },
    body: content,
  };
}

function placeOn(method: string, place: Choices['tokenBody']): Exclude<Choices['tokenBody'], 'usual'> {
  if (place !== 'usual') return place;
  return method === 'GET' ? 'query' : 'json';
}

/** Objects and lists travel as JSON text; content that is no object has no fields. */
function fieldsOf(content: Buffer): readonly Field[] | undefined {
  const members = jsonIn(content.toString('utf8'));
  if (!isObject(members)) return undefined;
  return Object.entries(members).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
}
