import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { driftOf } from '../../../src/kit/facts/drift.ts';
import { readFacts } from '../../../src/kit/facts/open.ts';
import { event, type Source } from '../../../src/kit/source.ts';
import { sources } from '../../../src/kit/sources/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { stagedExample } from '../../../src/example/staged.ts';
import { play } from '../../../src/lab/mock/scenarios/play.ts';
import { scenarios } from '../../../src/lab/mock/scenarios/index.ts';
import { setUp } from '../../../src/lab/stage/stage.ts';
import { acme } from '../../support/acme.ts';
import { newFolder, newInboxUrl } from '../../support/fixtures.ts';
import { countsOf, driftsIn, without } from './observing.ts';

interface Tree {
  readonly name: string;
  readonly children: readonly Tree[];
}
const tree: z.ZodType<Tree> = z.lazy(() => z.object({ name: z.string(), children: z.array(tree) }));

const wide = event({
  mode: 'notify',
  summary: 'Everything that a schema can say.',
  schema: z.looseObject({
    id: z.string(),
    note: z.string().optional(),
    size: z.number().nullish(),
    state: z.enum(['open', 'shut']),
    who: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('person'), email: z.string() }),
      z.object({ kind: z.literal('team'), members: z.array(z.string()) }),
    ]),
    tags: z.record(z.string(), z.number()),
    any: z.unknown(),
    tree: tree.optional(),
    pair: z.tuple([z.string(), z.number()]).optional(),
    both: z
      .object({ one: z.string() })
      .and(z.looseObject({ two: z.number().default(2) }))
      .optional(),
    at: z.string().transform(Number).optional(),
  }),
  example: {
    ...{ id: 'x', state: 'open', who: { kind: 'person', email: 'a@b.example' }, tags: {}, any: 1 },
    extra: { known: 'by the example', none: [] },
  },
});
const fitting = {
  ...{ id: 'x', state: 'shut', who: { kind: 'team', members: ['m'] }, tags: { red: 1 }, any: { x: [1] } },
  ...{ size: null, pair: ['a', 1], both: { one: '1' }, at: '7', extra: { known: '', none: [1] } },
  tree: { name: 'a', children: [{ name: 'b', children: [{ name: 'c', children: [] }] }] },
};

function drifts(payload: unknown): string[] {
  return driftOf(wide, payload)
    .filter(({ kind }) => kind !== 'there' && kind !== 'absent')
    .map(({ kind, path, came }) => [kind, path, came].filter(Boolean).join(' '));
}

it.each<[what: string, changes: object, found: readonly string[]]>([
  ['nothing where it fits', {}, []],
  ['nothing where what may be absent is', { size: undefined, tree: undefined, pair: undefined }, []],
  ['a new member', { color: 'red' }, ['new color string']],
  ['a new member in a list, once', { who: { kind: 'team', members: [], x: 1 } }, ['new who.x number']],
  [
    'a new member deep down',
    { tree: { name: '', children: [{ name: '', children: [], age: 1 }] } },
    ['new tree.children[].age number'],
  ],
  [
    'a new member beside those of an example',
    { extra: { known: 1, other: true } },
    ['new extra.other boolean'],
  ],
  ['another type', { id: 7 }, ['type id number']],
  ['null where none may be', { note: null }, ['type note null']],
  ['another type in a record', { tags: { red: 'much' } }, ['type tags.red string']],
  ['another type in a list', { who: { kind: 'team', members: [{}] } }, ['type who.members[] object']],
  ['another word', { state: 'ajar' }, ['word state ajar']],
  ['another kind of a union', { who: { kind: 'robot', email: '' } }, ['word who.kind robot']],
  ['no word that is a value', { state: 'Mr Jones of 12 Elm Street' }, ['word state']],
  ['no name that is one', { 'a.b@c.example': 1, p19830412: 1 }, ['new (a name) number']],
])('finds %s', (_what, changes, found) => {
  expect(drifts({ ...fitting, ...changes })).toEqual(found);
});

it('finds what is needed and missing', () => {
  expect(drifts(without(fitting, 'id', 'tags'))).toEqual(['missing id', 'missing tags']);
});

it('finds that there is no object', () => expect(drifts([])).toEqual(['type array']));

it('looks no deeper than eight levels', () => {
  const deep = (levels: number): object =>
    levels === 0 ? { name: 1, children: [] } : { name: '', children: [deep(levels - 1)] };
  expect(drifts({ ...fitting, tree: deep(2) })).toEqual(['type tree.children[].children[].name number']);
  expect(drifts({ ...fitting, tree: deep(30) })).toEqual([]);
});

const orders: Source = { ...acme, events: { 'order.created': wide } };

it('reports each change once, with how often it came', async () => {
  const [{ example: profile }, { example: order }] = [risr.events.profile_updated, wide];
  const archived = JSON.stringify({ taskId: '7', orderId: '7', eventType: 'OrderArchived' });
  const counts = await countsOf({ sources: [...sources, orders] }, async ({ sender }) => {
    for (let times = 0; times < 3; times += 1) {
      const fire = (payload: object) => sender.fire(risr, 'profile_updated', { payload });
      await fire({ ...profile, nickname: 'Å', score: 1 });
      await fire({ ...profile, email: 7 });
      await fire(without(profile, 'rev'));
      await sender.fire(orders, 'order.created', { payload: { ...order, state: 'ajar' } });
      await sender.send(await sender.sign(phenixid, 'OrderCreated', archived));
    }
    await sender.fire(risr, 'profile_updated', { payload: profile });
  });
  expect(driftsIn(risr, counts)).toEqual([
    'missing profile_updated: rev 3',
    'new profile_updated: nickname string 3',
    'new profile_updated: score number 3',
    'type profile_updated: email number 3',
  ]);
  expect(driftsIn(orders, counts)).toEqual(['word order.created: state ajar 3']);
  expect(driftsIn(phenixid, counts)).toEqual(['event OrderArchived: 3']);
});

it('reports a member that came often and then no more, and none that comes now and then', async () => {
  const { example } = risr.events.profile_updated;
  const counts = await countsOf({}, async ({ sender }) => {
    const fire = (payload: object) => sender.fire(risr, 'profile_updated', { payload });
    for (let times = 0; times < 20; times += 1)
      await fire({ ...example, roles: times % 2 ? null : undefined });
    for (let times = 0; times < 20; times += 1)
      await fire({ ...without(example, 'email'), roles: times % 2 ? null : undefined });
  });
  expect(driftsIn(risr, counts)).toEqual(['gone profile_updated: email 20']);
});

it.each([undefined, 1])('reports nothing of all scenarios, with chaos of seed %s', async (chaosSeed) => {
  const url = newInboxUrl();
  const stage = await setUp(stagedExample, newFolder(), {
    fleeting: true,
    chaosSeed,
    env: { INBOX_URL: url },
  });
  const settle = () => stage.settle();
  try {
    await Promise.all(scenarios.map((scenario) => play(scenario, stage.world, { patienceMs: 200, settle })));
  } finally {
    await stage.tearDown();
  }
  const counts = await readFacts(url);
  expect(new Set(counts.map(({ source }) => source)).size).toBe(sources.length);
  expect(sources.flatMap((source) => driftsIn(source, counts))).toEqual([]);
});
