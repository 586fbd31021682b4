import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { createBackground } from './platforms/background.ts';
import type { Fire, Target } from './platforms/firing.ts';
import { replyJson, type PlatformRequest } from './platforms/platform.ts';
import type { Disturb, Disturbance } from './platforms/serve.ts';
import { createRandom, randomBelow, type Random } from './random.ts';
import type { Fired } from './sender.ts';
import { UsageError } from '../usage.ts';

/**
 * A bad day on the network. What goes wrong with a thing follows from the seed, the thing and how often it was tried, and
 * never from the time: the same seed does the same again.
 */
export interface Chaos {
  /** Events come late, out of order, twice, or break off half-way and are sent again. */
  spoil(source: string, fire: Fire): Fire;
  /** APIs are slow, refuse, fail and hang up; but not for ever. */
  readonly disturb: Disturb;
  /** What was done so far, for people. */
  readonly deeds: readonly string[];
  /** A little time, by chance. */
  breath(): Promise<void>;
  /** Resolves when nothing is on its way any more. */
  settled(): Promise<void>;
}

export interface ChaosOptions {
  readonly seed: number;
  /** By which things are late. */
  readonly maxDelayMs: number;
  /** Whether an event that broke off is never sent again: so does a sender that does not retry. */
  readonly isLost: (source: string, type: string) => boolean;
}

export function createChaos({ seed, maxDelayMs, isLost }: ChaosOptions): Chaos {
  const tries = new Map<string, number>();
  const deeds: string[] = [];
  const background = createBackground();

  const nextTry = (thing: string): { readonly random: Random; readonly count: number } => {
    const count = (tries.get(thing) ?? 0) + 1;
    tries.set(thing, count);
    return { random: createRandom(seedFor(`${seed} ${thing} ${count}`)), count };
  };
  const note = (thing: string, deed: string) => {
    deeds.push(`${thing}: ${deed}`);
  };
  const late = (random: Random) => pause(randomBelow(maxDelayMs, random));

  return {
    deeds,
    breath: () => late(nextTry('breath').random),
    settled: () => background.settled(),
    spoil: (source, fire) => async (type, payload, to) => {
      const thing = `${source} ${type} ${subjectOf(payload)}`;
      const { random } = nextTry(thing);
      const manner = oneOf(manners, random);
      note(thing, manner);
      await late(random);
      const send = () => fire(type, payload, to);
      switch (manner) {
        case 'late':
          return send();
        case 'twice at once':
          return (await Promise.all([send(), send()]))[0];
        case 'again later': {
          const first = await send();
          background.run(late(random).then(send));
          return first;
        }
        case 'broken off': {
          const broken = await breakOff(fire, type, payload, to);
          if (broken !== undefined && isLost(source, type)) return broken;
          return send();
        }
      }
    },
    disturb(platform, request) {
      if (request.path[0]?.toLowerCase() === 'admin') return undefined;
      const thing = `${platform} ${request.method} ${request.path.join('/')}`;
      const { random, count } = nextTry(thing);
      if (count > MOST_UPSETS) return undefined;
      const upset = oneOf(upsetsOf(platform, request), random);
      if (upset !== 'none') note(thing, upset);
      return disturbanceBy(upset, randomBelow(maxDelayMs, random));
    },
  };
}

const manners = ['late', 'late', 'twice at once', 'again later', 'broken off'] as const;

type Upset = 'none' | 'slow' | 'hangs up' | '401' | '409' | '429' | '500' | '503';

/** More than a client's own attempts, fewer than those of the worker with it. */
const MOST_UPSETS = 5;

function upsetsOf(platform: string, { method, path, headers }: PlatformRequest): Upset[] {
  const upsets: Upset[] = ['none', 'none', 'none', 'slow', 'hangs up', '429', '500', '503'];
  if (headers.authorization !== undefined) upsets.push('401');
  // Elsewhere it is no answer that an API gives by chance.
  if (platform === 'risr' && method === 'PUT' && path[1] === 'users') upsets.push('409');
  return upsets;
}

function disturbanceBy(upset: Upset, delayMs: number): Disturbance | undefined {
  switch (upset) {
    case 'none':
      return undefined;
    case 'slow':
      return { delayMs };
    case 'hangs up':
      return { cutAfterBytes: 10 };
    case '429':
      return { reply: replyJson(429, { message: 'chaos' }, { 'Retry-After': '1' }) };
    case '401':
    case '409':
    case '500':
    case '503':
      return { reply: replyJson(Number(upset), { message: 'chaos' }) };
  }
}

/** Nothing where there is no body that could break off. */
async function breakOff(fire: Fire, type: string, payload: unknown, to: Target): Promise<Fired | undefined> {
  try {
    return await fire(type, payload, { ...to, fault: 'truncated' });
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

const SUBJECTS = ['workItemId', 'taskId', 'id', 'user'];

/** What an event is about: ids stay the same from run to run, what else a payload has need not. */
function subjectOf(payload: unknown): string {
  const members = new Map<string, unknown>(Object.entries(payload ?? {}));
  return SUBJECTS.map((name) => members.get(name)).find((id) => typeof id === 'string') ?? '';
}

function oneOf<Choice>(choices: readonly [Choice, ...Choice[]] | readonly Choice[], random: Random): Choice {
  const choice = choices[randomBelow(choices.length, random)];
  if (choice === undefined) throw new Error('There is no choice.');
  return choice;
}

function seedFor(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE();
}
