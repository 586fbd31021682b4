import { createSecretKey, webcrypto, type KeyObject } from 'node:crypto';

/** What only both sides know, made ready once: importing a key costs more than using it. */
export interface Secret {
  /** 1 is the newest of an endpoint's live secrets. */
  readonly position: number;
  readonly encoding: KeyEncoding;
  readonly bytes: Buffer;
  /** For HMAC over raw bytes. */
  readonly hmac: KeyObject;
  /** For HS256 through WebCrypto. */
  readonly hs256: webcrypto.CryptoKey;
}

/** How the text of a secret becomes key bytes. No sender documents base64, some are suspected of it. */
export type KeyEncoding = 'utf8' | 'base64';

const MIN_DECODED_BYTES = 16;

/**
 * Makes one secret ready.
 * @throws if the text is empty (an empty key would let anybody sign), or is not the base64 it is said to be
 */
export async function importSecret(
  text: string,
  position = 1,
  encoding: KeyEncoding = 'utf8',
): Promise<Secret> {
  const bytes = encoding === 'base64' ? decodeBase64(text) : Buffer.from(text, 'utf8');
  if (bytes.length === 0) throw new Error('An empty secret would let anybody sign.');
  const hs256 = await webcrypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ]);
  return { position, encoding, bytes, hmac: createSecretKey(bytes), hs256 };
}

/** Node decodes any text, skipping what is not base64 and stopping at `=`: `ab=something` would give a one-byte key. */
function decodeBase64(text: string): Buffer<ArrayBuffer> {
  const bytes = Buffer.from(text, 'base64');
  const plain = text
    .replace(/={1,2}$/, '')
    .replaceAll('+', '-')
    .replaceAll('/', '_');
  if (bytes.length >= MIN_DECODED_BYTES && bytes.toString('base64url') === plain) return bytes;
  throw new Error(
    `A secret that is to be read as base64 is not base64 of at least ${MIN_DECODED_BYTES} bytes. ` +
      'Read it as plain text (utf8), or ask the sender for the right one.',
  );
}

/** The live secrets of an endpoint as a refusal names them; one that is read in two encodings is one. */
export function liveSecrets(secrets: readonly Secret[], word = 'secret'): string {
  const count = new Set(secrets.map(({ position }) => position)).size;
  return count === 1 ? `the ${word} of this endpoint` : `any of the ${count} live ${word}s of this endpoint`;
}
