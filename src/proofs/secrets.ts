import { createSecretKey, webcrypto, type KeyObject } from 'node:crypto';

/** What only both sides know, made ready once: importing a key costs more than using it. */
export interface Secret {
  /** 1 is the newest of an endpoint's live secrets. */
  readonly position: number;
  readonly bytes: Buffer;
  /** For HMAC over raw bytes. */
  readonly hmac: KeyObject;
  /** For HS256 through WebCrypto. */
  readonly hs256: webcrypto.CryptoKey;
}

/** How the text of a secret becomes key bytes. No sender documents base64, some are suspected of it. */
export type KeyEncoding = 'utf8' | 'base64';

/** Makes one secret ready. @throws if the text is empty: an empty key would let anybody sign. */
export async function importSecret(
  text: string,
  position = 1,
  encoding: KeyEncoding = 'utf8',
): Promise<Secret> {
  const bytes = Buffer.from(text, encoding);
  if (bytes.length === 0) throw new Error('An empty secret would let anybody sign.');
  const hs256 = await webcrypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ]);
  return { position, bytes, hmac: createSecretKey(bytes), hs256 };
}
