import { createHash, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { headerValues, type Delivery } from '../delivery.ts';
import { DeadLetter, DeliveryRejected } from '../errors.ts';
import { readJson } from '../reading/json.ts';
import type { Proof } from './proof.ts';
import { liveSecrets, type Secret } from './secrets.ts';

/**
 * What is signed, and how. The two without HMAC are for a sender that turns out to use them, each chosen in words and
 * never fallen back to: `sha256-secret-body` can be lengthened by anybody who has seen one signature. A hash of the body
 * alone is none of them: everybody can make one.
 */
export type HmacScheme = 'hmac-sha256' | 'sha256-body-secret' | 'sha256-secret-body';

interface HmacHeaderOptions {
  /** In lower case. */
  readonly header: string;
  readonly scheme: HmacScheme;
}

/** A signature of the raw body in one header, in hex, base64 or base64url, with or without a prefix like `sha256=`. */
export function hmacHeader({ header, scheme }: HmacHeaderOptions): Proof {
  return {
    scheme,
    header,
    verify: (delivery, secrets) => {
      const signature = decode(signatureIn(delivery, header), header);
      const secret = secrets.find((candidate) =>
        timingSafeEqual(signature, digest(scheme, delivery.body, candidate)),
      );
      if (secret === undefined) throw mismatch(header, scheme, delivery.body.length, secrets);
      if (scheme === 'sha256-secret-body') checkNothingFollows(delivery.body);
      return { content: delivery.body, secret: secret.position };
    },
  };
}

/** How a sender may write one signature. */
export interface HmacSpelling {
  readonly scheme: HmacScheme;
  readonly encoding: 'hex' | 'base64' | 'base64url';
  /** Of hex digits. */
  readonly letterCase: 'lower' | 'upper';
  /** `sha256=`, or nothing. */
  readonly prefix: string;
}

/** The sender's half: the header's value. */
export function signHmacHeader(body: Buffer, secretBytes: Buffer, spelling: HmacSpelling): string {
  const key = { bytes: secretBytes, hmac: createSecretKey(secretBytes) };
  const text = digest(spelling.scheme, body, key).toString(spelling.encoding);
  const upper = spelling.encoding === 'hex' && spelling.letterCase === 'upper';
  return spelling.prefix + (upper ? text.toUpperCase() : text);
}

const PREFIX = /^(?:sha256|sha-256|hmac-sha256)[=:]/i;
const HEX = /^[0-9a-f]{64}$/i;
// 32 bytes leave two bits of the last character unused: those that do not end in zeros are a second spelling.
const BASE64 = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=?$/;
const BASE64URL = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]=?$/;

function digest(scheme: HmacScheme, body: Buffer, key: Pick<Secret, 'bytes' | 'hmac'>): Buffer {
  switch (scheme) {
    case 'hmac-sha256':
      return createHmac('sha256', key.hmac).update(body).digest();
    case 'sha256-body-secret':
      return createHash('sha256').update(body).update(key.bytes).digest();
    case 'sha256-secret-body':
      return createHash('sha256').update(key.bytes).update(body).digest();
  }
}

function signatureIn(delivery: Delivery, header: string): string {
  const values = headerValues(delivery, header);
  if (values.length > 1) {
    throw new DeliveryRejected(
      'proof_ambiguous',
      `Expected one ${header} header, ${values.length} came. Does a proxy add its own?`,
    );
  }
  const signature = withoutBlanks(values[0] ?? '');
  if (signature === '') {
    throw new DeliveryRejected(
      'proof_missing',
      `Expected a signature in the header ${header}, ${values.length === 0 ? 'there is none' : 'it is empty'}. ` +
        'Is a secret set at the sender, and does every proxy pass the header on?',
    );
  }
  if (signature.includes(',')) {
    throw new DeliveryRejected(
      'proof_ambiguous',
      `Expected one signature in the header ${header}, a list came. Does a proxy join repeated headers?`,
    );
  }
  return signature;
}

/** Not `trim`, which takes a blank of Latin-1 for one, too: that would be a second spelling. */
function withoutBlanks(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start += 1;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end -= 1;
  return value.slice(start, end);
}

/** The length alone chooses the encoding: 64 hex digits are also legal base64, of 48 bytes. */
function decode(signature: string, header: string): Buffer {
  const text = signature.replace(PREFIX, '');
  if (HEX.test(text)) return Buffer.from(text, 'hex');
  if (BASE64.test(text)) return Buffer.from(text, 'base64');
  if (BASE64URL.test(text)) return Buffer.from(text, 'base64url');
  throw new DeliveryRejected(
    'proof_malformed',
    `Expected 64 hex digits, or 43 or 44 characters of base64, in the header ${header}; ${text.length} characters came, ` +
      `or some that do not belong there. ${causeIn(text)}`,
  );
}

/** By the number of its hex digits, what another signature is made with. */
const OTHER_HASHES: ReadonlyMap<number, string> = new Map([
  [32, 'MD5'],
  [40, 'SHA-1'],
  [96, 'SHA-384'],
  [128, 'SHA-512'],
]);

function causeIn(signature: string): string {
  if (/^["']/.test(signature)) return 'It is in quotes, and is to be sent without.';
  if (/^(?:sha1|sha-1|sha384|sha512|md5)[=:]/i.test(signature))
    return 'It says that it is made with another hash.';
  const hash = /^[0-9a-f]+$/i.test(signature) ? OTHER_HASHES.get(signature.length) : undefined;
  if (hash !== undefined) return `So many hex digits has ${hash}: set the sender to SHA-256.`;
  return 'Is it another kind of signature, or cut off?';
}

function mismatch(
  header: string,
  scheme: HmacScheme,
  bytes: number,
  secrets: readonly Secret[],
): DeliveryRejected {
  return new DeliveryRejected(
    'proof_mismatch',
    `The signature in ${header} is well-formed, but no ${scheme} of these ${bytes} bytes with ${liveSecrets(secrets)}. ` +
      'Compare the secret with the one set at the sender (no blank or line end around it, ASCII only), ' +
      'and check that no proxy rewrites the body.',
  );
}

/** To lengthen a hash over secret and body, an attacker must append bytes: no JSON value may be followed by any. */
function checkNothingFollows(body: Buffer): void {
  if (isBlankOfJson(body[0]) || isBlankOfJson(body.at(-1)) || !isJson(body)) {
    throw new DeliveryRejected(
      'proof_malformed',
      'With sha256-secret-body the whole body must be one JSON value and not a byte more, since this scheme lets ' +
        'others append to a signed body. Use hmac-sha256 if the sender can.',
    );
  }
}

/** As HTTP has them around a value. */
function isBlank(code: number | undefined): boolean {
  return code === 0x20 || code === 0x09;
}

function isBlankOfJson(byte: number | undefined): boolean {
  return isBlank(byte) || byte === 0x0a || byte === 0x0d;
}

function isJson(body: Buffer): boolean {
  try {
    readJson(body);
    return true;
  } catch (error) {
    if (error instanceof DeadLetter) return false;
    throw error;
  }
}
