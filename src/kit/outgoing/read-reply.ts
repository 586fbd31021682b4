import { z } from 'zod';
import { misfits, tryJson } from '../reading/json.ts';
import { textIn } from '../reading/text.ts';
import type { OutgoingReply } from './client.ts';

/** A reply does not say what it should; the message says what does not fit. */
export class ReplyUnexpected extends Error {
  override readonly name = 'ReplyUnexpected';
}

/**
 * What a reply says, read with a schema.
 * @throws ReplyUnexpected, which says what does not fit and never a value: a proxy's error page may be gone the next time
 */
export function readReply<Schema extends z.ZodType>(
  what: string,
  schema: Schema,
  reply: OutgoingReply,
): z.output<Schema> {
  const result = schema.safeParse(tryJson(textOf(reply)));
  if (result.success) return result.data;
  throw new ReplyUnexpected(
    `${what} is not as expected; ${reply.body.length} bytes came. ${misfits(result.error)}.`,
  );
}

/** A state that may be written as a bare word, as JSON text, or as one of these members of a JSON object. */
export function readWord(reply: OutgoingReply, members: readonly string[]): string | undefined {
  const text = textOf(reply);
  const value = tryJson(text) ?? text.trim();
  const word = typeof value === 'string' ? value : memberIn(value, members);
  return word !== undefined && /^[\w -]{1,64}$/.test(word) ? word : undefined;
}

/** What a reply says, in whichever encoding. */
export function textOf({ body, headers }: OutgoingReply): string {
  const [, charset] = /;\s*charset\s*=\s*"?([\w.:-]+)/i.exec(String(headers['content-type'])) ?? [];
  return textIn(body, charset);
}

/** An id, which may be written as a number; not one so large that its digits were lost when it was read. */
export const idText = z.union([z.string(), z.int().transform(String)]);

/** The ids among these members. */
export function idsOf(value: unknown, members: readonly string[]): string[] {
  const object = z.looseObject({}).safeParse(value);
  if (!object.success) return [];
  return members.flatMap((name) => idText.safeParse(object.data[name]).data ?? []);
}

/** The first of these members that is a text. */
export function memberIn(value: unknown, members: readonly string[]): string | undefined {
  const object = z.looseObject({}).safeParse(value);
  if (!object.success) return undefined;
  return members.map((name) => object.data[name]).find((member) => typeof member === 'string');
}
