import { isShown, type HiddenFact } from '../../src/kit/facts/fact.ts';
import { driftIn, findingsOf, type DriftFound, type Finding } from '../../src/kit/facts/findings.ts';
import { CAME, DELIVERIES, EXAMINED, type Count } from '../../src/kit/facts/store.ts';
import type { Source } from '../../src/kit/source.ts';

/** All that deliveries have shown of one sender. */
export interface Learnt {
  readonly source: Source;
  /** How many came, and how many of them were looked at. */
  readonly came: number;
  readonly examined: number;
  /** When the first came (ms since 1970). */
  readonly since: number | undefined;
  readonly findings: readonly Finding[];
  readonly hidden: readonly HiddenFact[];
  readonly drift: readonly DriftFound[];
}

export function learntOf(source: Source, counts: readonly Count[]): Learnt {
  const deliveries = counts.filter(({ source: name, fact }) => name === source.name && fact === DELIVERIES);
  const total = (variant: string) =>
    deliveries.reduce((sum, count) => sum + (count.variant === variant ? count.count : 0), 0);
  return {
    source,
    came: total(CAME),
    examined: total(EXAMINED),
    since: deliveries.length === 0 ? undefined : Math.min(...deliveries.map(({ first }) => first)),
    findings: findingsOf(source, counts),
    hidden: (source.facts ?? []).filter((fact): fact is HiddenFact => !isShown(fact)),
    drift: driftIn(source, counts),
  };
}

/** What was expected, in words. */
export function assumedOf({ fact: { assumed } }: Finding): string {
  return assumed.length > 2
    ? `${assumed[0] ?? ''} and ${assumed.length - 1} more`
    : assumed.join(' or ') || '–';
}

const MOST_SHOWN = 4;

export function seenOf({ seen }: Finding): string {
  const more = seen.length > MOST_SHOWN ? [`${seen.length - MOST_SHOWN} more`] : [];
  return [...seen.slice(0, MOST_SHOWN).map(({ variant, count }) => `${variant} ${count}`), ...more].join(
    ', ',
  );
}

/** Confirmed or not, and what to do about it. */
export function verdictOf(finding: Finding): string {
  if (finding.state !== 'differs') return finding.state === 'news' ? 'noted' : finding.state;
  const [other] = finding.seen.filter(({ isAssumed }) => !isAssumed);
  if (other === undefined) return finding.state;
  const everywhere = new Set(finding.seen.flatMap(({ endpoints }) => endpoints));
  const where = other.endpoints.length < everywhere.size ? ` at ${other.endpoints.join(' and ')}` : '';
  const { variant } = other;
  const advice = finding.fact.advice?.(variant) ?? `nothing to set: ${variant} is taken as it is`;
  return `differs${where}: ${advice}`;
}

/** What has changed, in words that name no value but a word of a list. */
export function driftText({ kind, type, path, came, count }: DriftFound): string {
  const member = `${type}: ${path === '' ? 'the payload' : path}`;
  const times = count === 1 ? 'once' : `${count} times`;
  switch (kind) {
    case 'event':
      return `${type}, an event that the catalogue does not have, ${times}`;
    case 'new':
      return `${member} is new: ${came}, ${times}`;
    case 'type':
      return `${member} is of another type: ${came}, ${times}`;
    case 'word':
      return `${member} has another word than those listed${came === '' ? '' : `: ${came}`}, ${times}`;
    case 'missing':
      return `${member} is needed and was missing, ${times}`;
    case 'gone':
      return `${member} was there before, and no more: ${count} times`;
  }
}

export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
