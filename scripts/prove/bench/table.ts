import { markdownTable } from '../../../src/lab/rig/table.ts';
import { isSame, type Comparison, type Lane } from './lanes.ts';
import { median } from './load.ts';
import type { Track } from './rounds.ts';

/** A row of the table. */
export interface BenchRow {
  readonly what: string;
  /** This and that. */
  readonly measured: string;
  readonly ratio: string;
  readonly target: string;
  /** The lowest and the highest ratio of a round. */
  readonly spread: string;
  /** Deliveries or entries, this and that. */
  readonly perSecond: string;
}

export const NONE = '–';

/** Figures of two contestants, round by round. */
export interface Figures {
  readonly processorUs: readonly number[];
  readonly perSecond: readonly number[];
}

/** The ratio of processor times is the middle one of the rounds' own ratios: what slows a round down slows both. */
export function ratioRow(what: string, own: Figures, other: Figures, atMost?: number): BenchRow {
  const ratios = own.processorUs.map((us, round) => us / (other.processorUs[round] ?? NaN));
  const ratio = median(ratios);
  return {
    what,
    measured: `${whole(median(own.processorUs))} / ${whole(median(other.processorUs))} µs`,
    ratio: ratio.toFixed(2),
    target: atMost === undefined ? NONE : `≤ ${atMost} ${mark(ratio <= atMost)}`,
    spread: spread(ratios, 2),
    perSecond: `${whole(median(own.perSecond))} / ${whole(median(other.perSecond))}`,
  };
}

/** None where a contestant was left out. */
export function comparisonRows(
  { what, lane, against, atMost }: Comparison,
  tracks: readonly Track[],
): BenchRow[] {
  const [own, other] = [figuresOf(lane, tracks), figuresOf(against, tracks)];
  return own === undefined || other === undefined ? [] : [ratioRow(what, own, other, atMost)];
}

function figuresOf(lane: Lane, tracks: readonly Track[]): Figures | undefined {
  const loads = tracks.find((candidate) => isSame(candidate.lane, lane))?.loads;
  return (
    loads && {
      processorUs: loads.map((load) => load.processorUs),
      perSecond: loads.map((load) => load.perSecond),
    }
  );
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
    perSecond: NONE,
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
    ['what', 'processor time', 'ratio', 'target', 'spread', 'each second'],
    rows.map(({ what, measured, ratio, target, spread, perSecond }) => [
      what,
      measured,
      ratio,
      target,
      spread,
      perSecond,
    ]),
  );
}

export function whole(value: number): string {
  return Number.isNaN(value) ? '?' : Math.round(value).toLocaleString('en');
}
