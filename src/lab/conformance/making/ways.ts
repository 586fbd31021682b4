import type { Trial } from '../rule.ts';
import type { Stage } from '../stage.ts';
import { forgeriesOf } from './forgery.ts';
import { ownContent } from './own-content.ts';
import { describe, failed, isAccepted, passed, tried } from '../trials.ts';
import type { Observation, WireRequest } from '../wire.ts';

/** One of several requests of a trial, each of which must be refused. */
export interface Way {
  /** What would be accepted with it, as the rest of a sentence: `a delivery with no proof, with X-Debug beside it`. */
  readonly says: string;
  readonly request: WireRequest | Buffer;
  /** Acceptances that show nothing: the receiver says the same to whoever asks. */
  readonly passes?: (observation: Observation) => boolean;
  /** The same in parts: which of them was it? */
  readonly parts?: readonly Way[];
}

/** Nothing gets in by any of these ways; with which status it is refused does not matter here. */
export function shut(name: string, waysOf: (stage: Stage) => Promise<readonly Way[]>): Trial {
  return tried(name, async (stage) => {
    const ways = await waysOf(stage);
    for (const way of ways) {
      const observation = await stage.send(way.request, 'attack', ODD);
      if (!getsIn(way, observation)) continue;
      const { says } = (await firstOpen(stage, way.parts ?? [])) ?? way;
      return failed('a refusal', `${describe(observation)}: it accepts ${says}`);
    }
    const { length } = ways;
    return passed('a refusal', length === 0 ? 'there is no such way' : `refused, ${length} times`);
  });
}

/** What is put beside a forged delivery, or done to it. */
export interface Door {
  /** `X-Debug: true` */
  readonly says: string;
  readonly change: (request: WireRequest) => WireRequest;
  readonly parts?: readonly Door[];
}

/** Each of these done to a forged delivery, and to one that has no proof at all. */
export async function waysThrough(
  stage: Stage,
  doors: readonly Door[],
  passes: Way['passes'] = () => false,
): Promise<readonly Way[]> {
  const ways: Way[] = [];
  for (const door of doors) {
    for (const { lack, request } of await forgeriesOf(stage.endpoint, ownContent(stage).json)) {
      const wayBy = ({ says, change, parts = [] }: Door): Way => ({
        says: `a delivery ${lack} because of ${says}`,
        request: change(request),
        passes,
        parts: parts.map((part) => wayBy(part)),
      });
      ways.push(wayBy(door));
    }
  }
  return ways;
}

/** Servers may not know an odd method. */
const ODD = { allows: [501, 505] };

function getsIn({ passes }: Way, observation: Observation): boolean {
  return isAccepted(observation) && passes?.(observation) !== true;
}

async function firstOpen(stage: Stage, ways: readonly Way[]): Promise<Way | undefined> {
  for (const way of ways) {
    if (getsIn(way, await stage.send(way.request, 'attack', ODD))) return way;
  }
  return undefined;
}
