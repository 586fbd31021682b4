import { timingSafeEqual } from 'node:crypto';
import { headerValues, type Delivery } from '../delivery.ts';
import { DeliveryRejected } from '../errors.ts';
import type { Proof } from './proof.ts';
import { liveSecrets, type Secret } from './secrets.ts';

interface AccessTokenOptions {
  /** What the token vouches for: where the data travels is for the source to know. */
  content(delivery: Delivery): Buffer | Promise<Buffer>;
}

/**
 * One token, the same in every delivery, in the Authorization header: bare or after the word Bearer or Token. It shows
 * who sent the delivery, not that nobody has changed it on its way.
 */
export function accessToken(options: AccessTokenOptions): Proof {
  return {
    scheme: 'access-token',
    verify: async (delivery, secrets) => {
      const value = Buffer.from(tokenIn(delivery), 'latin1'); // Node's reading of header bytes
      const secret = secrets.find((candidate) => equal(value, candidate)) ?? withoutScheme(value, secrets);
      if (secret === undefined) throw mismatch(value.toString('latin1'), secrets);
      return { content: await options.content(delivery), secret: secret.position };
    },
  };
}

/** The sender's half: the value of the Authorization header. */
export function accessTokenHeader(token: string, form: 'bare' | 'bearer' | 'token'): string {
  switch (form) {
    case 'bare':
      return token;
    case 'bearer':
      return `Bearer ${token}`;
    case 'token':
      return `Token ${token}`;
  }
}

const SCHEME = /^(?:bearer|token)[ \t]+/i;

function tokenIn(delivery: Delivery): string {
  const values = headerValues(delivery, 'authorization');
  if (values.length > 1) {
    throw new DeliveryRejected(
      'proof_ambiguous',
      `Expected one Authorization header, ${values.length} came. Does a proxy add its own?`,
    );
  }
  const value = values[0] ?? '';
  if (value === '') {
    throw new DeliveryRejected(
      'proof_missing',
      'Expected the access token in the Authorization header, none came. Is the sender set to another method, or does ' +
        'a proxy take the header out?',
    );
  }
  return value;
}

/** The configured token may itself begin with such a word, so the whole value is compared first. */
function withoutScheme(value: Buffer, secrets: readonly Secret[]): Secret | undefined {
  const scheme = SCHEME.exec(value.toString('latin1'));
  if (scheme === null) return undefined;
  const token = value.subarray(scheme[0].length);
  return secrets.find((candidate) => equal(token, candidate));
}

/** timingSafeEqual throws on unequal lengths; the length of a token is not worth hiding. */
function equal(token: Buffer, { bytes }: Secret): boolean {
  return token.length === bytes.length && timingSafeEqual(token, bytes);
}

function mismatch(value: string, secrets: readonly Secret[]): DeliveryRejected {
  return new DeliveryRejected(
    'proof_mismatch',
    `The Authorization header does not hold ${liveSecrets(secrets, 'access token')}. ${causeIn(value)}`,
  );
}

/** By what the value looks like, never with anything of it. */
function causeIn(value: string): string {
  const bare = value.replace(SCHEME, '');
  if (/^eyJ[\w-]*\./.test(bare)) {
    return (
      'A JWT came: does a gateway in front put a token of its own there, or is the webhook set to HMAC authentication? ' +
      'Then its secret belongs into the variable that ends in _SECRET.'
    );
  }
  if (/^(?:Basic|Digest|Negotiate|NTLM|ApiKey|AWS4-HMAC-SHA256)[ \t]/i.test(value)) {
    return 'Credentials of another kind came: does a proxy in front put its own there?';
  }
  if (/^["']/.test(bare)) return 'A token in quotes came: it is to be sent without.';
  return (
    'Compare it with the one typed in at the sender: upper and lower case, no blank or line end around it, the scheme ' +
    'Bearer or Token or none.'
  );
}
