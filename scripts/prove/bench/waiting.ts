import { startHeld, type HeldContestant } from './contestant.ts';
import type { InboxName, Inboxes } from '../../../src/lab/rig/inboxes.ts';
import { median, sendAll } from './load.ts';
import { signPool } from './requests.ts';

export interface WaitingOptions {
  readonly inboxes: Inboxes;
  /** Entries in the full inbox. */
  readonly waiting: number;
  readonly rounds: number;
  /** Deliveries to each of both in a round; default 400. */
  readonly each?: number;
}

/** Milliseconds that a single sender waits for its reply, round by round. */
export interface Accepting {
  /** So many replies, all of them 200. */
  readonly accepted: number;
  readonly fullMs: readonly number[];
  readonly emptyMs: readonly number[];
}

interface Held {
  readonly full: HeldContestant;
  readonly empty: HeldContestant;
}

/** Accepts with a full and with an empty inbox in turn; then `further` may go on with them. */
export async function measureAccepting<Found>(
  inbox: InboxName,
  { inboxes, waiting, rounds, each = 400 }: WaitingOptions,
  further: (held: Held) => Promise<Found>,
): Promise<Accepting & { readonly found: Found }> {
  const full = await startHeld('the full inbox', {
    INBOX_MAX_WAITING: String(waiting + 1_000_000),
    INBOX_URL: await inboxes.urlOf(inbox, 'full'),
  });
  const empty = await startHeld('the empty inbox', { INBOX_URL: await inboxes.urlOf(inbox, 'empty') });
  await full.obey({ store: waiting });
  const fullMs: number[] = [];
  const emptyMs: number[] = [];
  // The first round is for the compiler.
  for (let round = 0; round <= rounds; round += 1) {
    const ofFull = await latencyMs(full, each);
    const ofEmpty = await latencyMs(empty, each);
    if (round === 0) continue;
    fullMs.push(ofFull);
    emptyMs.push(ofEmpty);
  }
  const found = await further({ full, empty });
  await Promise.all([full.kill(), empty.kill()]);
  return { accepted: 2 * each * (rounds + 1), fullMs, emptyMs, found };
}

async function latencyMs({ name, port }: HeldContestant, each: number): Promise<number> {
  return median(await sendAll(port, signPool('json', each), { name, connections: 1 }));
}

/** Each round's own ratio: what slows a round down slows both. */
export function slowerBy({ fullMs, emptyMs }: Accepting): number[] {
  return fullMs.map((ms, round) => ms / (emptyMs[round] ?? NaN));
}
