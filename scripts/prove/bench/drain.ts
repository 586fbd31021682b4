import { setTimeout as sleep } from 'node:timers/promises';
import type { HeldContestant } from './contestant.ts';
import type { Figures } from './table.ts';

export interface DrainOptions {
  /** Entries that are handled in a round. */
  readonly entries: number;
  readonly rounds: number;
}

/** A kit, in whose inbox so many more entries wait all the time. */
export interface Draining {
  readonly kit: HeldContestant;
  readonly waiting: number;
}

/** Lets each handle so many entries in every round, one kit after the other, with handlers that do nothing. */
export async function measureDrains(
  kits: readonly Draining[],
  { entries, rounds }: DrainOptions,
): Promise<Figures[]> {
  for (const { kit, waiting } of kits) {
    const { left } = await kit.obey({});
    await kit.obey({ store: Math.max(0, waiting - left) });
    kit.pause();
  }
  const drains = kits.map((draining) => ({
    draining,
    processorUs: [] as number[],
    perSecond: [] as number[],
  }));
  // The first round is for the compiler.
  for (let round = 0; round <= rounds; round += 1) {
    for (const { draining, perSecond, processorUs } of round % 2 === 0 ? drains : drains.toReversed()) {
      draining.kit.resume();
      const drain = await drainOnce(draining, entries);
      draining.kit.pause();
      if (round === 0) continue;
      perSecond.push(drain.perSecond);
      processorUs.push(drain.processorUs);
    }
  }
  for (const { kit } of kits) kit.resume();
  return drains;
}

async function drainOnce(
  { kit: { obey, processorSeconds }, waiting }: Draining,
  entries: number,
): Promise<{ readonly perSecond: number; readonly processorUs: number }> {
  const { left: before } = await obey({ store: entries });
  const [began, spent] = [performance.now(), processorSeconds()];
  let { left } = await obey({ handlers: 'go' });
  while (left > waiting) {
    const asked = performance.now();
    ({ left } = await obey({}));
    // Counting must not be what is measured, however long it takes.
    await sleep(Math.max(POLL_MS, (performance.now() - asked) * SELDOM));
  }
  const count = before - left;
  const drain = {
    perSecond: (count * 1000) / (performance.now() - began),
    processorUs: ((processorSeconds() - spent) * 1_000_000) / count,
  };
  await obey({ handlers: 'wait' });
  return drain;
}

const POLL_MS = 20;
const SELDOM = 4;
