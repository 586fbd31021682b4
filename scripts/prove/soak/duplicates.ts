import { promisesKept, type HardTime, type HardTimesOptions } from './hard-time.ts';
import type { EngineName } from '../../../src/lab/rig/inboxes.ts';
import { numbersBelow, startSurvivor } from './survivor.ts';

/** Twice at the same moment, and once more in the end. */
const TIMES = 3;

/** Delivers nothing only once. */
export async function onlyDuplicates(
  engine: EngineName,
  { directory, inboxes, deliveries }: HardTimesOptions,
): Promise<HardTime> {
  const size = Math.ceil(deliveries / TIMES);
  const inboxUrl = await inboxes.urlOf(engine, 'duplicates');
  const survivor = await startSurvivor({ directory, name: `duplicates-${engine}`, inboxUrl, size });
  const began = performance.now();
  await survivor.send(eachTwice(size));
  await survivor.send(numbersBelow(size));
  const { replies } = survivor;
  const survived = await survivor.finish();
  return {
    name: `100 % duplicates, ${engine}`,
    ...{ replies, handledMs: performance.now() - began, survived },
    findings: [
      { text: 'a duplicate is answered 200, as the first', kept: replies.get(200) === size * TIMES },
      { text: `${size} events are ${survived.done} entries`, kept: survived.done === size },
      promisesKept(survived),
    ],
  };
}

function* eachTwice(size: number): Generator<number> {
  for (const number of numbersBelow(size)) yield* [number, number];
}
