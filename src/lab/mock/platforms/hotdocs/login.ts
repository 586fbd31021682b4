import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { ApiRefusal, replyText, type PlatformReply, type PlatformRequest } from '../platform.ts';
import type { HotdocsChoices } from './switches.ts';

const scopes = ['Query', 'Command', 'Root'] as const;
type Scope = (typeof scopes)[number];

/** An API client and its service principal. */
export const apiClient = z.strictObject({
  clientName: z.string().min(1),
  principalName: z.string().min(1),
  principalPassword: z.string().min(1),
  flow: z.enum(['ResourceOwner', 'Implicit']).default('ResourceOwner'),
  active: z.boolean().default(true),
  principalActive: z.boolean().default(true),
  scope: z.enum(scopes).default('Command'),
  tokenLifeS: z.number().positive().default(3600),
});

export type ApiClient = z.output<typeof apiClient>;

export interface Login {
  /** @throws ApiRefusal 400, 401, 415 */
  logIn(request: PlatformRequest, style: HotdocsChoices['loginReply']): PlatformReply;
  /** @throws ApiRefusal 401, 403 */
  demand(request: PlatformRequest, needed: Scope): void;
  /** From now on every token there is has expired. */
  expireTokens(): void;
}

export function createLogin(clients: readonly ApiClient[], now: () => Date): Login {
  const tokens = new Map<string, { readonly scope: Scope; readonly endsMs: number }>();
  return {
    logIn(request, style) {
      const client = clientFor(clients, credentialsIn(request));
      const token = randomBytes(32).toString('base64url');
      tokens.set(token, { scope: client.scope, endsMs: now().getTime() + client.tokenLifeS * 1000 });
      return replyText(200, styled(token, style));
    },
    demand({ headers }, needed) {
      const given = /^(?:Bearer +)?(\S+)$/i.exec(headers.authorization ?? '')?.[1];
      const found = tokens.get(given ?? '');
      if (found === undefined || found.endsMs <= now().getTime()) throw unauthorised('No valid token.');
      if (scopes.indexOf(found.scope) >= scopes.indexOf(needed)) return;
      throw new ApiRefusal(403, `The scope of this token is ${found.scope}; this needs ${needed}.`);
    },
    expireTokens() {
      tokens.clear();
    },
  };
}

const credentials = z.object({
  clientname: z.string(),
  principalname: z.string(),
  principalpassword: z.string(),
});

type Credentials = z.output<typeof credentials>;

function credentialsIn({ headers, body }: PlatformRequest): Credentials {
  if (!/^application\/json\b/i.test(headers['content-type'] ?? '')) {
    throw new ApiRefusal(415, 'The login takes application/json.');
  }
  const result = credentials.safeParse(lowerCased(lenientJson(body.toString())));
  if (result.success) return result.data;
  throw new ApiRefusal(400, 'Expected ClientName, PrincipalName and PrincipalPassword as JSON.');
}

/** Published samples have single quotes and a trailing comma. */
function lenientJson(text: string): unknown {
  const mended = text
    .replace(/,(\s*\})/g, '$1')
    .replace(/'([^']*)'/g, (_, inner: string) => JSON.stringify(inner));
  for (const candidate of [text, mended]) {
    try {
      return JSON.parse(candidate) as unknown;
    } catch {
      continue;
    }
  }
  return undefined;
}

function lowerCased(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [name.toLowerCase(), value as unknown]),
  );
}

function clientFor(clients: readonly ApiClient[], given: Credentials): ApiClient {
  const found = clients.find(
    (client) =>
      client.clientName === given.clientname &&
      client.principalName === given.principalname &&
      client.principalPassword === given.principalpassword,
  );
  const usable = found?.active === true && found.principalActive && found.flow === 'ResourceOwner';
  if (!usable) throw unauthorised('No active client and service principal with these credentials.');
  return found;
}

function unauthorised(message: string): ApiRefusal {
  return new ApiRefusal(401, message, { 'WWW-Authenticate': 'Bearer' });
}

function styled(token: string, style: HotdocsChoices['loginReply']): string {
  switch (style) {
    case 'raw':
      return token;
    case 'quoted':
      return `"${token}"`;
    case 'bearer':
      return `Bearer ${token}`;
  }
}
