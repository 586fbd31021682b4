import { z } from 'zod';
import { randomText, type Random } from '../../random.ts';
import { ApiRefusal } from '../platform.ts';
import type { Document, Documents } from './documents.ts';

const definition = z.looseObject({ _id: z.string().min(1), name: z.string().min(1) });

export const userFieldDefinition = definition.extend({
  fieldType: z.enum(['string', 'discrete']),
  isRequired: z.boolean(),
});
export const role = definition;

export type Definition = z.output<typeof definition>;

/** What may be known of a user; members that are not listed are kept, too. */
export const userFields = z.looseObject({
  firstName: z.string().default(''),
  lastName: z.string().default(''),
  email: z.string().default(''),
  roles: z.array(z.string()).default([]),
  userFields: z.array(z.looseObject({ _id: z.string(), value: z.unknown() })).default([]),
  /** `proxy`: single sign-on, a user name only. */
  credentials: z
    .array(z.object({ type: z.enum(['proxy', 'local']), userName: z.string().min(1) }))
    .default([]),
});

export type UserFields = z.output<typeof userFields>;

export type User = UserFields & { readonly auditLog: readonly AuditEntry[] };

interface AuditEntry {
  readonly date: string;
  readonly by: string;
}

/** Attributes of a single sign-on by name; none at a local login. */
export type Sso = Readonly<Record<string, readonly string[]>>;

/** The user as the API is given it. @throws ApiRefusal 400 */
export function readUser(body: object, known: readonly Definition[]): UserFields {
  const result = userFields.safeParse(body);
  if (!result.success) throw new ApiRefusal(400, z.prettifyError(result.error));
  // It belongs to a delivery: stored, it would take the place of the next delivery's own.
  if ('webhook_request_id' in result.data) throw new ApiRefusal(400, 'A user has no webhook_request_id.');
  const user = result.data;
  const ids = [...user.roles, ...user.userFields.map((field) => field._id)];
  const unknown = ids.filter((id) => !known.some((one) => one._id === id));
  if (unknown.length > 0) throw new ApiRefusal(400, `Unknown role or user field: ${unknown.join(', ')}.`);
  return user;
}

/** With the save noted in its history, which nobody writes himself. */
export function audited(user: UserFields, before: User | undefined, entry: AuditEntry): User {
  return { ...user, auditLog: [...(before?.auditLog ?? []), entry] };
}

/** By user name, else by e-mail. */
export function userOf(users: Documents<User>, sso: Sso): Document<User> | undefined {
  const [userName, email] = [first(sso, 'eppn'), first(sso, 'mail')];
  const byName = users
    .all()
    .find(({ credentials }) => credentials.some((credential) => isSame(credential.userName, userName)));
  return byName ?? users.all().find((user) => isSame(user.email, email));
}

function isSame(one: string, other: string): boolean {
  return one !== '' && one.toLowerCase() === other.toLowerCase();
}

function first(sso: Sso, wanted: string): string {
  const [, values] = Object.entries(sso).find(([name]) => name.toLowerCase() === wanted) ?? [];
  return values?.[0] ?? '';
}

/** An account as it is made at the first access. */
export function accountFor(sso: Sso): UserFields {
  const userName = first(sso, 'eppn');
  return userFields.parse({
    firstName: first(sso, 'givenname'),
    lastName: first(sso, 'sn'),
    email: first(sso, 'mail'),
    credentials: userName === '' ? [] : [{ type: 'proxy', userName }],
  });
}

export function newUserId(random: Random): string {
  return `usr-${randomText(8, random)}`;
}

/** The profile document that hooks carry: it has an id of its own, and the user's `rev`. */
export function profileOf(user: Document<User>, organisation: string): object {
  return { ...user, id: `profile_${organisation}_${user.id}` };
}
