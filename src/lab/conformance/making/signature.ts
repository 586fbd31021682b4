import { createHmac } from 'node:crypto';
import { proofKindOf } from '../endpoints.ts';
import { DoesNotApply, type EndpointUnderTest, type Trial } from '../rule.ts';
import { refused, type RefusalOptions } from '../trials.ts';
import type { Header, WireRequest } from '../wire.ts';

/** A genuine signature in a header, taken apart, with what its sender knows. */
export interface Signature {
  /** As the sender spells it. */
  readonly header: string;
  readonly value: string;
  /** 32 of them. */
  readonly bytes: Buffer;
  readonly body: Buffer;
  readonly secret: string;
  /** Other bytes as the sender would spell them. */
  readonly spell: (bytes: Buffer) => string;
}

const SPELLING = /^(?:[\w-]+[=:, ])?([0-9a-f]{64}|[\w+/-]{43}=?)$/i;

/** Finds the header that is the HMAC of the body, or else the first that looks like 32 bytes, in whatever spelling. */
export function signatureIn(
  { headers, body }: WireRequest,
  { credential: { text: secret } }: EndpointUnderTest,
): Signature {
  const found = headers.flatMap(([header, value]): Signature[] => {
    const text = SPELLING.exec(value)?.[1];
    if (text === undefined) return [];
    const encoding = text.length === 64 ? 'hex' : 'base64';
    const spell = (bytes: Buffer) => value.replace(text, spelledAs(text, bytes));
    return [{ header, value, bytes: Buffer.from(text, encoding), body, secret, spell }];
  });
  const usual = mac(body, secret);
  const signature = found.find(({ bytes }) => bytes.equals(usual)) ?? found[0];
  if (signature === undefined)
    throw new DoesNotApply('this sender writes no signature of 32 bytes into a header');
  return signature;
}

function spelledAs(text: string, bytes: Buffer): string {
  if (text.length === 64) {
    const hex = bytes.toString('hex');
    return /[A-F]/.test(text) ? hex.toUpperCase() : hex;
  }
  return bytes.toString(text.endsWith('=') ? 'base64' : 'base64url');
}

/** An HMAC by no code that the receiver could share. */
export function mac(body: string | Buffer, key: string | Buffer, algorithm = 'sha256'): Buffer {
  return createHmac(algorithm, key).update(body).digest();
}

/** The request with these values in its signature header, one after the other; with none, without it. */
export function signed<Request extends WireRequest>(
  request: Request,
  { header }: Signature,
  ...values: readonly string[]
): Request {
  const others = request.headers.filter(([name]) => name !== header);
  return { ...request, headers: [...others, ...values.map((value): Header => [header, value])] };
}

/** A trial with another text in place of the genuine signature, or several; `undefined` where this one does not lend itself. */
export function respelled(
  name: string,
  respell: (signature: Signature) => string | readonly string[] | undefined,
  options: RefusalOptions = {},
): Trial {
  return refused(
    name,
    (genuine, { endpoint }) => {
      const signature = signatureIn(genuine, endpoint);
      const values = respell(signature);
      if (values === undefined) return undefined;
      return signed(genuine, signature, ...(typeof values === 'string' ? [values] : values));
    },
    options,
  );
}

/** A trial with a change to the request that keeps its signature as it was. */
export function around(
  name: string,
  change: (request: WireRequest, signature: Signature) => WireRequest,
  options: RefusalOptions = {},
): Trial {
  return refused(name, (genuine, { endpoint }) => change(genuine, signatureIn(genuine, endpoint)), options);
}

/** These trials where a signature in a header proves a delivery, and none elsewhere. */
export function onSignatures(trials: readonly Trial[]): (at: EndpointUnderTest) => readonly Trial[] {
  return (at) => (proofKindOf(at) === 'signature header' ? trials : []);
}
