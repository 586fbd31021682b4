import { createRandom, shuffled } from '../../../src/lab/mock/random.ts';
import { mistakes, lanesOf } from './broken/index.ts';
import { build, type Broken, type Lane, type Mistake } from './broken/plan.ts';
import { explained, fitsOf, hypotheses } from './run.ts';

/** Two mistakes in one delivery. */
export interface Pair {
  readonly lane: Lane;
  readonly both: readonly [Mistake, Mistake];
  build(): Broken;
}

const named = new Set(hypotheses.flatMap(({ id, weak }) => (weak === true ? [id] : [])));

/** What only one of two can change: it would undo or hide the other. */
const ONCE = ['agreed', 'ours', 'key', 'sign', 'place', 'payload', 'content'] as const;

/** Every two that can happen to one delivery and be told from it, in the order of a seed. */
export function pairsBy(seed: number): readonly Pair[] {
  const fixable = mistakes.filter(({ id }) => !named.has(id));
  const pairs = fixable.flatMap((one, index) =>
    fixable.slice(index + 1).flatMap((other) =>
      lanesOf(one)
        .filter((lane) => lanesOf(other).includes(lane) && areSensible(one, other))
        .map((lane): Pair => ({ lane, both: [one, other], build: () => build(lane, inOrder(one, other)) })),
    ),
  );
  return shuffled(pairs, createRandom(seed));
}

/** What happens at the sender comes before what happens on the way. */
function inOrder(one: Mistake, other: Mistake): Mistake[] {
  return [one, other].toSorted((a, b) => Number(isOnTheWay(a)) - Number(isOnTheWay(b)));
}

function isOnTheWay({ body, wire }: Mistake): boolean {
  return body !== undefined || wire !== undefined;
}

function areSensible(one: Mistake, other: Mistake): boolean {
  return (
    familyOf(one) !== familyOf(other) &&
    // Both decide whose secret it is, or what the environment has.
    !(one.set && other.set) &&
    !(one.set && (other.agreed ?? other.ours ?? other.key)) &&
    !(other.set && (one.agreed ?? one.ours ?? one.key)) &&
    ONCE.every((step) => one[step] === undefined || other[step] === undefined)
  );
}

export function familyOf({ id }: Mistake): string {
  const family =
    /^(?:secret|body|signature|signed|token|path|endpoint|installation|method|setting)/.exec(id)?.[0] ??
    'time';
  return family === 'path' ? 'endpoint' : family;
}

export interface Outcome {
  readonly pair: Pair;
  readonly isExplained: boolean;
  readonly says: string;
  readonly ms: number;
}

/** Explains it within 10 s, by whatever makes it verify: two mistakes can often be undone in more than one way. */
export async function tryPair(pair: Pair, ms = 10_000): Promise<Outcome> {
  const report = await explained(pair.build(), ms);
  const [first] = report.fits;
  const says = first === undefined ? report.verdict : fitsOf(report).slice(0, 6).join(', ');
  return { pair, isExplained: first !== undefined, says, ms: report.elapsedMs };
}

export function nameOf({ lane, both: [one, other] }: Pair): string {
  return `${lane}: ${one.id} (${one.way}) and ${other.id} (${other.way})`;
}
