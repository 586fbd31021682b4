import { isTokenBody, proofKindOf } from '../endpoints.ts';
import type { EndpointUnderTest, Trial } from '../rule.ts';
import { refused, type RefusalOptions } from '../trials.ts';
import { encode, signParts, tokenIn, withToken, type Token } from './token.ts';

/** Makes another token of a genuine one; `undefined` when this one does not lend itself to it. */
export type Forge = (token: Token, at: EndpointUnderTest) => string | undefined;

/** A trial with another text in place of the genuine token. */
export function forged(name: string, forge: Forge, options: RefusalOptions = {}): Trial {
  return refused(
    name,
    (genuine, { endpoint }) => {
      const token = tokenIn(genuine, endpoint);
      const text = forge(token, endpoint);
      return text === undefined ? undefined : withToken(genuine, token, text);
    },
    options,
  );
}

/** The genuine payload under another header, rightly signed. */
export function underHeader(name: string, header: string | Buffer, options: RefusalOptions = {}): Trial {
  return forged(name, ({ payload, secret }) => signParts(encode(header), payload, secret), options);
}

/** The genuine header over another payload, rightly signed. */
export function overPayload(name: string, payload: string | Buffer, options: RefusalOptions = {}): Trial {
  return forged(name, ({ header, secret }) => signParts(header, encode(payload), secret), options);
}

/** These trials where a signed token proves a delivery, and none elsewhere. */
export function onTokens(trials: readonly Trial[]): (at: EndpointUnderTest) => readonly Trial[] {
  return (at) => (proofKindOf(at) === 'token' ? trials : []);
}

/** These trials where the token is a JWT in a form, a query or a header, and none elsewhere. */
export function onJwts(trials: readonly Trial[]): (at: EndpointUnderTest) => readonly Trial[] {
  return (at) => (proofKindOf(at) === 'token' && !isTokenBody(at) ? trials : []);
}
