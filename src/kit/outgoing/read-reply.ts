import { z } from 'zod';
import { misfits, tryJson } from '../reading/json.ts';
import type { OutgoingReply } from './client.ts';

/**
 * What a reply says, read with a schema.
 * @throws Error, which says what does not fit and never a value: a proxy's error page may be gone the next time
 */
export function readReply<Schema extends z.ZodType>(
  what: string,
  schema: Schema,
  { body }: Pick<OutgoingReply, 'body'>,
): z.output<Schema> {
  const result = schema.safeParse(tryJson(body.toString('utf8')));
  if (result.success) return result.data;
  throw new Error(`${what} is not as expected; ${body.length} bytes came. ${misfits(result.error)}.`);
}

/** A state that may be written as a bare word, as JSON text, or as one of these members of a JSON object. */
export function readWord(
  { body }: Pick<OutgoingReply, 'body'>,
  members: readonly string[],
): string | undefined {
  const text = body.toString('utf8');
  const value = tryJson(text) ?? text.trim();
  const word = typeof value === 'string' ? value : memberIn(value, members);
  return word !== undefined && /^[\w -]{1,64}$/.test(word) ? word : undefined;
}

/** The first of these members that is a text. */
export function memberIn(value: unknown, members: readonly string[]): string | undefined {
  const object = z.looseObject({}).safeParse(value);
  if (!object.success) return undefined;
  return members.map((name) => object.data[name]).find((member) => typeof member === 'string');
}
