import { expect, it } from '@jest/globals';
import { planCases } from '../../../src/lab/conformance/plan.ts';
import { groups } from '../../../src/lab/conformance/rule.ts';
import { rules } from '../../../src/lab/conformance/rules/index.ts';
import { everyEndpoint } from './trying-rules.ts';

const secretOf = (path: string) => `the secret of ${path}, long enough`;
const usual = everyEndpoint('https://receiver.example', secretOf);
const installation = usual
  .filter(({ source }) => source.installations === true)
  .map((endpoint) => ({ ...endpoint, name: `${endpoint.name}-north`, switches: { key: 'north' } }));
const sealed = usual.map((endpoint) => ({
  ...endpoint,
  name: `${endpoint.name}-sealed`,
  sealed: true as const,
}));
const endpoints = [...usual, ...installation, ...sealed];
const loans = ['health', 'terminate'] as const;
const plan = {
  endpoints,
  rules,
  level: 3,
  exhausting: true,
  hasProbe: true,
  hasRestart: true,
  loans,
} as const;

it.each(rules.map((rule) => [rule.id, rule] as const))('says in words what it is about: %s', (id, rule) => {
  expect(Object.keys(groups)).toContain(rule.group);
  expect(id).toMatch(/^[A-Z]\d+-[a-z][a-z0-9-]*$/);
  expect(rule.title).toMatch(/^[a-z].*[^.]$/);
  expect(rule.why).toMatch(/^[A-Z0-9].*\.$/s);
  expect(rule.fix).toMatch(/^[A-Z0-9].*\.$/s);
  if (rule.source !== undefined) expect(new URL(rule.source).protocol).toBe('https:');
});

it('gives each rule an id of its own', () =>
  expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length));

it('gives each case an id of its own, and each group some', () => {
  const cases = planCases(plan);
  expect(new Set(cases.map(({ rule }) => rule.group))).toEqual(new Set(Object.keys(groups)));
});

it('has something to try for each rule at some endpoint', () => {
  const withToken = usual.map((endpoint) => ({
    ...endpoint,
    credential: { ...endpoint.credential, kind: endpoint.source.name === 'hotdocs' ? 'TOKEN' : 'SECRET' },
  }));
  const tried = new Set(
    [plan, { ...plan, endpoints: withToken }].flatMap((one) => planCases(one)).map(({ rule }) => rule.id),
  );
  expect(rules.map(({ id }) => id).filter((id) => !tried.has(id))).toEqual([]);
});

it('tries nothing that needs a genuine delivery where nobody has told the secret', () => {
  const cases = planCases(plan).filter(({ endpoint }) => endpoint.sealed === true);
  expect(new Set(cases.map(({ rule }) => rule.id))).toEqual(new Set(['L11-no-secret']));
  expect(cases.flatMap(({ others }) => others).filter((other) => other.sealed === true)).toEqual([]);
});

it('asks for framing and routing once a source, not at each of its endpoints', () => {
  const cases = planCases(plan).filter(({ rule }) => ['G1-body-length', 'H3-unknown-path'].includes(rule.id));
  expect(new Set(cases.map(({ endpoint }) => endpoint.source.name)).size).toBe(3);
  expect(new Set(cases.map(({ endpoint }) => endpoint.name)).size).toBe(3);
});

it('leaves out what needs a loan that nobody has made', () => {
  const cases = planCases({ ...plan, loans: [] }).filter(({ rule }) => rule.needs !== undefined);
  expect(new Set(cases.map(({ rule, skipped }) => `${rule.id}: ${skipped ?? ''}`))).toEqual(
    new Set([
      'H4-health: needs the address of a health check',
      'K6-under-way: needs a way to have the receiver end',
    ]),
  );
});

it('leaves what exhausts a receiver to those who ask for it', () => {
  const skipped = planCases({ ...plan, exhausting: false }).filter((one) => one.skipped !== undefined);
  expect([...new Set(skipped.map(({ rule }) => rule.id))].toSorted()).toEqual([
    'G13-pipeline',
    'G14-tiny-chunks',
    'G15-unfinished-bodies',
    'G4-slow',
    'G9-flood',
    'G9-forwarded-for',
    'I13-longer-memory',
  ]);
});
