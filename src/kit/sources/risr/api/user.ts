import { isDeepStrictEqual } from 'node:util';
import { DeadLetter } from '../../../errors.ts';
import { checkJson, type JsonObject } from '../../../reading/json.ts';
import type { OutgoingReply } from '../../../outgoing/client.ts';
import { idText, textOf } from '../../../outgoing/read-reply.ts';
import { readDocument } from '../content/document.ts';

/** A user or booking: all its members, its identity as `id` and `rev` however the API spells it. */
export type Document = JsonObject & { readonly id: string; readonly rev: string | undefined };

/** Names the members that are to have other values. Nothing, or the values they have, leaves the user alone. */
export type Change = (user: Document) => JsonObject | undefined;

export function documentOf(raw: JsonObject, asked: string): Document {
  const document = readDocument(raw);
  return { ...document, id: textOr(document['id'], asked), rev: textOr(document['rev'], undefined) };
}

/**
 * The whole user as it is to be written: members that the change does not name stay, `rev` and the spelling of identity
 * are those that were read. Nothing if there is no difference, so that a write does not cause the event that caused it.
 */
export function changedUser(raw: JsonObject, asked: string, change: Change): JsonObject | undefined {
  const kept = without(raw, NOT_WRITTEN);
  const named = without(change(documentOf(raw, asked)) ?? {}, [...NOT_WRITTEN, ...IDENTITY]);
  const changed = { ...kept, ...(JSON.parse(JSON.stringify(named)) as JsonObject) }; // JSON of an object is one
  return isDeepStrictEqual(changed, kept) ? undefined : changed;
}

/** Refuses to overwrite blindly. @throws DeadLetter if writing back what was read could change more than was meant */
export function checkWritable(raw: JsonObject, reply: OutgoingReply): void {
  checkJson(Buffer.from(textOf(reply)));
  if (documentOf(raw, '').rev !== undefined) return;
  throw new DeadLetter(
    'handler_gave_up',
    'The API answered a user without rev; written back, it could overwrite what others changed.',
  );
}

/** These belong to the delivery and to the history. */
const NOT_WRITTEN = ['webhook_request_id', 'auditLog'];
const IDENTITY = ['id', '_id', 'rev', '_rev'];

function without(members: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)));
}

function textOr<Otherwise>(value: unknown, otherwise: Otherwise): string | Otherwise {
  const { data: text = '' } = idText.safeParse(value);
  return text === '' ? otherwise : text;
}
