import { createHash } from 'node:crypto';
import type { NewEntry } from './inbox.ts';

/** Longer ones are kept as their digest: a sender chooses the length, and every key is in an index. */
const LONGEST_PLAIN_KEY = 200;

/** What two deliveries of one event have in common: endpoint, installation and key as one text. */
export function uniqueKey(entry: Pick<NewEntry, 'endpoint' | 'installation' | 'key'>): string | undefined {
  if (entry.key === undefined) return undefined;
  const plain = JSON.stringify([entry.endpoint, entry.installation ?? null, entry.key]);
  if (plain.length <= LONGEST_PLAIN_KEY) return plain;
  return `sha256:${createHash('sha256').update(plain).digest('base64url')}`;
}
