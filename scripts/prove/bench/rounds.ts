import type { Contestant } from './contestant.ts';
import type { Inboxes } from '../../../src/lab/rig/inboxes.ts';
import { mayRepeat, startNamed, type Lane, type Name } from './lanes.ts';
import { load, sendAll, type Load } from './load.ts';
import { signPool, type Kind } from './requests.ts';

export interface RoundsOptions {
  readonly rounds: number;
  readonly seconds: number;
  /** Deliveries to each before the first round. */
  readonly warmUp: number;
  readonly inboxes: Inboxes;
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

type Contestants = ReadonlyMap<Name, Contestant>;

const RAMP_SECONDS = 0.2;
/** So many times what should be needed: the machine may be busier in the warm-up than afterwards. */
const RESERVE = 1.7;

/**
 * Measures each lane once in every round, one after the other and all others paused, so that a slow minute of the machine
 * hits all alike.
 */
export async function measureRounds(lanes: readonly Lane[], options: RoundsOptions): Promise<Track[]> {
  if (lanes.length === 0) return [];
  const contestants = await startAll(lanes, options.inboxes);
  const groups = groupsOf(lanes);
  for (const group of groups) {
    options.progress(`warm-up, ${group.kind}`);
    await warmUp(group, contestants, options.warmUp);
  }
  for (let round = 1; round <= options.rounds; round += 1) {
    options.progress(`round ${round} of ${options.rounds}`);
    for (const group of groups) await measureGroup(group, round, contestants, options);
  }
  await Promise.all([...contestants.values()].map((contestant) => contestant.kill()));
  return groups.flatMap((group) => group.tracks);
}

async function startAll(lanes: readonly Lane[], inboxes: Inboxes): Promise<Contestants> {
  const contestants = new Map<Name, Contestant>();
  for (const name of new Set(lanes.map((lane) => lane.name))) {
    const contestant = await startNamed(name, inboxes);
    contestant.pause();
    contestants.set(name, contestant);
  }
  return contestants;
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
    await alone(lane, contestants, async (port) => {
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
    const options = { ...lane, seconds, rampSeconds: RAMP_SECONDS };
    const measured = await alone(lane, contestants, (port) => {
      pool.restart({ mayRepeat: mayRepeat(lane.name) });
      return load(port, pool, options);
    });
    loads.push(measured);
    noteSpeed(group, lane, measured.perSecond);
  }
}

/** Lets one contestant run and pauses it afterwards. */
async function alone<Result>(
  { name }: Lane,
  contestants: Contestants,
  measurement: (port: number) => Promise<Result>,
): Promise<Result> {
  const contestant = contestants.get(name);
  if (contestant === undefined) throw new Error(`${name} was not started.`);
  contestant.resume();
  const result = await measurement(contestant.port);
  await contestant.afterTurn();
  contestant.pause();
  return result;
}

function noteSpeed(group: Group, { name }: Lane, perSecond: number): void {
  if (!mayRepeat(name)) group.fastest = Math.max(group.fastest, perSecond);
}
