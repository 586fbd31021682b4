import type { Contestant } from './contestant.ts';
import { isSameName, mayRepeat, type Lane } from './lanes.ts';
import { load, sendAll, type Load } from './load.ts';
import { signPool, type Kind } from './requests.ts';
import { startLane, type Grounds } from './start.ts';
import { Unavailable } from './unavailable.ts';

export interface RoundsOptions {
  readonly rounds: number;
  readonly seconds: number;
  /** Deliveries to each before the first round. */
  readonly warmUp: number;
  readonly grounds: Grounds;
  readonly progress: (text: string) => void;
}

/** What came of a lane, round by round. */
export interface Track {
  readonly lane: Lane;
  readonly loads: Load[];
}

/** Tracks that get the same bytes. */
interface Group {
  readonly kind: Kind;
  readonly tracks: readonly Track[];
  /** Deliveries a second of the fastest that must not get any twice. */
  fastest: number;
}

type Contestants = readonly { readonly lane: Lane; readonly contestant: Contestant }[];

const RAMP_SECONDS = 0.2;
/** So many times what should be needed: the machine may be busier in the warm-up than afterwards. */
const RESERVE = 1.7;

/**
 * Measures each lane once in every round, one after the other and all others paused, so that a slow minute of the machine
 * hits all alike.
 */
export async function measureRounds(lanes: readonly Lane[], options: RoundsOptions): Promise<Track[]> {
  if (lanes.length === 0) return [];
  const contestants = await startAll(lanes, options);
  const groups = groupsOf(lanes.filter((lane) => contestantOf(lane, contestants) !== undefined));
  for (const group of groups) {
    options.progress(`warm-up, ${group.kind}`);
    await warmUp(group, contestants, options.warmUp);
  }
  for (let round = 1; round <= options.rounds; round += 1) {
    options.progress(`round ${round} of ${options.rounds}`);
    for (const group of groups) await measureGroup(group, round, contestants, options);
  }
  await Promise.all(contestants.map(({ contestant }) => contestant.kill()));
  return groups.flatMap((group) => group.tracks);
}

async function startAll(
  lanes: readonly Lane[],
  { grounds, progress }: Pick<RoundsOptions, 'grounds' | 'progress'>,
): Promise<Contestants> {
  const contestants: { lane: Lane; contestant: Contestant }[] = [];
  for (const lane of lanes.filter((each, at) => lanes.findIndex((other) => isSameName(each, other)) === at)) {
    try {
      const contestant = await startLane(lane, grounds);
      contestant.pause();
      contestants.push({ lane, contestant });
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      progress(`LEFT OUT: ${lane.name}, since ${error.message}`);
    }
  }
  return contestants;
}

function contestantOf(lane: Lane, contestants: Contestants): Contestant | undefined {
  return contestants.find((each) => isSameName(each.lane, lane))?.contestant;
}

function groupsOf(lanes: readonly Lane[]): Group[] {
  const grouped = Object.groupBy(lanes, ({ kind, connections }) => `${kind} ${connections}`);
  return Object.values(grouped).flatMap((group = []) => {
    const [first] = group;
    if (first === undefined) return [];
    return [{ kind: first.kind, tracks: group.map((lane) => ({ lane, loads: [] })), fastest: 0 }];
  });
}

/** The compiler learns, and we learn how many deliveries must be signed. */
async function warmUp(group: Group, contestants: Contestants, deliveries: number): Promise<void> {
  const pool = signPool(group.kind, deliveries);
  for (const { lane } of group.tracks) {
    await alone(lane, contestants, async ({ port }) => {
      pool.restart({ mayRepeat: false });
      const began = performance.now();
      await sendAll(port, pool, lane);
      noteSpeed(group, lane, (deliveries * 1000) / (performance.now() - began));
    });
  }
}

async function measureGroup(
  group: Group,
  round: number,
  contestants: Contestants,
  { seconds, warmUp: least }: RoundsOptions,
): Promise<void> {
  const needed = Math.ceil(group.fastest * (RAMP_SECONDS + seconds) * RESERVE);
  const pool = signPool(group.kind, Math.max(needed, least));
  // Back and forth, so that nobody always comes after the same one.
  const inTurn = round % 2 === 0 ? group.tracks.toReversed() : group.tracks;
  for (const { lane, loads } of inTurn) {
    const measured = await alone(lane, contestants, ({ port, processorSeconds }) => {
      pool.restart({ mayRepeat: mayRepeat(lane) });
      return load(port, pool, { ...lane, seconds, rampSeconds: RAMP_SECONDS, processorSeconds });
    });
    loads.push(measured);
    noteSpeed(group, lane, measured.perSecond);
  }
}

/** Lets one contestant run and pauses it afterwards. */
async function alone<Result>(
  lane: Lane,
  contestants: Contestants,
  measurement: (contestant: Contestant) => Promise<Result>,
): Promise<Result> {
  const contestant = contestantOf(lane, contestants);
  if (contestant === undefined) throw new Error(`${lane.name} was not started.`);
  contestant.resume();
  const result = await measurement(contestant);
  await contestant.afterTurn();
  contestant.pause();
  return result;
}

function noteSpeed(group: Group, lane: Lane, perSecond: number): void {
  if (!mayRepeat(lane)) group.fastest = Math.max(group.fastest, perSecond);
}
