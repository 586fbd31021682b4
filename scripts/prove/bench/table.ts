import { markdownTable } from '../../../src/lab/rig/table.ts';
import type { Comparison, Lane } from './lanes.ts';
import { median } from './load.ts';
import type { Track } from './rounds.ts';

/** A row of the table. */
export interface BenchRow {
  readonly what: string;
  /** Requests a second, this and that, unless a unit says otherwise. */
  readonly measured: string;
  readonly ratio: string;
  readonly target: string;
  readonly spread: string;
}

export const NONE = '–';

/** The ratio is the middle one of the rounds' own ratios: what slows a round down slows both. */
export function comparisonRow(
  { what, lane, against, atLeast }: Comparison,
  tracks: readonly Track[],
): BenchRow {
  const own = speeds(lane, tracks);
  const other = speeds(against, tracks);
  const ratios = own.map((speed, round) => speed / (other[round] ?? NaN));
  const ratio = median(ratios);
  return {
    what,
    measured: `${whole(median(own))} / ${whole(median(other))}`,
    ratio: ratio.toFixed(2),
    target: atLeast === undefined ? NONE : `≥ ${atLeast} ${mark(ratio >= atLeast)}`,
    spread: spread(ratios, 2),
  };
}

/** A row with an upper limit: times, memory, ratios of times. */
export function limitRow(
  what: string,
  values: readonly number[],
  { unit, atMost }: { readonly unit: string; readonly atMost?: number },
): BenchRow {
  const value = median(values);
  return {
    what,
    measured: `${whole(value)} ${unit}`,
    ratio: NONE,
    target: atMost === undefined ? NONE : `≤ ${atMost} ${unit} ${mark(value <= atMost)}`,
    spread: values.length > 1 ? `${spread(values, 0)} ${unit}` : NONE,
  };
}

export function mark(met: boolean): string {
  return met ? 'met' : 'MISSED';
}

export function spread(values: readonly number[], digits: number): string {
  return `${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)}`;
}

export function comparisonTable(rows: readonly BenchRow[]): string {
  return markdownTable(
    ['what', 'median req/s', 'ratio', 'target', 'spread'],
    rows.map(({ what, measured, ratio, target, spread }) => [what, measured, ratio, target, spread]),
  );
}

function speeds(lane: Lane, tracks: readonly Track[]): number[] {
  const track = tracks.find((candidate) => isSame(candidate.lane, lane));
  return track?.loads.map(({ perSecond }) => perSecond) ?? [];
}

export function isSame(one: Lane, other: Lane): boolean {
  return one.name === other.name && one.kind === other.kind && one.connections === other.connections;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}
