import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { ApiRefusal, replyJson, type PlatformReply, type PlatformRequest } from '../platform.ts';

/** An account whose roles decide what it may do through the API. */
export const apiUser = z.strictObject({
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
  id: z.string().min(1).default('usr-0009'),
  firstName: z.string().default('API'),
  lastName: z.string().default('User'),
  email: z.string().default('api@example.org'),
  /** "Allow user to manage web hooks" */
  manageWebHooks: z.boolean().default(true),
  /** "Allow user to manage bookings" */
  manageBookings: z.boolean().default(true),
  manageUsers: z.boolean().default(true),
  tokenLifeS: z.number().positive().default(300),
});

export type ApiUser = z.output<typeof apiUser>;

type Permission = 'manageWebHooks' | 'manageBookings' | 'manageUsers';

export interface Access {
  /** With client credentials. */
  grant(request: PlatformRequest): PlatformReply;
  /** Who calls. @throws ApiRefusal 401 without a valid token, 403 for another organisation */
  demand(request: PlatformRequest): ApiUser;
  /** From now on every token there is has expired. */
  expireTokens(): void;
}

export function createAccess(users: readonly ApiUser[], organisation: string, now: () => Date): Access {
  const tokens = new Map<string, { readonly user: ApiUser; readonly endsMs: number }>();
  return {
    grant(request) {
      const form = formIn(request);
      if (form.get('grant_type') !== 'client_credentials') return refused(400, 'unsupported_grant_type');
      const user = users.find(
        ({ clientId, clientSecret }) =>
          clientId === form.get('client_id') && clientSecret === form.get('client_secret'),
      );
      if (user === undefined) return refused(401, 'invalid_client');
      const token = randomBytes(32).toString('base64url');
      tokens.set(token, { user, endsMs: now().getTime() + user.tokenLifeS * 1000 });
      const granted = { access_token: token, token_type: 'Bearer', expires_in: user.tokenLifeS };
      return replyJson(200, granted, { 'Cache-Control': 'no-store' });
    },
    demand({ headers }) {
      const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
      const found = tokens.get(given ?? '');
      if (found === undefined || found.endsMs <= now().getTime()) {
        throw new ApiRefusal(401, 'No valid token.', { 'WWW-Authenticate': 'Bearer' });
      }
      if (headers['eas-organisation'] === organisation) return found.user;
      throw new ApiRefusal(403, 'EAS-Organisation does not name the organisation of this API user.');
    },
    expireTokens: () => tokens.clear(),
  };
}

/** @throws ApiRefusal 403 */
export function demandPermission(user: ApiUser, permission: Permission): void {
  if (!user[permission]) throw new ApiRefusal(403, `This API user lacks the permission ${permission}.`);
}

function formIn({ headers, body }: PlatformRequest): URLSearchParams {
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '');
  return new URLSearchParams(isForm ? body.toString() : '');
}

// https://www.rfc-editor.org/rfc/rfc6749#section-5.2
function refused(status: number, error: string): PlatformReply {
  return replyJson(status, { error }, { 'Cache-Control': 'no-store' });
}
