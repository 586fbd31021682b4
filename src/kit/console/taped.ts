import { isGenuine, type Kept, type Tape } from '../tape/tape.ts';

/** What is on the tape of refused deliveries: the newest, newest first. What cannot be read is left out. */
export async function newestOnTape(tape: Tape, limit: number): Promise<Kept[]> {
  const heads = (await tape.heads()).filter(({ group }) => !isGenuine(group));
  return readAll(tape, heads.slice(-limit).reverse());
}

/** One by its number, or by our name for the delivery, as its reply and the log have it. */
export async function findOnTape(tape: Tape, called: string): Promise<Kept | undefined> {
  if (/^\d{1,10}$/.test(called)) return (await readAll(tape, [{ number: Number(called) }]))[0];
  const heads = (await tape.heads()).toReversed();
  for (const head of heads) {
    const [kept] = await readAll(tape, [head]);
    if (kept?.request === called) return kept;
  }
  return undefined;
}

async function readAll(tape: Tape, heads: readonly { readonly number: number }[]): Promise<Kept[]> {
  const read = await Promise.all(heads.map(({ number }) => tape.read(number)));
  return read.flatMap((one) => (one === undefined || 'unreadable' in one ? [] : [one]));
}
