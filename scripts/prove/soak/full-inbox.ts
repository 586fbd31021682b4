import { setTimeout as pause } from 'node:timers/promises';
import type { HeldContestant } from '../bench/contestant.ts';
import { median } from '../bench/load.ts';
import { measureAccepting, slowerBy } from '../bench/waiting.ts';
import type { HardTime, HardTimesOptions } from './hard-time.ts';
import type { EngineName } from '../../../src/lab/rig/inboxes.ts';

const ROUNDS = 4;
const EACH = 200;
/** As much slower may a full inbox be. */
const SLOWER = 1.2;
/** Entries that are handled to see how fast that goes. */
const MOST_HANDLED = 20_000;
/** PostgreSQL counts a million entries in a tenth of a second: asked more often, that is what would be measured. */
const POLL_MS = 1_000;

/** Accepts and handles with a great many entries waiting, against hardly any. */
export async function inboxFull(
  engine: EngineName,
  { inboxes, waiting }: HardTimesOptions,
): Promise<HardTime> {
  const few = Math.min(MOST_HANDLED, Math.ceil(waiting / 4));
  const accepting = await measureAccepting(
    engine,
    { inboxes, waiting, rounds: ROUNDS, each: EACH },
    async (held) => ({
      full: await handledPerSecond(held.full, few),
      few: await handledPerSecond(held.empty, few),
    }),
  );
  const ratio = median(slowerBy(accepting));
  const [fullMs, emptyMs] = [median(accepting.fullMs), median(accepting.emptyMs)].map((ms) => ms.toFixed(2));
  const { full, few: ofFew } = accepting.found;
  return {
    name: `${waiting.toLocaleString('en')} waiting, ${engine}`,
    replies: new Map([[200, accepting.accepted]]),
    findings: [
      {
        text: `accepting takes no longer than with none waiting: ${fullMs} against ${emptyMs} ms, ${ratio.toFixed(2)} (at most ${SLOWER})`,
        kept: ratio <= SLOWER,
        isTarget: true,
      },
      {
        text: `handling is no slower than with ${few.toLocaleString('en')} waiting: ${perSecond(full)} against ${perSecond(ofFew)}`,
        kept: full * SLOWER >= ofFew,
        isTarget: true,
      },
    ],
  };
}

/** Of handlers that do nothing; the first tenth is for the compiler. */
async function handledPerSecond(held: HeldContestant, entries: number): Promise<number> {
  await handleSome(held, Math.ceil(entries / 10));
  return handleSome(held, entries);
}

/** Stores so many, and lets the handlers go until at least as many are handled. Resolves with how many a second. */
async function handleSome(held: HeldContestant, entries: number): Promise<number> {
  const { left: before } = await held.obey({ store: entries });
  const began = performance.now();
  let { left } = await held.obey({ handlers: 'go' });
  while (before - left < entries && left > 0) {
    await pause(POLL_MS);
    ({ left } = await held.obey({}));
  }
  const seconds = (performance.now() - began) / 1000;
  await held.obey({ handlers: 'wait' });
  return (before - left) / seconds;
}

function perSecond(rate: number): string {
  return `${Math.round(rate).toLocaleString('en')}/s`;
}
