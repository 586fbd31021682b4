import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { KEY_ID_BYTES, type InboxKey } from './keys.ts';

/**
 * The first byte of encrypted bytes. It stands nowhere in UTF-8, so nothing that a sender means as text begins with it:
 * what was stored before encryption was switched on is told apart.
 */
const FORMAT = 0xc1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NONCE_AT = 1 + KEY_ID_BYTES;
const TAG_AT = NONCE_AT + NONCE_BYTES;
const TEXT_AT = TAG_AT + TAG_BYTES;

/** How many bytes longer the encrypted bytes are. */
export const SEAL_BYTES = TEXT_AT;

/** Why bytes cannot be decrypted, in words for the person who looks after the inbox. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

/**
 * Encrypts with AES-256-GCM: format, id of the key, random nonce, tag, text. They can be decrypted only together with the
 * same `bound` bytes. Random nonces allow 2^32 uses of one key: https://doi.org/10.6028/NIST.SP.800-38D, section 8.3
 */
export function seal(plain: Buffer, { id, secret }: InboxKey, bound: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', secret, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(bound);
  const text = cipher.update(plain);
  cipher.final(); // adds no bytes in this mode
  return Buffer.concat([Buffer.of(FORMAT), id, nonce, cipher.getAuthTag(), text]);
}

export function isSealed(stored: Buffer): boolean {
  return stored[0] === FORMAT;
}

/** The bytes as they were before `seal`. @throws Unreadable */
export function unseal(stored: Buffer, keys: readonly InboxKey[], bound: Buffer): Buffer {
  if (stored.length < TEXT_AT) throw new Unreadable(CHANGED);
  const id = stored.subarray(1, NONCE_AT);
  const key = keys.find((candidate) => candidate.id.equals(id));
  if (key === undefined) throw new Unreadable(keyMissing(id));
  const nonce = stored.subarray(NONCE_AT, TAG_AT);
  const decipher = createDecipheriv('aes-256-gcm', key.secret, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(bound).setAuthTag(stored.subarray(TAG_AT, TEXT_AT));
  const plain = decipher.update(stored.subarray(TEXT_AT));
  try {
    decipher.final();
  } catch {
    throw new Unreadable(CHANGED); // no `cause`: all that it says is that the tag is another one
  }
  return plain;
}

const CHANGED =
  'these are not the bytes that were stored with this entry: damaged, changed, or another entry’s. Restore them from a backup';

function keyMissing(id: Buffer): string {
  return (
    `encrypted with the key whose SHA-256 begins with ${id.toString('hex')}, and INBOX_KEYS_FILE has no such key: ` +
    'put it back, then replay'
  );
}
