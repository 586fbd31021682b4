import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Source, Switches } from '../../../src/kit/source.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { sources } from '../../../src/kit/sources/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import type { RequestOptions } from '../../support/test-sender.ts';
import { secretsFor } from '../../support/receiver.ts';
import { countsOf, differingIn, driftsIn } from './observing.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Every event of a source once, as its mock sends it with these switches. */
async function differingWith(
  source: Source,
  switches: Switches,
  env: Env = {},
  options: RequestOptions = {},
) {
  const counts = await countsOf({ env }, async ({ sender }) => {
    for (const type of Object.keys(source.events)) {
      const { status } = await sender.fire(source, type, { ...options, switches });
      expect([type, status]).toEqual([type, 200]);
    }
  });
  return { differing: differingIn(source, counts), drift: driftsIn(source, counts) };
}

const withTokens: Env = Object.fromEntries(
  Object.entries(secretsFor([hotdocs])).flatMap(([name, secret]) => [
    [name, undefined],
    [name.replace(/_SECRET$/, '_TOKEN'), secret],
  ]),
);
const asToken: RequestOptions = { kind: 'TOKEN' };
const northSecret = 'a-secret-of-the-north-0123456789';
const ofNorth: RequestOptions = { secret: northSecret };

interface Covered {
  /** What is named as differing, by one value of the switch or another. */
  readonly by: readonly string[];
  readonly beside?: Switches;
  readonly env?: (value: string) => Env;
  readonly options?: RequestOptions;
}

const covered: readonly (readonly [Source, Readonly<Record<string, Covered>>])[] = [
  [
    hotdocs,
    {
      verb: { by: ['HD-4a', 'HD-4b'] },
      carrier: { by: ['HD-14a', 'HD-14b'] },
      tokenBody: { by: ['HD-20a', 'HD-20b'], env: () => withTokens, options: asToken },
      keyMode: { by: ['HD-16'], env: () => ({ HOTDOCS_KEY_ENCODING: 'either' }) },
      claims: { by: ['HD-21'] },
      times: { by: ['HD-17a'] },
      authForm: { by: ['HD-19'], env: () => withTokens, options: asToken },
      payloadFormat: { by: ['HD-28'] },
      fieldStyle: { by: ['HD-25', 'HD-48a'] },
      loadName: { by: ['HD-3'] },
      omitEventId: { by: ['HD-30'] },
      includeAnswers: { by: ['HD-27b'] },
      dateStyle: { by: ['HD-29a'] },
      docUrl: { by: ['HD-32a', 'HD-32b'] },
    },
  ],
  [
    phenixid,
    {
      scheme: {
        by: ['PX-15'],
        env: (scheme) => ({
          PHENIXID_SIGNATURE_SCHEME: scheme,
          ...(scheme === 'unsigned' && { PHENIXID_SECRET: undefined }),
        }),
      },
      encoding: { by: ['PX-16a'] },
      letterCase: { by: ['PX-16a'] },
      prefix: { by: ['PX-16b'] },
      slash: {
        by: ['PX-6'],
        beside: { key: 'north' },
        env: () => ({ PHENIXID_NORTH_SECRET: northSecret }),
        options: ofNorth,
      },
      body: { by: ['PX-2'] },
      order: { by: ['PX-13b'] },
      pretty: { by: ['PX-13c'] },
      contentType: { by: ['PX-13a'] },
    },
  ],
  [
    risr,
    {
      headerOrder: { by: ['RI-13'] },
      escapes: { by: ['RI-14a'] },
      spacing: { by: ['RI-14b'] },
      contentType: { by: ['RI-16a'] },
      sso: { by: ['RI-25b'] },
      userMember: { by: ['RI-25a'] },
      booking: { by: ['RI-28a'] },
      requestId: { by: ['RI-21'] },
      newline: { by: ['RI-17'] },
    },
  ],
];

/** These say nothing of a delivery, or something that is no fact. */
const others: Readonly<Record<string, readonly string[]>> = {
  hotdocs: ['padToken', 'answerDialect', 'externalAnswersMaxBytes', 'timeoutMs'],
  phenixid: ['key', 'connectionTimeoutMs'],
  risr: ['testPayload', 'timeoutMs'],
};

it.each(covered.map(([source, ofSource]) => [source.name, source, ofSource] as const))(
  '%s: looks at every switch, or not with reason',
  (_name, { name, switches }, ofSource) => {
    const known = [...Object.keys(ofSource), ...(others[name] ?? [])];
    expect(known.sort()).toEqual(Object.keys(switches).sort());
  },
);

it.each(sources.map((source) => [source.name, source] as const))(
  '%s: nothing differs, and nothing drifts, where it sends as assumed',
  async (_name, source) => expect(await differingWith(source, {})).toEqual({ differing: [], drift: [] }),
);

const cases = covered.flatMap(([source, ofSource]) =>
  Object.entries(ofSource).map(([name, how]) => [source.name, name, source, how] as const),
);

it.each(cases)('%s: sees every value of the switch %s, and names it', async (_source, name, source, how) => {
  const values = source.switches[name]?.values ?? [];
  const named = new Set<string>();
  for (const value of values.slice(1)) {
    const env = how.env?.(value) ?? {};
    const { differing, drift } = await differingWith(
      source,
      { ...how.beside, [name]: value },
      env,
      how.options,
    );
    expect([value, drift]).toEqual([value, []]);
    const isUsual = name === 'carrier' && value === 'query'; // of a GET; no other method has it there
    if (!isUsual) expect([value, differing.filter((id) => how.by.includes(id))]).not.toEqual([value, []]);
    for (const id of differing) named.add(id);
  }
  expect([...named].sort()).toEqual([...how.by].sort());
});

it.each(sources.map((source) => [source.name, source] as const))(
  '%s: every row of the README that says assumed is in the table, with an observer or why there is none',
  (name, { facts = [] }) => {
    const page = readFileSync(
      join(import.meta.dirname, `../../../src/kit/sources/${name}/README.md`),
      'utf8',
    );
    const rows = [...page.matchAll(/^- \*\*([A-Z]{2}-\d+)\*\*([^]*?)(?=^- \*\*|^#)/gm)];
    expect(rows.length).toBeGreaterThan(25);
    const assumed = rows.flatMap(([, id = '', text = '']) => (text.includes('assumed') ? [id] : []));
    const rowOf = (id: string) => id.replace(/[a-z]$/, '');
    const there = new Set(facts.map(({ id }) => rowOf(id)));
    expect(assumed.filter((id) => !there.has(id))).toEqual([]);
    expect([...there].filter((id) => !rows.some(([, row]) => row === id))).toEqual([]);
    expect(new Set(facts.map(({ id }) => id)).size).toBe(facts.length);
  },
);
