import type { Source } from '../source.ts';
import { driftKinds, type DriftKind } from './drift.ts';
import { isShown, type ShownFact } from './fact.ts';
import { EVENT, sum, type Count } from './store.ts';
import { OTHERS } from './tally.ts';

/** What is known of a fact by now. */
export interface Finding {
  readonly fact: ShownFact;
  /** `news`: nothing was assumed, and something came. */
  readonly state: 'confirmed' | 'differs' | 'news' | 'not seen';
  /** Over all endpoints, the most frequent first. */
  readonly seen: readonly Variant[];
}

export interface Variant {
  readonly variant: string;
  readonly count: number;
  readonly first: number;
  readonly last: number;
  readonly isAssumed: boolean;
  /** Paths of the endpoints that it came to. */
  readonly endpoints: readonly string[];
}

/** The facts of a source that deliveries show, with what has been seen. */
export function findingsOf(source: Source, counts: readonly Count[]): readonly Finding[] {
  const own = counts.filter((count) => count.source === source.name);
  return (source.facts ?? []).filter(isShown).map((fact) => {
    const seen = variantsOf(
      fact,
      own.filter((count) => count.fact === fact.id),
    );
    return { fact, seen, state: stateOf(fact, seen) };
  });
}

/** How many facts are not as assumed. */
export function differing(sources: readonly Source[], counts: readonly Count[]): number {
  const findings = sources.flatMap((source) => findingsOf(source, counts));
  return findings.filter(({ state }) => state === 'differs').length;
}

function stateOf({ assumed }: ShownFact, seen: readonly Variant[]): Finding['state'] {
  if (seen.length === 0) return 'not seen';
  if (assumed.length === 0) return 'news';
  return seen.every(({ isAssumed }) => isAssumed) ? 'confirmed' : 'differs';
}

function variantsOf({ assumed }: ShownFact, counts: readonly Count[]): Variant[] {
  const names = [...new Set(counts.map(({ variant }) => variant))];
  return names
    .flatMap((variant) => {
      const same = counts.filter((count) => count.variant === variant);
      const [first, ...others] = same;
      if (first === undefined) return [];
      const { count, first: from, last } = others.reduce(sum, first);
      const endpoints = same.map(({ endpoint }) => endpoint);
      return [{ variant, count, first: from, last, isAssumed: assumed.includes(variant), endpoints }];
    })
    .sort((one, other) => other.count - one.count);
}

/** A payload is not, or no longer, as its event says. */
export interface DriftFound {
  readonly kind: Exclude<DriftKind, 'there' | 'absent'> | 'gone' | 'event';
  readonly endpoint: string;
  /** Of the event. */
  readonly type: string;
  /** Of the member; empty for the payload itself, and for an event. */
  readonly path: string;
  /** See `Drift`. */
  readonly came: string;
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

/** A member that may be absent has gone if it came so often, and never again in as many deliveries. */
const OFTEN = 20;

export function driftIn(source: Source, counts: readonly Count[]): readonly DriftFound[] {
  const own = counts.filter((count) => count.source === source.name);
  return own.flatMap((count): DriftFound[] => {
    const { endpoint, fact, variant, ...times } = count;
    const of = { endpoint, count: times.count, first: times.first, last: times.last };
    if (fact === EVENT) return [{ kind: 'event', type: variant, path: '', came: '', ...of }];
    const kind = driftKinds.find((name) => fact.startsWith(`${name} `));
    if (kind === undefined) return [];
    const type = fact.slice(kind.length + 1);
    const [path = '', came = ''] = split(variant);
    switch (kind) {
      case 'there':
        return [];
      case 'absent':
        return hasGone(count, own) ? [{ kind: 'gone', type, path, came, ...of }] : [];
      case 'new':
      case 'type':
      case 'word':
      case 'missing':
        return [{ kind, type, path, came, ...of }];
    }
  });
}

function split(variant: string): string[] {
  if (variant === OTHERS) return [`(${OTHERS})`];
  const at = variant.lastIndexOf(' ');
  return at === -1 || variant.endsWith(')') ? [variant] : [variant.slice(0, at), variant.slice(at + 1)];
}

function hasGone(absent: Count, counts: readonly Count[]): boolean {
  const there = counts.find(
    ({ endpoint, fact, variant }) =>
      endpoint === absent.endpoint &&
      fact === absent.fact.replace('absent', 'there') &&
      variant === absent.variant,
  );
  return there !== undefined && there.count >= OFTEN && absent.count >= OFTEN && absent.first > there.last;
}
