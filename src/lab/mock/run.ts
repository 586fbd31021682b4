import type { Verdict } from '../../kit/source.ts';
import type { Fault } from './faults.ts';
import { shuffled, type Random } from './random.ts';
import type { Prepared } from './request.ts';

export interface RunSize {
  readonly count: number;
  /** How many at a time. */
  readonly concurrency: number;
}

/** Many events sent, in figures. */
export interface Run {
  readonly count: number;
  readonly ok: number;
  /** How often each status came; `none` where no reply did. */
  readonly statuses: Readonly<Record<string, number>>;
  /** The different things the sender said about what was not right; a few of them. */
  readonly complaints: readonly string[];
  readonly seconds: number;
  readonly perSecond: number;
  readonly ms: Percentiles;
}

interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Hands out prepared events one after the other, in the order they shall be sent in. */
export type Supply = () => Prepared | undefined;

export function supplyOf(
  prepareOne: () => Prepared,
  count: number,
  fault: Fault | undefined,
  random: Random,
): Supply {
  if (fault?.needsSeveral) {
    const waiting = shuffled(Array.from({ length: count }, prepareOne), random);
    return () => waiting.shift();
  }
  let left = count;
  return () => (left-- > 0 ? prepareOne() : undefined);
}

interface Sent {
  readonly ms: number;
  readonly verdict: Verdict;
  readonly reply: { readonly status: number } | undefined;
}

/** Sends all there is in the supply, several at a time, and counts. */
export async function runAll(
  next: Supply,
  { count, concurrency }: RunSize,
  sendOne: (prepared: Prepared) => Promise<Sent>,
): Promise<Run> {
  const results: Result[] = [];
  const begun = performance.now();
  const lane = async () => {
    for (let prepared = next(); prepared; prepared = next()) results.push(resultOf(await sendOne(prepared)));
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, lane));
  const seconds = (performance.now() - begun) / 1000;
  return { ...figuresOf(results), seconds, perSecond: results.length / seconds };
}

interface Result {
  readonly ms: number;
  readonly status: string;
  readonly complaint: string | undefined;
}

/** What the figures need of a sent event; keeping thousands of replies would cost memory. */
function resultOf({ ms, verdict, reply }: Sent): Result {
  return { ms, status: String(reply?.status ?? 'none'), complaint: verdict.ok ? undefined : verdict.says };
}

const MOST_COMPLAINTS = 5;

function figuresOf(results: readonly Result[]): Omit<Run, 'seconds' | 'perSecond'> {
  const statuses: Record<string, number> = {};
  for (const { status } of results) statuses[status] = (statuses[status] ?? 0) + 1;
  const complaints = results.flatMap(({ complaint }) => complaint ?? []);
  return {
    count: results.length,
    ok: results.length - complaints.length,
    statuses,
    complaints: [...new Set(complaints)].slice(0, MOST_COMPLAINTS),
    ms: percentilesOf(results.map(({ ms }) => ms)),
  };
}

function percentilesOf(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
