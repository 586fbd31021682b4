import { membersIn, Refusal, type Delivery, type Members } from './parts.ts';
import * as proof from './proof.ts';
import { right } from './right.ts';

// How villains look into tokens.

/** The part in the middle, believed or not. */
export function payloadOf(token: string): Buffer {
  return Buffer.from(token.split('.')[1] ?? '', 'base64url');
}

/** Its header, as far as it is one. */
export function headerOf(token: string): Members {
  try {
    return membersIn(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
  } catch {
    return {};
  }
}

/** Checks the token as the right receiver would, had the delivery this key. */
export function verifiedWith(key: string, token: string, delivery: Delivery): Buffer {
  const credential = { ...delivery.route.credential, text: key };
  return proof.verifyToken(token, { ...delivery, route: { ...delivery.route, credential } }, right);
}

/** What a delivery says, whoever has written it: the payload of a token wherever there is one, or else its body. */
export function believed({ query, headers, body }: Delivery): Buffer {
  const places = [body.toString('latin1'), query, headers.authorization ?? '', headers.cookie ?? ''];
  const [token] = places.flatMap((text) => /ey[\w-]+\.ey[\w-]+\.[\w-]*/.exec(text) ?? []);
  return token === undefined ? body : payloadOf(token);
}

/** What the first of these comes to that does not throw. */
export function firstOf<Value>(...attempts: readonly (() => Value)[]): Value {
  for (const attempt of attempts) {
    try {
      return attempt();
    } catch {
      continue;
    }
  }
  throw new Refusal(401);
}
