import { createHash, createSecretKey, type KeyObject } from 'node:crypto';

/** A key that entries are encrypted with. Printing it shows its id, never its bytes. */
export interface InboxKey {
  /** Names the key in all that it encrypted: the first bytes of its SHA-256, from which nobody gets back to it. */
  readonly id: Buffer;
  readonly secret: KeyObject;
}

const KEY_BYTES = 32;
export const KEY_ID_BYTES = 8;

const MAKE_ONE = 'Make one: openssl rand -base64 32';

/**
 * Reads the text of the keys: a key each line, newest first, 32 random bytes as base64. The first one encrypts, all of
 * them decrypt. What follows a `#` is a comment.
 * @throws Error that names the line, never what is in it
 */
export function readInboxKeys(text: string): readonly InboxKey[] {
  const lines = text.split('\n').map((line) => line.replace(/#.*/s, '').trim());
  const keys = lines.flatMap((line, index) => (line === '' ? [] : [readKey(line, index + 1)]));
  if (keys.length === 0) throw new Error(`It has no key. ${MAKE_ONE}`);
  const ids = keys.map(({ id }) => id.toString('hex'));
  if (new Set(ids).size < ids.length) {
    throw new Error('It has the same key twice: the newest stands first, and none stands again');
  }
  return keys;
}

function readKey(base64: string, line: number): InboxKey {
  const bytes = Buffer.from(base64, 'base64');
  // Buffer.from passes over what is not base64, and would make another key of a typing error.
  if (bytes.toString('base64') !== base64) {
    throw new Error(`Line ${line} is not base64, or was cut short. ${MAKE_ONE}`);
  }
  if (bytes.length !== KEY_BYTES) {
    throw new Error(
      `Line ${line}: expected ${KEY_BYTES} bytes as base64, found ${bytes.length}. ${MAKE_ONE}`,
    );
  }
  const id = createHash('sha256').update(bytes).digest().subarray(0, KEY_ID_BYTES);
  return { id, secret: createSecretKey(bytes) };
}
