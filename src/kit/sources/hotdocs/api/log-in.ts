import { successful } from '../../../outgoing/caller.ts';
import type { Outgoing, OutgoingReply } from '../../../outgoing/client.ts';
import { textOf } from '../../../outgoing/read-reply.ts';
import { urlBelow } from '../../../outgoing/template.ts';
import { hasStatus, type Token } from '../../../outgoing/tokens.ts';
import { CallFailed } from '../../../outgoing/errors.ts';
import type { ApiSettings } from './api-settings.ts';

/** The resource owner flow: names and password for a token, whose life span only the client's settings know. */
export async function logIn(outgoing: Outgoing, authUrl: URL, settings: ApiSettings): Promise<Token> {
  const { API_CLIENT_NAME, API_PRINCIPAL_NAME, API_PRINCIPAL_PASSWORD } = settings;
  const credentials = {
    ClientName: API_CLIENT_NAME,
    PrincipalName: API_PRINCIPAL_NAME,
    PrincipalPassword: API_PRINCIPAL_PASSWORD,
  };
  try {
    const reply = await successful(outgoing, {
      method: 'POST',
      url: urlBelow(authUrl, 'Authorize/ServicePrincipalLogIn'),
      headers: { 'Content-Type': 'application/json', Accept: 'text/plain' },
      body: JSON.stringify(credentials),
    });
    return { text: tokenIn(reply), usableMs: Infinity };
  } catch (error) {
    throw hasStatus(error, 400, 401, 403) ? refused(error) : error;
  }
}

function refused({ status, cause }: CallFailed): CallFailed {
  return new CallFailed(
    'status',
    `The login to HotDocs Advance was answered ${String(status)}. Check HOTDOCS_API_CLIENT_NAME, ` +
      'HOTDOCS_API_PRINCIPAL_NAME and its password, and that client and principal are active.',
    { status, cause },
  );
}

/** The reply is the token as plain text; quotes or a scheme around it have been seen, and are not part of it. */
function tokenIn(reply: OutgoingReply): string {
  const token = textOf(reply)
    .trim()
    .replace(/^["']|["']$/g, '')
    .replace(/^Bearer\s+/i, '')
    .replace(/^["']|["']$/g, '');
  // https://www.rfc-editor.org/rfc/rfc6750#section-2.1, the only letters that a Bearer token can have
  if (/^[A-Za-z0-9._~+/-]+=*$/.test(token)) return token;
  throw new Error(
    `HotDocs Advance answered the login with ${reply.body.length} bytes that are no token. Check HOTDOCS_API_AUTH_URL.`,
  );
}
