import { MOST_LOOKED_AT, type SecretUse } from '../../src/kit/inbox/uses.ts';

/** What is known of the use of an endpoint's live secrets. */
export interface Known {
  /** Of this endpoint and installation. */
  readonly uses: readonly SecretUse[];
  /** How many secrets are live. */
  readonly live: number;
  /** Since when they stand in their file as they do; unknown where they stand in the variable itself. */
  readonly changedAt: number | undefined;
  /** Since when everything that came is in the inbox, or was looked at. */
  readonly completeSince: number;
  readonly now: number;
  /** So long the old ones must not have been needed. */
  readonly hours: number;
}

export type State = 'single' | 'by-hand' | 'needed' | 'early' | 'new-unused' | 'unknown' | 'unneeded';

const HOUR_MS = 3_600_000;

/** A receiver takes up a changed file within seconds; what comes until then is counted by the old order. */
const SETTLES_MS = 5_000;

/** When a secret was last used, as far as its place can be told: before the file changed another one stood there. */
export function lastUse(
  { uses, changedAt = 0 }: Known,
  isMeant: (secret: number) => boolean,
): number | undefined {
  const since = uses.filter(({ secret, last }) => isMeant(secret) && last > changedAt + SETTLES_MS);
  return since.length === 0 ? undefined : Math.max(...since.map(({ last }) => last));
}

/** Whether the old secrets may go. Where that is not known they may not. */
export function stateOf(known: Known): State {
  const { live, changedAt, completeSince, now, hours } = known;
  if (live < 2) return 'single';
  if (changedAt === undefined) return 'by-hand';
  const since = now - hours * HOUR_MS;
  const old = lastUse(known, (secret) => secret > 1);
  if (old !== undefined && old > since) return 'needed';
  if (changedAt > since || changedAt + SETTLES_MS > now) return 'early';
  if (lastUse(known, (secret) => secret === 1) === undefined) return 'new-unused';
  return completeSince > since ? 'unknown' : 'unneeded';
}

/** So far back the inbox tells: what is older was forgotten, or not looked at. */
export function completeSince(uses: readonly SecretUse[], retentionDays: number, now: number): number {
  const kept = retentionDays === 0 ? 0 : now - retentionDays * 24 * HOUR_MS;
  const all = uses.reduce((sum, { count }) => sum + count, 0);
  const lookedAt = all < MOST_LOOKED_AT ? 0 : Math.min(...uses.map(({ first }) => first));
  return Math.max(kept, lookedAt);
}
