import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Case } from '../../src/lab/conformance/plan.ts';
import type { Rule } from '../../src/lab/conformance/rule.ts';
import type { TestReceiver } from '../support/receiver.ts';
import { calling, flaws } from './flawed-insides.ts';
import { casesIn, openHouse, type HouseName } from './houses.ts';
import { lookInside } from './inside.ts';
import { expectedOf, judged, outcomes, type Outcome } from './outcomes.ts';

// A view that finds nothing proves nothing: it must find out every inside that is flawed on purpose, and no right one.

const names = ['usual', 'keys'] as const satisfies readonly HouseName[];

/** A case that comes to this outcome and to no other. */
interface Sample {
  readonly outcome: Outcome;
  readonly house: HouseName;
  readonly rule: Rule;
  readonly id: string;
}

/** Some of its content is the same each time: a second look at one receiver would find a duplicate. */
const SAME_TWICE = 'F7-shape';

const samples = sampled();

function sampled(): Sample[] {
  const found = new Map<Outcome, Sample>();
  for (const house of names) {
    for (const rule of judged.filter(({ id }) => id !== SAME_TWICE)) {
      for (const one of casesIn(house, rule)) {
        const [outcome, ...others] = expectedOf(one).outcomes;
        if (outcome === undefined || others.length > 0 || found.has(outcome)) continue;
        found.set(outcome, { outcome, house, rule, id: one.id });
      }
    }
  }
  return [...found.values()];
}

const open = new Map<HouseName, TestReceiver>();
beforeAll(async () => {
  for (const name of names) open.set(name, await openHouse(name));
});
afterAll(async () => {
  for (const receiver of open.values()) await receiver.stop();
});

let seed = 100;

/** What the view says of a flawed receiver, in a few cases. */
async function findings(
  few: readonly Sample[],
  flawed: (receiver: TestReceiver) => TestReceiver | Promise<TestReceiver>,
): Promise<string[]> {
  const said: string[] = [];
  seed += 1;
  for (const [house, right] of open) {
    const receiver = await flawed(right);
    const inside = lookInside(receiver, seed);
    for (const sample of few.filter((one) => one.house === house)) {
      said.push(...(await inside.findingsOf(caseOf(sample, receiver))));
    }
  }
  return said;
}

function caseOf({ house, rule, id }: Sample, receiver: TestReceiver): Case {
  const found = casesIn(house, rule, receiver).find((one) => one.id === id);
  if (found === undefined) throw new Error(`There is no case ${id}.`);
  return found;
}

it('has a case for every outcome of the table that is one for itself', () => {
  const listed = new Set(Object.values(outcomes).flatMap((table) => Object.values(table).flat()));
  listed.delete('duplicate');
  expect(samples.map(({ outcome }) => outcome).toSorted()).toEqual([...listed].toSorted());
});

it('finds nothing in a right receiver', async () => {
  expect(await findings(samples, (receiver) => receiver)).toEqual([]);
});

it.each(flaws.map((flaw) => [flaw.name, flaw] as const))('finds out the one that %s', async (_name, flaw) => {
  const said = await findings(samples, (receiver) => flaw.build(receiver));
  expect(said).toContainEqual(expect.stringMatching(flaw.says));
});

it.each(samples.map((sample) => [sample.outcome, sample] as const))(
  'finds out the one that calls %s by the name of something else',
  async (outcome, sample) => {
    const other = samples.find((one) => one.outcome !== outcome)?.outcome ?? '';
    const said = await findings([sample], (receiver) => calling(receiver, outcome, other));
    expect(said).toContainEqual(expect.stringContaining(`${other} instead of ${outcome}`));
  },
);
