import { expect, it } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { app } from '../../src/app/index.ts';
import { tryWitness, witnessSchema } from '../../src/lab/tape/witness.ts';

// Deliveries that came, made neutral: npm run tape -- witness <n> --name name writes such a file. Each goes to a receiver of
// this app's endpoints; your handlers are not called.

const files = globSync(join(import.meta.dirname, 'witnesses/*.json')).toSorted();

for (const file of files) {
  it(`still takes ${basename(file, '.json')}, and nothing else in its place`, async () => {
    const witness = witnessSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    const { expected, spoiledStatus } = await tryWitness(witness, app);
    expect(expected).toEqual(witness.expected);
    expect(spoiledStatus).toBe(401);
  });
}

if (files.length === 0) it('has no delivery yet that came', () => expect(files).toEqual([]));
