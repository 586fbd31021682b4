import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isGenuine, type Tape } from '../../src/kit/tape/tape.ts';
import { makeWitness, type Made } from '../../src/lab/tape/witness.ts';
import { failed, table } from '../inbox/print.ts';
import { keptUnder, type Chosen } from './command.ts';
import { written } from './keep.ts';

const FOLDER = 'test/app/witnesses';

export async function witness(
  tape: Tape,
  numbers: readonly number[],
  { name = '', rename }: Chosen,
): Promise<number> {
  const { kept, problems } = await keptUnder(tape, numbers);
  const [one] = kept;
  if (one === undefined) return failed(problems.join('\n'));
  // Only now: the tape can be looked at while the app does not compile.
  const { app, environment } = await import('../the-app.ts');
  const made = await makeWitness(one, app, environment, rename);
  if (typeof made === 'string') return failed(`No witness: #${one.number} ${made}`);
  mkdirSync(FOLDER, { recursive: true });
  const file = join(FOLDER, `${name}.json`);
  const why = written(file, `${JSON.stringify(made.witness, undefined, 2)}\n`);
  if (why !== undefined) return failed(why);
  if (!isGenuine(one))
    console.error(
      `Warning: #${one.number} was refused when it came. Is it genuine? This test says that it is.`,
    );
  console.log(toCheck(made, file));
  return 0;
}

/** For a person, before he commits it. */
function toCheck({ replaced, namesLeft, witness: { expected } }: Made, file: string): string {
  const pairs = [...replaced].map(([value, neutral]) => [shortened(value), shortened(neutral)]);
  const names = [...namesLeft].map((name) => [name]);
  return [
    `${file}: ${expected.type}, answered ${expected.status}. Check it before you commit it; npm run test:app runs it.`,
    `\nReplaced, and not in the file any more (${pairs.length}):`,
    table(pairs),
    ...(names.length === 0
      ? []
      : [`\nNames that no schema lists, left as they are; --rename name replaces one:`, table(names)]),
  ].join('\n');
}

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}
