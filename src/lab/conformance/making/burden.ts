import type { Finding } from '../rule.ts';
import type { Stage } from '../stage.ts';
import { describe, failed, isAccepted, passed } from '../trials.ts';
import type { WireRequest } from '../wire.ts';

/** Requests that prove nothing, and others of the same size that are as harmless as can be. */
export interface Burden {
  readonly name: string;
  readonly heavy: WireRequest;
  readonly plain: WireRequest;
  /** As the heavy one, of a quarter of its size. */
  readonly quarter: WireRequest;
  /** How many of each at a time. */
  readonly count: number;
}

/** A machine that is slow is slow for both of them, and hardly so much slower for one in every round. */
const TIMES_PLAIN = 10;
const MARGIN_MS = 1_000;
const ROUNDS = 3;

/** What takes as long as it is takes four times as long as a quarter of it; what takes the square of that, sixteen times. */
const TIMES_QUARTER = 8;

/**
 * Whether heavy requests take about as long as plain ones, and others are served meanwhile. What takes longer, and no more
 * than its size says, is borne as well: it is slow, but nobody can make it slower.
 */
export async function borne(stage: Stage, { name, heavy, plain, quarter, count }: Burden): Promise<Finding> {
  const expected = `about as long as with nothing but letters (${TIMES_PLAIN} times that and ${MARGIN_MS} ms at most)`;
  let observed = '';
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const usualMs = await longestOf(stage, plain, 'plain', count);
    const [heavyMs, finding] = await Promise.all([
      longestOf(stage, heavy, 'attack', count),
      delivered(stage, stage.endpoint.deadlineMs),
    ]);
    if (finding.outcome !== 'passed') return { ...finding, observed: `${name}: ${finding.observed}` };
    observed = `${name}: ${heavyMs} ms for ${count} at once, with letters ${usualMs} ms`;
    if (heavyMs <= TIMES_PLAIN * usualMs + MARGIN_MS) return passed(expected, observed);
    times.push(heavyMs);
  }
  if (!times.some(Number.isFinite)) return failed(expected, observed);
  const quarters: number[] = [];
  while (quarters.length < ROUNDS) quarters.push(await longestOf(stage, quarter, 'attack', count));
  const best = () => ({ wholeMs: Math.min(...times), quarterMs: Math.min(...quarters) });
  const isBorne = () => best().wholeMs <= TIMES_QUARTER * best().quarterMs;
  // A machine with other work to do is seldom as fast as it can be: what has grown too much is measured some more.
  for (let more = 0; more < ROUNDS && !isBorne(); more += 1) {
    times.push(await longestOf(stage, heavy, 'attack', count));
    quarters.push(await longestOf(stage, quarter, 'attack', count));
  }
  const { wholeMs, quarterMs } = best();
  observed += `, ${wholeMs} ms at best, with a quarter of it ${quarterMs} ms`;
  return isBorne() ? passed(expected, observed) : failed(expected, observed);
}

/** Milliseconds until the last of them is answered; `Infinity` if one is not. */
async function longestOf(stage: Stage, request: WireRequest, role: string, count: number): Promise<number> {
  const sent = Array.from({ length: count }, () => stage.send(request, role, { failedProof: true }));
  const times = (await Promise.all(sent)).map(({ ms, trouble }) => (trouble === 'TIMEOUT' ? Infinity : ms));
  return Math.round(Math.max(...times));
}

/** Whether a genuine delivery is accepted right now, and how soon. */
export async function delivered(stage: Stage, promptMs: number): Promise<Finding> {
  const expected = `2xx within ${promptMs} ms`;
  const observation = await stage.send(await stage.genuine(), 'meanwhile');
  const observed = `${describe(observation)} after ${Math.round(observation.ms)} ms`;
  const inTime = isAccepted(observation) && observation.ms < promptMs;
  return inTime ? passed(expected, observed) : failed(expected, observed);
}
