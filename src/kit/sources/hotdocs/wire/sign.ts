import { accessTokenHeader } from '../../../proofs/access-token.ts';
import { hs512Compact, signCompact, unsignedCompact } from '../../../proofs/compact.ts';
import { importSecret, type Secret } from '../../../proofs/secrets.ts';
import type { Destination, OutgoingRequest } from '../../../source.ts';
import { forging } from '../../forging.ts';
import type { Blank } from './form.ts';
import { methodFor } from './methods.ts';
import { placeContent } from './plain-content.ts';
import type { Choices } from '../switches.ts';
import { placeToken } from './token-place.ts';

/** The request that Advance would make, proven by the endpoint's credential. */
export async function sign(content: Buffer, to: Destination, choices: Choices): Promise<OutgoingRequest> {
  if (to.credential.kind === 'TOKEN') return withAccessToken(to.credential.text, content, to, choices);
  return placeToken(await signCompact(content, await secretOf(to, choices)), blank(to, choices), choices);
}

/** Requests that only look proven. */
export const forged = forging<Choices>('hotdocs', {
  'alg-none': (content, to, choices) => withForgedToken(unsignedCompact(content), content, to, choices),
  'missing-proof': (content, to, choices) => placeContent(content, blank(to, choices), choices),
  hs512: async (content, to, choices) =>
    withForgedToken(hs512Compact(content, await secretOf(to, choices)), content, to, choices),
});

/** Where an access token is expected, the forged one takes its place. */
function withForgedToken(token: string, content: Buffer, to: Destination, choices: Choices): OutgoingRequest {
  return to.credential.kind === 'TOKEN'
    ? withAccessToken(token, content, to, choices)
    : placeToken(token, blank(to, choices), choices);
}

function withAccessToken(token: string, content: Buffer, to: Destination, choices: Choices): OutgoingRequest {
  const request = placeContent(content, blank(to, choices), choices);
  const authorization = accessTokenHeader(token, choices.authForm);
  return { ...request, headers: { ...request.headers, Authorization: authorization } };
}

function blank(to: Destination, choices: Choices): Blank {
  return { method: methodFor(to.type, choices), path: to.path };
}

async function secretOf(to: Destination, { keyMode }: Choices): Promise<Secret> {
  return importSecret(to.credential.text, 1, keyMode);
}
