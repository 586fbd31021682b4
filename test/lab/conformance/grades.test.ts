import { expect, it } from '@jest/globals';
import type { CaseEnded } from '../../../src/lab/conformance/result.ts';
import type { Grade, Rule } from '../../../src/lab/conformance/rule.ts';
import { failed, passed } from '../../../src/lab/conformance/trials.ts';
import { endOf } from '../../../src/lab/conformance/verdict.ts';
import { ended } from './recorded.ts';
import { run, startTarget } from './target.ts';

function one(grade: Grade, outcome: CaseEnded['outcome']): CaseEnded {
  const made = ended(`A1-none/risr/x/${grade}-${outcome}`, outcome);
  return { ...made, rule: { ...made.rule, grade } };
}

it.each<[cases: [Grade, CaseEnded['outcome']][], asked: Grade, says: string, verdict: string]>([
  [
    [
      ['authentic', 'passed'],
      ['durable', 'passed'],
      ['correct', 'passed'],
      ['hardened', 'warned'],
    ],
    'correct',
    'Authentic, durable, and correct. All 4 cases passed, 1 with a warning.',
    'conformant',
  ],
  [
    [
      ['authentic', 'passed'],
      ['durable', 'passed'],
      ['correct', 'passed'],
      ['hardened', 'warned'],
    ],
    'hardened',
    'Authentic, durable, correct, and hardened. All 4 cases passed, 1 with a warning.',
    'conformant',
  ],
  [
    [
      ['authentic', 'passed'],
      ['correct', 'passed'],
    ],
    'correct',
    'Authentic and correct. Not examined: durable. All 2 cases passed.',
    'conformant',
  ],
  [
    [
      ['authentic', 'passed'],
      ['durable', 'failed'],
      ['correct', 'passed'],
    ],
    'correct',
    'Authentic, but not durable. 1 case failed of 3.',
    'not conformant',
  ],
  [
    [
      ['authentic', 'passed'],
      ['durable', 'warned'],
    ],
    'authentic',
    'Authentic. All 2 cases passed, 1 with a warning.',
    'conformant',
  ],
  [[['authentic', 'failed']], 'authentic', 'Not authentic. 1 case failed of 1.', 'not conformant'],
  [
    [
      ['authentic', 'passed'],
      ['hardened', 'inconclusive'],
    ],
    'authentic',
    'Authentic. All 2 cases passed, 1 that proved nothing.',
    'conformant',
  ],
])('says of %j, where %s is asked for: %s', (cases, asked, says, verdict) => {
  const end = endOf(
    cases.map(([grade, outcome]) => one(grade, outcome)),
    undefined,
    asked,
  );
  expect(end).toMatchObject({ says, verdict });
});

const rule = (grade: Grade, trial: Partial<Rule> = {}): Rule => ({
  id: `K1-${grade}`,
  group: 'K',
  title: grade,
  severity: 'high',
  grade,
  level: 1,
  why: 'why',
  fix: 'fix',
  trials: () => [
    { name: 'one', run: async () => (grade === 'hardened' ? failed('a', 'b') : passed('a', 'a')) },
  ],
  ...trial,
});

it('makes a warning of what is wrong beyond the grade that was asked for, and a failure where it was asked for', async () => {
  const rules = [rule('authentic'), rule('hardened')];
  const target = await startTarget();
  try {
    expect((await run(target, { rules, grade: 'correct' })).cases.map(({ outcome }) => outcome)).toEqual([
      'passed',
      'warned',
    ]);
    expect((await run(target, { rules, grade: 'hardened' })).cases.map(({ outcome }) => outcome)).toEqual([
      'passed',
      'failed',
    ]);
  } finally {
    await target.stop();
  }
});

it('takes a trial for what it says that it is about, whatever its rule is', async () => {
  const target = await startTarget();
  const lenient = rule('authentic', {
    trials: () => [{ name: 'one', grade: 'hardened', run: async () => failed('a', 'b') }],
  });
  try {
    expect((await run(target, { rules: [lenient], grade: 'correct' })).cases).toMatchObject([
      { outcome: 'warned', rule: { grade: 'hardened' } },
    ]);
  } finally {
    await target.stop();
  }
});
