import { z } from 'zod';
import { successful } from '../../../outgoing/caller.ts';
import type { Outgoing } from '../../../outgoing/client.ts';
import { CallFailed } from '../../../outgoing/errors.ts';
import { readReply } from '../../../outgoing/read-reply.ts';
import { hasStatus, type Token } from '../../../outgoing/tokens.ts';
import type { ApiSettings } from './api-settings.ts';

/** Gets tokens with client credentials, from the endpoint that the discovery document names. */
export function createAccess(
  outgoing: Outgoing,
  discoveryUrl: URL,
  settings: ApiSettings,
): () => Promise<Token> {
  let endpoint: URL | undefined;
  return async () => {
    endpoint ??= await discover(outgoing, discoveryUrl);
    try {
      return await askForToken(outgoing, endpoint, settings);
    } catch (error) {
      endpoint = undefined; // it may have moved
      throw hasStatus(error, 400, 401, 403) ? refused(error) : error;
    }
  };
}

const discovery = z.looseObject({ token_endpoint: z.url() });

async function discover(outgoing: Outgoing, url: URL): Promise<URL> {
  const reply = await successful(outgoing, { method: 'GET', url, headers: { Accept: 'application/json' } });
  return new URL(readReply('The discovery document', discovery, reply).token_endpoint);
}

const granted = z.looseObject({
  // https://www.rfc-editor.org/rfc/rfc6750#section-2.1, the only letters that a Bearer token can have
  access_token: z.string().regex(/^[A-Za-z0-9._~+/-]+=*$/),
  expires_in: z.coerce.number().positive().optional().catch(undefined),
});

const USUAL_LIFETIME_S = 300;
const SPARE_S = 60;

async function askForToken(outgoing: Outgoing, url: URL, settings: ApiSettings): Promise<Token> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: settings.API_CLIENT_ID,
    client_secret: settings.API_CLIENT_SECRET,
  });
  const reply = await successful(outgoing, {
    method: 'POST',
    url,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'application/json' },
    body: form.toString(),
  });
  const { access_token: text, expires_in: lifetimeS } = readReply('The answer to the login', granted, reply);
  return { text, usableMs: usableS(lifetimeS) * 1000 };
}

/** A token that lives no longer than what is spared of it is used for half its life, or each call would need a login. */
function usableS(lifetimeS: number | undefined): number {
  if (lifetimeS === undefined) return USUAL_LIFETIME_S;
  return Math.max(lifetimeS - SPARE_S, lifetimeS / 2);
}

function refused({ status, cause }: CallFailed): CallFailed {
  return new CallFailed(
    'status',
    `The login to risr/advance was answered ${String(status)}. Check RISR_API_CLIENT_ID and RISR_API_CLIENT_SECRET.`,
    { status, cause },
  );
}
