import { isUtf8 } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import { createRandom, shuffled } from '../../../src/lab/mock/random.ts';
import { mistakes, lanesOf } from './broken/index.ts';
import { build, type Broken, type Lane, type Mistake } from './broken/plan.ts';
import { explained, isNamed, isNameOf } from './run.ts';

/** Two mistakes in one delivery. */
export interface Pair {
  readonly lane: Lane;
  readonly both: readonly [Mistake, Mistake];
  build(): Broken;
}

/** What only one of two can change: it would undo or hide the other. */
const ONCE = ['agreed', 'key', 'sign', 'place', 'payload', 'content'] as const;

/** Some of every two that can happen to one delivery and be told from it, chosen by a seed. */
export function* pairsBy(seed: number): Generator<Pair> {
  const fixable = mistakes.filter(({ id }) => !isNamed(id));
  const pairs = fixable.flatMap((one, index) =>
    fixable.slice(index + 1).flatMap((other) =>
      lanesOf(one)
        .filter((lane) => lanesOf(other).includes(lane) && areSensible(one, other))
        .map((lane): Pair => ({ lane, both: [one, other], build: () => build(lane, inOrder(one, other)) })),
    ),
  );
  for (const pair of shuffled(pairs, createRandom(seed))) if (isTwofold(pair)) yield pair;
}

/** Neither mistake hides the other, or is made of bytes that the other takes for text. */
function isTwofold({ lane, both }: Pair): boolean {
  const [first, second] = inOrder(...both);
  if (first?.body && second?.body && !isUtf8(build(lane, [first]).request.body)) return false;
  const [whole, ...halves] = [inOrder(...both), ...both.map((one) => [one])].map((made) => build(lane, made));
  return halves.every((half) => !isDeepStrictEqual(half, whole));
}

/** What happens at the sender comes before what happens on the way, and how a text is spelled before what is put around it. */
function inOrder(one: Mistake, other: Mistake): Mistake[] {
  return [one, other].toSorted((a, b) => rankOf(a) - rankOf(b));
}

function rankOf({ id, body, wire }: Mistake): number {
  if (body !== undefined || wire !== undefined) return 2;
  return SPELLED.test(id) ? 0 : 1;
}

const SPELLED = /^secret-(?:base64|hex|nf|percent|html|json|backslashes|dollar|upper|lower|dashes|doubled)/;

function areSensible(one: Mistake, other: Mistake): boolean {
  return (
    one.id !== other.id &&
    // Both decide whose secret it is, or what the environment has.
    !(one.set && other.set) &&
    !(one.set && (other.agreed ?? other.ours ?? other.key)) &&
    !(other.set && (one.agreed ?? one.ours ?? one.key)) &&
    // What is placed elsewhere leaves no body to change.
    !(isElsewhere(one) && other.body) &&
    !(isElsewhere(other) && one.body) &&
    ONCE.every((step) => one[step] === undefined || other[step] === undefined)
  );
}

function isElsewhere({ place, carrier }: Mistake): boolean {
  return place !== undefined || carrier !== undefined;
}

export interface Outcome {
  readonly pair: Pair;
  /** By exactly these two mistakes, or what cannot be told from them. */
  readonly isExplained: boolean;
  readonly says: string;
  readonly ms: number;
}

export async function tryPair(pair: Pair, ms = 10_000): Promise<Outcome> {
  const { fits, verdict, elapsedMs } = await explained(pair.build(), ms);
  const isExplained = fits.some(({ ids, twins }) =>
    pair.both.every((mistake) => [...ids, ...twins].some((id) => isNameOf(mistake, id))),
  );
  const says = fits.map(({ ids, twins }) => [ids.join(' + '), ...twins].join(' or ')).join('; ');
  return { pair, isExplained, says: says === '' ? verdict : says, ms: elapsedMs };
}

export function nameOf({ lane, both: [one, other] }: Pair): string {
  return `${lane}: ${one.id} (${one.way}) and ${other.id} (${other.way})`;
}
