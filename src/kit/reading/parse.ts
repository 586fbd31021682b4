import { z } from 'zod';
import { DeadLetter, type DeadLetterReason } from '../errors.ts';
import { readJson } from './json.ts';

/**
 * What comes from outside is `unknown` until this has read it.
 * @throws DeadLetter that names every member that does not fit, never its value
 */
export function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  reason: DeadLetterReason,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, code }) => `${path.join('.') || '(all of it)'}: ${code}`);
  throw new DeadLetter(reason, issues.join('; '));
}

/** Any JSON object. */
export const jsonObject = z.looseObject({});

/** The JSON object that bytes hold. @throws DeadLetter `json_invalid` or `payload_invalid` */
export function parseContent<Schema extends z.ZodType>(schema: Schema, content: Buffer): z.output<Schema> {
  return parse(schema, parse(jsonObject, readJson(content), 'json_invalid'), 'payload_invalid');
}
