import { readAddress } from './address.ts';
import type { InboxKey } from './sealed/keys.ts';

/** Something that cannot be so while all is well, and how often it is. */
export interface Inconsistency {
  readonly what: string;
  readonly count: number;
}

/** Looks at everything in an inbox, beside its receiver, at one moment. @throws if it cannot be looked at */
export async function checkInbox(url: string, keys: readonly InboxKey[]): Promise<readonly Inconsistency[]> {
  const address = readAddress(url);
  if (address?.engine === 'sqlite')
    return (await import('./sqlite/check.ts')).checkSqliteInbox(address.file, keys);
  if (address?.engine === 'postgres')
    return (await import('./postgres/check.ts')).checkPostgresInbox(url, keys);
  throw new Error('INBOX_URL is memory: – such an inbox lives inside its receiver, and only there.');
}

/** What encrypted bytes begin with in `hex`, and whose key is not among these. */
export function sealedByOthers(
  heads: readonly { readonly head: string; readonly count: number }[],
  keys: readonly InboxKey[],
): readonly Inconsistency[] {
  const known = new Set(keys.map(({ id }) => id.toString('hex')));
  return heads
    .map(({ head, count }) => ({ key: head.toLowerCase().slice(2), count }))
    .filter(({ key }) => !known.has(key))
    .map(({ key, count }) => ({
      what: `contents or answers encrypted with a key that INBOX_KEYS_FILE does not have: its SHA-256 begins with ${key}`,
      count,
    }));
}
