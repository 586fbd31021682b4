import type { Entry } from '../../../src/kit/inbox/inbox.ts';
import { definitionOf, type Source } from '../../../src/kit/source.ts';
import { sources } from '../../../src/kit/sources/index.ts';
import { digestOf } from './deliveries.ts';
import { effectKey, type EffectsFound, asksForStep, isStep } from './effects.ts';
import type { Sent } from './sending.ts';

/** What is there when all is over. */
export interface Remains {
  readonly sent: readonly Sent[];
  /** In the order of acceptance. */
  readonly entries: readonly Entry[];
  readonly effects: EffectsFound;
  /** How many processes died: each may have interrupted a handler once. */
  readonly deaths: number;
}

/** What is wrong with it, in words: nothing, if every promise was kept. */
export function brokenPromises(remains: Remains): string[] {
  return [
    ...remains.sent.flatMap(whatSenderSaw),
    ...storedAsPromised(remains),
    ...remains.entries.flatMap(whatIsUnfinished),
    ...effectsOnce(remains),
    ...stepsOnce(remains),
    ...effectsInOrder(remains),
  ];
}

/** What there is of everything, for a report. */
export interface Tally {
  readonly stored: number;
  readonly handled: number;
  /** Answers that came too late for who had waited, and were recorded so. */
  readonly gone: number;
  readonly effects: number;
  /** The most often that one handler ran. */
  readonly mostRuns: number;
}

export function tally(entries: readonly Entry[], effects: EffectsFound): Tally {
  return {
    stored: entries.length,
    handled: entries.filter(({ status }) => status === 'done').length,
    gone: entries.filter(isGone).length,
    effects: effects.events.length,
    mostRuns: Math.max(0, ...effects.runs.values()),
  };
}

function isGone(entry: Entry): boolean {
  return entry.status === 'dead' && mayEndDead(entry);
}

/** Whether nobody is to blame when an entry ends dead: who waited for its answer has left. */
function mayEndDead({ source: name, type }: Entry): boolean {
  const source = sources.find((candidate: Source) => candidate.name === name);
  const definition = source && definitionOf(source, type);
  return definition?.mode === 'reply' && definition.afterFailure === 'record';
}

function whatSenderSaw({ delivery: { genuine, request }, promises, answered }: Sent): string[] {
  if (!answered) return [`${request.target} was never answered`];
  if (genuine && promises === 0) return [`${request.target} was refused, though genuine`];
  if (!genuine && promises > 0) return [`${request.target} was accepted, though forged`];
  return [];
}

function storedAsPromised({ sent, entries }: Remains): string[] {
  const problems: string[] = [];
  const delivered = entries.filter((entry) => !isStep(entry));
  const stored = groupBy(delivered, ({ content }) => digestOf(content));
  const genuine = groupBy(
    sent.filter(({ delivery }) => delivery.genuine),
    ({ delivery }) => delivery.digest,
  );
  for (const [digest, all] of genuine) {
    const rows = stored.get(digest) ?? [];
    const keyed = rows[0]?.key !== undefined;
    // Without a key every delivery is an event of its own.
    const promised = sum(all.map(({ promises }) => promises));
    const fewest = keyed ? Math.min(promised, 1) : promised;
    const most = keyed ? 1 : sum(all.map(({ tries }) => tries));
    if (rows.length >= fewest && rows.length <= most) continue;
    const path = all[0]?.delivery.request.target ?? '';
    problems.push(`${path}: ${promised} promises, ${rows.length} stored`);
  }
  for (const [digest, [first]] of stored) {
    if (!genuine.has(digest))
      problems.push(`${first?.endpoint ?? ''}: stored, though nobody genuine sent it`);
  }
  return problems;
}

function whatIsUnfinished(entry: Entry): string[] {
  if (entry.status === 'done' || isGone(entry)) return [];
  return [`${entry.endpoint}, entry ${entry.seq}, is ${entry.status}: ${entry.note ?? 'no note'}`];
}

function effectsOnce({ entries, effects, deaths }: Remains): string[] {
  const problems: string[] = [];
  const there = new Set(effects.events);
  const known = new Set(entries.map(effectKey));
  for (const entry of entries) {
    const key = effectKey(entry);
    if (entry.status === 'done' && !there.has(key)) problems.push(`${key} is done, without its effect`);
  }
  for (const key of there) if (!known.has(key)) problems.push(`${key} has an effect, and is not stored`);
  if (there.size < effects.events.length) problems.push('an event has its effect twice');
  // Repeats of one moment have one key, and each of them runs.
  const stored = Map.groupBy(entries, effectKey);
  for (const [key, runs] of effects.runs) {
    if (runs > (stored.get(key)?.length ?? 1) + deaths)
      problems.push(`${key}: its handler ran ${runs} times, with ${deaths} deaths`);
  }
  return problems;
}

/** What a handler asks to be done after it is stored with its end: neither without the other. */
function stepsOnce({ entries }: Remains): string[] {
  const steps = groupBy(entries.filter(isStep), ({ eventId = '' }) => eventId);
  const asking = entries.filter((entry) => !isStep(entry) && asksForStep(entry));
  return asking.flatMap(({ seq, endpoint, status, eventId = '' }) => {
    const expected = status === 'done' ? 1 : 0;
    const found = steps.get(eventId)?.length ?? 0;
    return found === expected ? [] : [`${endpoint}, entry ${seq}, is ${status} with ${found} steps after it`];
  });
}

/** Entries of one subject take effect one after the other, in the order in which they were accepted. */
function effectsInOrder({ entries, effects }: Remains): string[] {
  const places = new Map(effects.events.map((key, place) => [key, place]));
  const lines = groupBy(
    entries.filter(({ subject, status }) => subject !== undefined && status === 'done'),
    ({ source, subject }) => `${source} ${subject ?? ''}`,
  );
  return [...lines].flatMap(([line, all]) => {
    const keys = new Set(all.map(effectKey)); // of repeats within one millisecond there is one
    const order = [...keys].map((key) => places.get(key) ?? -1);
    return order.every((place, index) => place >= (order[index - 1] ?? -1))
      ? []
      : [`${line}: effects came about in another order than the events`];
  });
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  return Map.groupBy(items, keyOf);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
