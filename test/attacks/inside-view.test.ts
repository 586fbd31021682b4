import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestReceiver } from '../support/receiver.ts';
import { casesIn, openHouse, type HouseName } from './houses.ts';
import { lookInside, type Inside } from './inside.ts';
import { expectedOf, isJudged, judged, outcomes, together } from './outcomes.ts';

// The conformance rules see a receiver from outside. Here the same trials are seen from inside our own: which cause it
// notes in its log, what is in its inbox afterwards, and that neither log nor reply tells anything.

const names = ['usual', 'keys'] as const satisfies readonly HouseName[];
const open = new Map<HouseName, { readonly receiver: TestReceiver; readonly inside: Inside }>();

beforeAll(async () => {
  for (const name of names) {
    const receiver = await openHouse(name);
    open.set(name, { receiver, inside: lookInside(receiver) });
  }
});
afterAll(async () => {
  for (const { receiver } of open.values()) await receiver.stop();
});

describe.each(names)('inside the receiver with the %s proofs', (name) => {
  const here = judged.filter((rule) => casesIn(name, rule).some(isJudged));

  it.each(here.map((rule) => [rule.id, rule.title, rule] as const))('%s: %s', async (_id, _title, rule) => {
    const { receiver, inside } = open.get(name) ?? {};
    if (receiver === undefined || inside === undefined) throw new Error(`The receiver ${name} is not open.`);
    const findings: string[] = [];
    for (const one of casesIn(name, rule, receiver).filter(isJudged)) {
      findings.push(...(await inside.findingsOf(one)));
    }
    expect(findings).toEqual([]);
  });
});

describe('the table of outcomes', () => {
  const cases = names.flatMap((name) => judged.flatMap((rule) => casesIn(name, rule).filter(isJudged)));

  it.each(judged.map(({ id }) => id))('says what %s comes to, in every trial', (id) => {
    const lines = cases.filter(({ rule }) => rule.id === id).map((one) => expectedOf(one).line);
    if (together.includes(id)) return;
    expect(lines.length).toBeGreaterThan(0);
    expect(lines).not.toContain(undefined);
  });

  it('has no line that fits nothing', () => {
    const used = new Set(cases.map((one) => `${one.rule.id} ${expectedOf(one).line ?? ''}`));
    const lines = Object.entries(outcomes).flatMap(([id, table]) =>
      Object.keys(table).map((line) => `${id} ${line}`),
    );
    expect(lines.filter((line) => !used.has(line))).toEqual([]);
  });
});
