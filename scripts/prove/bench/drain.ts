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
  { kit: { obey, processorSeconds } }: Draining,
  entries: number,
): Promise<{ readonly perSecond: number; readonly processorUs: number }> {
  const { handled: before } = await obey({ store: entries });
  const [began, spent] = [performance.now(), processorSeconds()];
  let { handled } = await obey({ handlers: 'go', only: 'handled' });
  while (handled < before + entries) {
    await sleep(POLL_MS);
    ({ handled } = await obey({ only: 'handled' }));
  }
  const count = handled - before;
  const drain = {
    perSecond: (count * 1000) / (performance.now() - began),
    processorUs: ((processorSeconds() - spent) * 1_000_000) / count,
  };
  await obey({ handlers: 'wait' });
  return drain;
}

const POLL_MS = 20;
