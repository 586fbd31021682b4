import { writeFileSync } from 'node:fs';
import { messageOf } from '../../src/kit/errors.ts';
import type { Tape } from '../../src/kit/tape/tape.ts';
import { harOf } from '../../src/lab/tape/har.ts';
import { failed } from '../inbox/print.ts';
import { keptUnder, type Chosen } from './command.ts';

export async function exportHar(tape: Tape, numbers: readonly number[], { file }: Chosen): Promise<number> {
  const { kept, problems } = await keptUnder(tape, numbers);
  const text = `${JSON.stringify(harOf(kept), undefined, 2)}\n`;
  if (file === undefined) process.stdout.write(text);
  else {
    const why = written(file, text);
    if (why !== undefined) return failed(why);
    console.log(`${kept.length} in ${file}, with their credentials and personal data.`);
  }
  return problems.length === 0 ? 0 : failed(problems.join('\n'));
}

export async function forget(
  tape: Tape,
  numbers: readonly number[],
  { before = Infinity }: Chosen,
): Promise<number> {
  const all = await tape.list();
  const isMeant = (one: (typeof all)[number]) =>
    numbers.length > 0
      ? numbers.includes(one.number)
      : before === Infinity || ('at' in one && one.at < before);
  const meant = all.filter(isMeant).map(({ number }) => number);
  await tape.forget(meant);
  console.log(`${meant.length} forgotten`);
  const missing = numbers.filter((number) => !meant.includes(number));
  return missing.length === 0
    ? 0
    : failed(missing.map((number) => `There is no #${number} on the tape.`).join('\n'));
}

/** Writes a file that only its owner can read; else why not. */
export function written(file: string, text: string): string | undefined {
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o600 });
    return undefined;
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    return isThere ? `${file} is there already, and is left as it is.` : messageOf(error);
  }
}
