import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import type { Effect, Effects, Stage } from '../stage.ts';
import { describe, failed, isAccepted, passed, tried } from '../trials.ts';
import { countOf, finalCount, inTheEnd, tellsEffects } from '../making/effects.ts';
import { where } from '../making/answers.ts';
import { ownContent, revisionOf } from '../making/own-content.ts';

/** Group I, third part: order. */
export const orderRules: readonly Rule[] = [
  {
    id: 'I7-order',
    group: 'I',
    title: 'handles what concerns one thing in the order in which it was accepted',
    severity: 'medium',
    grade: 'correct',
    level: 2,
    why: 'Handled side by side, an older state can overtake a newer one and overwrite it, now and then and never in a test.',
    fix: 'Handle the events of one document, task or user one after the other, or compare their revisions before writing.',
    trials: where(hasSubject, () => [inOrder()]),
  },
  {
    id: 'I7-older-state',
    group: 'I',
    title: 'lets an old revision not follow a newer one',
    severity: 'medium',
    grade: 'correct',
    level: 2,
    why: 'Deliveries can be late. Who takes the last that came for the newest writes an old state over a new one.',
    fix: 'Keep the number before the dash of rev with each document, and act on higher ones only.',
    trials: where(
      (at) => revisionOf(at) !== undefined,
      () => [
        olderState('an older revision behind a newer one', 8, 5),
        olderState('revision 9 behind 10', 10, 9),
      ],
    ),
  },
  {
    id: 'I7-each',
    group: 'I',
    title: 'loses none of several events about one thing',
    severity: 'high',
    grade: 'durable',
    level: 2,
    why: 'A document is saved twice within a second, a task is signed and then accepted. Who recognises an event by what it is about takes the second for a duplicate; who compares revisions as text finds 10 before 9.',
    fix: 'Recognise a redelivery by the id of the event. Compare the number before the dash of rev, and compare it as a number.',
    trials: where(hasRow, () => [oneByOne()]),
  },
];

function hasSubject({ source, type }: EndpointUnderTest): boolean {
  const definition = source.events[type];
  return definition?.mode === 'notify' && definition.subject !== undefined;
}

function hasRow(at: EndpointUnderTest): boolean {
  return hasSubject(at) && tellsEffects(at);
}

const IN_A_ROW = 6;

/** One delivery after the other about one thing; in the end none of their effects may stand before an earlier one's. */
function inOrder(): Trial {
  const expected = 'effects in the order of the deliveries';
  return tried(`${IN_A_ROW} deliveries in a row`, async (stage) => {
    const { row, markOf } = rowOf(stage);
    const marks = row.map(({ mark }) => mark);
    for (const { content } of row) await accept(stage, content);
    const last = marks.at(-1);
    await stage.settled(({ effects }) => effects.some((effect) => markOf(effect) === last));
    const now = await inTheEnd(stage, ({ effects }) =>
      marks.every((mark) => effects.some((effect) => markOf(effect) === mark)),
    );
    const places = now.effects
      .map((effect) => marks.indexOf(markOf(effect) ?? ''))
      .filter((place) => place >= 0);
    const isOrdered = places.every((place, index) => index === 0 || place >= (places[index - 1] ?? 0));
    if (places.length === 0) return failed(expected, 'no effect');
    if (!isOrdered) return failed(expected, `order ${places.map((place) => place + 1).join(', ')}`);
    // Of a document the newest state is the one that counts; hints about a task may be taken together.
    const isLost = revisionOf(stage.endpoint) !== undefined && places.at(-1) !== marks.length - 1;
    return isLost ? failed(expected, 'no effect of the last one') : passed(expected, 'so it was');
  });
}

/** Each of them when the one before has had its effect: there is no reason to take two of them together. */
function oneByOne(): Trial {
  return tried(`${IN_A_ROW} deliveries, one when the other is done`, async (stage) => {
    const { row, markOf } = rowOf(stage);
    for (const { content, mark, says } of row) {
      const observation = await stage.send(await stage.proven(content), says);
      const isThere = ({ effects, quarantined }: Effects) =>
        [...effects, ...quarantined].some((effect) => markOf(effect) === mark);
      if (!isAccepted(observation)) return failed('2xx', `${says}: ${describe(observation)}`);
      if (!isThere(await stage.settled(isThere))) {
        return failed('an effect of each', `no effect of ${says}, which was accepted`);
      }
    }
    return passed('an effect of each', `${row.length} effects`);
  });
}

interface Series {
  readonly row: readonly {
    readonly content: string;
    /** What tells it from the others. */
    readonly mark: string;
    readonly says: string;
  }[];
  /** The same of an effect; nothing of effects of other deliveries. */
  readonly markOf: (effect: Effect) => string | undefined;
}

/** The first of them; compared as text, the third is older than all before it. */
const FIRST_REVISION = 8;

/** Of a sender with one endpoint for all its events: one of each about one task. Else: the same document several times. */
function rowOf(stage: Stage): Series {
  const { json, ref } = ownContent(stage);
  const { endpoint } = stage;
  if (endpoint.source.endpointPer === 'source') {
    const types = (endpoint.source.story ?? Object.keys(endpoint.source.events)).slice(0, IN_A_ROW);
    const row = types.map((type) => ({
      content: json.replace(`"${endpoint.type}"`, `"${type}"`),
      mark: type,
      says: type,
    }));
    return { row, markOf: (effect) => (effect.ref === ref ? effect.type : undefined) };
  }
  const isCounted = revisionOf(endpoint) !== undefined;
  const row = Array.from({ length: IN_A_ROW }, (_, at) => {
    const { ref: own } = ownContent(stage);
    const count = FIRST_REVISION + at;
    const content = withRevision(json.replaceAll(ref, own), endpoint, count);
    return { content, mark: own, says: isCounted ? `revision ${count}` : `event ${at + 1} about it` };
  });
  return { row, markOf: (effect) => effect.ref };
}

async function accept(stage: Stage, content: string): Promise<void> {
  await stage.send(await stage.proven(content), 'in a row');
}

/** The content at another revision than that of the example. */
function withRevision(json: string, at: EndpointUnderTest, other: number): string {
  const revision = revisionOf(at);
  if (revision === undefined) return json;
  const { count, rest } = revision;
  return json.replaceAll(`"${count}${rest}"`, `"${other}${rest}"`);
}

function olderState(name: string, newerCount: number, olderCount: number): Trial {
  const expected = 'no effect of the older one behind that of the newer one';
  return tried(name, async (stage) => {
    const { json, ref: newer } = ownContent(stage);
    const { ref: older } = ownContent(stage);
    await accept(stage, withRevision(json, stage.endpoint, newerCount));
    await stage.settled((now) => countOf(now, newer) > 0);
    await accept(stage, withRevision(json.replaceAll(newer, older), stage.endpoint, olderCount));
    const count = await finalCount(stage, older, 0);
    if (count === 0) return passed(expected, 'so it was');
    const observed = 'an effect; right only where what it leads to compares revisions';
    return { outcome: 'warned', expected, observed };
  });
}
