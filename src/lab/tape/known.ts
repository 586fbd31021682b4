import { z } from 'zod';
import { isObject, tryJson } from '../../kit/reading/json.ts';
import type { Source, Switches } from '../../kit/source.ts';
import { switchesOf } from '../mock/request.ts';
import type { Place } from './prove-again.ts';

/** What stands in a delivery because of its sender's protocol, and says nothing of anybody. */
export interface Known {
  /** Of members and fields. */
  readonly names: ReadonlySet<string>;
  /** Event types, and the choices that a schema or a switch of the mock has. */
  readonly texts: ReadonlySet<string>;
}

/** Of a token (RFC 7519), and of the form that has it. */
const REGISTERED = [
  'iss',
  'sub',
  'aud',
  'exp',
  'nbf',
  'iat',
  'jti',
  'alg',
  'typ',
  'kid',
  'JWT',
  'HS256',
  'token',
];

/** Read off the data sheet: its schemas, and whatever its mock writes with every choice of every switch. */
export function knownTo({ source, settings }: Place): Known {
  const names = new Set([...REGISTERED, ...Object.keys(source.switches)]);
  const texts = new Set([...REGISTERED, ...Object.keys(source.events)]);
  for (const { values = [] } of Object.values(source.switches)) for (const value of values) texts.add(value);
  for (const value of Object.values(settings))
    if (Array.isArray(value)) value.forEach((name) => names.add(String(name)));
  for (const { schema } of Object.values(source.events)) {
    gather(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), (name, value) => {
      if (name === 'properties' && isObject(value))
        for (const member of Object.keys(value)) names.add(member);
      if (name === 'enum' || name === 'const') for (const choice of [value].flat()) texts.add(String(choice));
    });
  }
  for (const written of everythingWritten(source)) gather(written, (name) => names.add(name));
  return { names, texts };
}

/** Calls back for each member at any depth, of JSON within texts, too. */
function gather(value: unknown, found: (name: string, value: unknown) => void): void {
  if (typeof value === 'string' && /^[{[]/.test(value)) gather(tryJson(value), found);
  else if (Array.isArray(value)) value.forEach((item) => gather(item, found));
  else if (isObject(value)) {
    for (const [name, member] of Object.entries(value)) {
      found(name, member);
      gather(member, found);
    }
  }
}

function everythingWritten(source: Source): unknown[] {
  const choices = Object.entries(source.switches).flatMap(([name, { values = [] }]) =>
    values.map((value): Switches => ({ [name]: value })),
  );
  return Object.entries(source.events).flatMap(([type, { example: payload }]) =>
    [{}, ...choices].map((chosen) => {
      const event = { type, id: type, at: new Date(0), payload };
      return tryJson(source.envelope.write(event, switchesOf(source, chosen)).toString());
    }),
  );
}
