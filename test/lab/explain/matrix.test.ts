import { describe, expect, it } from '@jest/globals';
import { cases } from './broken/index.ts';
import { build, lanes, type Lane } from './broken/plan.ts';
import { pairsBy, nameOf, tryPair } from './pairs.ts';
import { explained, flawIn, hypotheses, isNamed } from './run.ts';
import { forgery, randomBody } from './strangers.ts';

/** Long enough on a machine that does much else; what is not found ends by itself. */
const MS = 60_000;
/** What cannot be undone is named at once: looking for a way out nevertheless takes npm run prove -- explain. */
const NAMED_MS = 200;

/** What cannot happen, or does no harm, where a hypothesis would look for it. */
const HARMLESS: readonly (readonly [ids: RegExp, lanes: string, why: string])[] = [
  [/^body-(?:line-ends|line-end-behind|blanks-around)$/, 'W', 'blanks around the token are forgiven'],
  [/^body-(?:latin1|doubled)$/, 'J', 'the form is ASCII, and twice the form is twice the field'],
  [/^body-/, 'T', 'an access token does not prove the body'],
  [/^secret-(?:utf16|hex-decoded|null-behind)$/, 'T', 'a header cannot hold it'],
  [/^(?:path-slash|path-stripped)$/, 'H', 'PhenixID writes slashes itself, and its path has one part'],
  [/^secret-of-endpoint$|^endpoint-other$/, 'H', 'PhenixID has one endpoint'],
  [/^method-changed-body-gone$/, 'T', 'a GET with an access token is an event without members'],
  [/^certificate-/, 'JWT', 'only PhenixID shows one'],
  [
    /^token-blanks-around$|^token-line-end$|^token-lines$/,
    'WT',
    'forgiven in a body, not possible in a header',
  ],
  [/^token-beside-another$/, 'W', 'only the body counts'],
  [/^token-(?:other-header|in-cookie)$/, 'WT', 'not where this sender puts anything'],
];

describe('for each hypothesis and each proof that it applies to', () => {
  const settings = hypotheses.filter(({ id }) => id.startsWith('setting:'));
  const names = new Set(settings.map(({ id }) => id.replace(/=.*/, '')));

  it('there is a delivery that is broken so', () => {
    const missing = hypotheses
      .filter(({ id }) => !id.startsWith('setting:'))
      .flatMap(({ id, applies }) =>
        (Object.keys(lanes) as Lane[])
          .filter((lane) => applies.includes(lane))
          .filter((lane) => !cases.some((each) => each.id === id && each.lane === lane))
          .filter((lane) => !HARMLESS.some(([ids, where]) => ids.test(id) && where.includes(lane)))
          .map((lane) => `${id} on ${lane}`),
      );
    expect(missing).toEqual([]);
  });

  it.each([...names])('there is a delivery for which %s is wrong', (name) => {
    expect(cases.filter(({ id }) => id.startsWith(`${name}=`))).not.toEqual([]);
  });

  it('each delivery is broken in a way that there is a hypothesis for', () => {
    const unknown = cases.filter(({ id }) => !hypotheses.some((one) => one.id === id));
    expect(unknown.map(({ id }) => id)).toEqual([]);
  });

  it('there are at least sixty besides settings', () => {
    expect(hypotheses.length - settings.length).toBeGreaterThanOrEqual(60);
  });
});

describe('a delivery broken in one way is explained by that, and by nothing else', () => {
  const ids = [...new Set(cases.map(({ id }) => id))];
  it.each(ids)('%s', async (id) => {
    const flaws: string[] = [];
    for (const each of cases.filter((one) => one.id === id)) {
      const flaw = flawIn(await explained(each.build(), isNamed(id) ? NAMED_MS : MS), each.mistake);
      if (flaw !== undefined) flaws.push(`${each.lane}, ${each.way}: ${flaw}`);
    }
    expect(flaws).toEqual([]);
  });

  it.each(Object.keys(lanes) as Lane[])('%s: one that is whole verifies', async (lane) => {
    expect(await explained(build(lane, []), MS)).toMatchObject({ verdict: 'verifies', fits: [], tried: 0 });
  });
});

describe('what nobody here has sent is not explained', () => {
  // All of a thousand, with all pairs of changes, by npm run prove -- explain.
  const COUNT = 20;
  const BRIEF_MS = 40;

  it.each([
    ['forgeries', forgery],
    ['bodies of any bytes', randomBody],
  ])('%s', async (_, make) => {
    const explanations: string[] = [];
    for (let seed = 1; seed <= COUNT; seed += 1) {
      const { verdict, fits } = await explained(await make(seed), BRIEF_MS);
      if (verdict !== 'none')
        explanations.push(`${seed}: ${fits.map(({ ids }) => ids.join(' + ')).join('; ')}`);
    }
    expect(explanations).toEqual([]);
  });
});

it('two mistakes at once are explained in nine of ten deliveries', async () => {
  const COUNT = 20;
  const missed: string[] = [];
  for (const pair of pairsBy(2026).take(COUNT)) {
    const { isExplained, says } = await tryPair(pair);
    if (!isExplained) missed.push(`${nameOf(pair)}: ${says}`);
  }
  expect(missed.slice(COUNT / 10)).toEqual([]);
});
