import { expect, it } from '@jest/globals';
import { example } from '../../../src/example/index.ts';
import { makeWitness, tryWitness } from '../../../src/lab/tape/witness.ts';
import { tapedVariants } from './taped.ts';

it('works', async () => {
  for (const kept of await tapedVariants()) {
    const made = await makeWitness(kept, example, {});
    console.log(kept.target, JSON.stringify(made.witness, null, 1), [...made.replaced], [...made.namesLeft]);
    const tried = await tryWitness(made.witness, example);
    expect(tried.expected).toEqual(made.witness.expected);
    expect(tried.spoiledStatus).toBe(401);
  }
}, 60000);
