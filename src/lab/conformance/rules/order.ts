import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import type { Effect, Stage } from '../stage.ts';
import { failed, passed, tried } from '../trials.ts';
import { countOf, finalCount, inTheEnd } from '../making/effects.ts';
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
      () => [olderState()],
    ),
  },
];

function hasSubject({ source, type }: EndpointUnderTest): boolean {
  const definition = source.events[type];
  return definition?.mode === 'notify' && definition.subject !== undefined;
}

const IN_A_ROW = 6;

/** One delivery after the other about one thing; in the end none of their effects may stand before an earlier one's. */
function inOrder(): Trial {
  const expected = 'effects in the order of the deliveries';
  return tried(`${IN_A_ROW} deliveries in a row`, async (stage) => {
    const { marks, markOf } = await deliverRow(stage);
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
    return isOrdered
      ? passed(expected, 'so it was')
      : failed(expected, `order ${places.map((place) => place + 1).join(', ')}`);
  });
}

interface Series {
  /** What tells one delivery of the row from the others. */
  readonly marks: readonly string[];
  /** The same of an effect; nothing of effects of other deliveries. */
  readonly markOf: (effect: Effect) => string | undefined;
}

/** Of a sender with one endpoint for all its events: one of each about one task. Else: the same document several times. */
async function deliverRow(stage: Stage): Promise<Series> {
  const { json, ref } = ownContent(stage);
  const { endpoint } = stage;
  if (endpoint.source.endpointPer === 'source') {
    const types = (endpoint.source.story ?? Object.keys(endpoint.source.events)).slice(0, IN_A_ROW);
    for (const type of types) await accept(stage, json.replace(`"${endpoint.type}"`, `"${type}"`));
    return { marks: types, markOf: (effect) => (effect.ref === ref ? effect.type : undefined) };
  }
  const marks: string[] = [];
  for (let count = 0; count < IN_A_ROW; count += 1) {
    const { ref: own } = ownContent(stage);
    marks.push(own);
    await accept(stage, withRevision(json.replaceAll(ref, own), endpoint, count));
  }
  return { marks, markOf: (effect) => effect.ref };
}

async function accept(stage: Stage, content: string): Promise<void> {
  await stage.send(await stage.proven(content), 'in a row');
}

/** The content at a revision so much later than that of the example. */
function withRevision(json: string, at: EndpointUnderTest, later: number): string {
  const revision = revisionOf(at);
  if (revision === undefined) return json;
  const { count, rest } = revision;
  return json.replaceAll(`"${count}${rest}"`, `"${count + later}${rest}"`);
}

function olderState(): Trial {
  const expected = 'no effect of the older one behind that of the newer one';
  return tried('an older revision behind a newer one', async (stage) => {
    const { json, ref: newer } = ownContent(stage);
    const { ref: older } = ownContent(stage);
    await accept(stage, withRevision(json, stage.endpoint, 5));
    await stage.settled((now) => countOf(now, newer) > 0);
    await accept(stage, withRevision(json.replaceAll(newer, older), stage.endpoint, 2));
    const count = await finalCount(stage, older, 0);
    if (count === 0) return passed(expected, 'so it was');
    const observed = 'an effect; right only where what it leads to compares revisions';
    return { outcome: 'warned', expected, observed };
  });
}
