import { setTimeout as pause } from 'node:timers/promises';
import type { Entry } from '../inbox/inbox.ts';
import { isGenuine, type Kept, type Stored, type Tape } from '../tape/tape.ts';

/** What is on the tape of refused deliveries: the newest, newest first. What cannot be read is left out. */
export async function newestOnTape(tape: Tape, limit: number): Promise<Kept[]> {
  const heads = (await tape.heads()).filter(({ group }) => !isGenuine(group));
  return readAll(tape, heads.slice(-limit).reverse());
}

/** A refused one by its number, or by our name for the delivery, as its reply and the log have it. */
async function findRefused(tape: Tape, called: string): Promise<Kept | undefined> {
  if (/^\d{1,10}$/.test(called)) return (await readAll(tape, [{ number: Number(called) }]))[0];
  return findNamed(tape, called, (head) => !isGenuine(head.group));
}

/** The tape is written behind the replies, a second later or less. */
const BEHIND_MS = 2_000;
const LOOK_AGAIN_MS = 100;

/** The same, of one that may have been refused just now: whoever has seen its row need not wait for the tape himself. */
export async function awaitRefused(
  tape: Tape,
  called: string,
  refusedAt: number | undefined,
): Promise<Kept | undefined> {
  const found = await findRefused(tape, called);
  if (found !== undefined || refusedAt === undefined || Date.now() - refusedAt > BEHIND_MS) return found;
  await pause(LOOK_AGAIN_MS);
  return awaitRefused(tape, called, refusedAt);
}

/** What came of an entry, as it came. */
export async function findAccepted(
  tape: Tape,
  { request, endpoint }: Pick<Entry, 'request' | 'endpoint'>,
): Promise<Kept | undefined> {
  if (request === undefined) return undefined;
  return findNamed(tape, request, ({ group }) => isGenuine(group) && group.endpoint === endpoint);
}

/** The newest first: whoever looks for one has mostly just seen it. */
async function findNamed(
  tape: Tape,
  request: string,
  isWanted: (head: Stored) => boolean,
): Promise<Kept | undefined> {
  for (const head of (await tape.heads()).filter(isWanted).reverse()) {
    const [kept] = await readAll(tape, [head]);
    if (kept?.request === request) return kept;
  }
  return undefined;
}

async function readAll(tape: Tape, heads: readonly { readonly number: number }[]): Promise<Kept[]> {
  const read = await Promise.all(heads.map(({ number }) => tape.read(number)));
  return read.flatMap((one) => (one === undefined || 'unreadable' in one ? [] : [one]));
}
