import type { EndpointUnderTest, Finding } from '../rule.ts';
import type { Effects, Stage } from '../stage.ts';
import { failed, passed } from '../trials.ts';
import { hasOwnId, isTest, ownGenuine } from './own-content.ts';

/** Whether what comes of a delivery can be told from what comes of others: not so for a click that asks for a page. */
export function tellsEffects(at: EndpointUnderTest): boolean {
  return hasOwnId(at) || (!isTest(at) && at.source.events[at.type]?.mode === 'notify');
}

export function countOf({ effects }: Effects, ref: string): number {
  return effects.filter((effect) => effect.ref === ref).length;
}

/** How often an event was done or put aside. */
export function namedBy({ effects, quarantined }: Effects, ref: string): number {
  return [...effects, ...quarantined].filter((effect) => effect.ref === ref).length;
}

/** As long as an effect that there must not be may take to show: after others were seen that were asked for later. */
const GRACE_MS = 150;

/** How many effects an event has in the end: those wanted are waited for, and then those that would be too many. */
export async function finalCount(stage: Stage, ref: string, wanted: number): Promise<number> {
  await stage.settled((now) => countOf(now, ref) >= wanted);
  return countOf(await inTheEnd(stage, (now) => countOf(now, ref) > wanted), ref);
}

/** The effects when a later delivery has its effect too, and a moment longer unless a condition holds. */
export async function inTheEnd(stage: Stage, holds: (effects: Effects) => boolean): Promise<Effects> {
  await passTime(stage);
  return stage.settled(holds, GRACE_MS);
}

/** Until a delivery that is made now has its effect. */
export async function passTime(stage: Stage): Promise<void> {
  const later = await ownGenuine(stage);
  await stage.send(later, 'later');
  await stage.settled((now) => countOf(now, later.ref) > 0);
}

export function judgeCount(count: number, wanted: number): Finding {
  const expected = wanted === 0 ? 'no effect' : `${wanted} ${wanted === 1 ? 'effect' : 'effects'}`;
  const observed = `${count} ${count === 1 ? 'effect' : 'effects'}`;
  return count === wanted ? passed(expected, observed) : failed(expected, observed);
}
