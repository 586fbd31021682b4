import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterEach, expect, it } from '@jest/globals';
import { rules } from '../../../src/lab/conformance/rules/index.ts';
import { answered, passed, refused, tried } from '../../../src/lab/conformance/trials.ts';
import {
  idsOf,
  rightly,
  ruleOf,
  run,
  SECRET,
  startTarget,
  type Answer,
  type Incoming,
  type Target,
} from './target.ts';
import { newFolder } from '../../support/fixtures.ts';

let target: Target | undefined;
afterEach(async () => {
  await target?.stop();
  target = undefined;
});

const ONE = 'A1-none/risr/profile_updated/alg-none-empty-third-part';

it('finds nothing wrong with a right receiver, and says what it tried', async () => {
  target = await startTarget();
  const { ended, events, cases } = await run(target);
  expect(ended).toMatchObject({ verdict: 'conformant', counts: { passed: cases.length, failed: 0 } });
  expect(events[0]).toMatchObject({ event: 'started', sources: ['risr'], seed: 7, cases: cases.length });
  expect(events.at(-1)).toBe(ended);
});

it('sends a genuine request before and after each attack, and attacks that differ from it', async () => {
  target = await startTarget();
  const { cases } = await run(target, { only: ['A5-*'] });
  const roles = cases.map(({ exchanges }) => exchanges.map(({ role }) => role).join(' – '));
  expect(new Set(roles.slice(1))).toEqual(new Set(['attack – positive again']));
  expect(roles[0]).toBe('positive – attack – positive again');
  expect(cases.flatMap(({ exchanges }) => exchanges.map(({ status }) => status))).not.toContain(0);
});

it('fails a receiver that believes everything', async () => {
  target = await startTarget(() => ({ status: 200, body: '{"ok":true}' }));
  const { ended, cases } = await run(target, { only: ['A1-none', 'A7-*'] });
  expect(ended.verdict).toBe('not conformant');
  expect(idsOf(cases, 'failed')).toHaveLength(cases.length);
  expect(cases[0]).toMatchObject({ id: ONE, expected: '401', observed: 'status 200: it was accepted' });
});

it('cannot judge a receiver that refuses everything, and attacks it with nothing', async () => {
  target = await startTarget((incoming) => rightly({ ...incoming, genuine: false }));
  const { ended, cases } = await run(target);
  expect(ended).toMatchObject({
    verdict: 'inconclusive',
    says: expect.stringContaining('Check the secrets'),
  });
  expect(idsOf(cases, 'inconclusive')).toHaveLength(cases.length);
  expect(target.requests).toHaveLength(1);
});

it('says which address was asked how, and what it takes instead', async () => {
  target = await startTarget(() => ({ status: 405, headers: { Allow: 'GET, PUT' } }));
  const { ended, cases } = await run(target, { only: ['A1-*'] });
  const finding = '/risr/profile_updated: status 405 to a POST (Allow: GET, PUT)';
  expect(new Set(cases.map(({ observed }) => observed))).toEqual(new Set([finding]));
  expect(ended).toMatchObject({ verdict: 'inconclusive', says: expect.stringContaining(finding) });
});

it('says that nothing answers where nothing listens', async () => {
  target = await startTarget();
  await target.stop();
  const { ended, cases } = await run(target);
  expect(ended).toMatchObject({ verdict: 'unreachable', says: expect.stringContaining('ECONNREFUSED') });
  expect(cases).toEqual([]);
});

it('says that TLS cannot be set up where the target speaks none', async () => {
  target = await startTarget();
  const url = new URL(target.endpoint.url.href.replace('http:', 'https:'));
  const { ended } = await run({ ...target, endpoint: { ...target.endpoint, url } });
  expect(ended).toMatchObject({ verdict: 'unreachable' });
});

/** Rightly, but for what does not have the usual header. */
function unless(isOdd: (incoming: Incoming) => boolean, odd: (target: Target) => Answer | undefined) {
  return (incoming: Incoming, own: Target) => (isOdd(incoming) ? odd(own) : rightly(incoming));
}

/** `null` in place of the algorithm: something that a receiver may stumble over. */
const namesNoAlgorithm = ({ body }: Incoming) =>
  Buffer.from(body.split('.')[0] ?? '', 'base64url').toString() === '{"alg":null,"typ":"JWT"}';

const STUMBLING_BLOCK = 'A4-algorithm-spelling/risr/profile_updated/alg-null';

it('names the case in which the receiver died, and tries nothing behind it', async () => {
  target = await startTarget(
    unless(namesNoAlgorithm, (own) => {
      own.close();
      return undefined;
    }),
  );
  const { ended, cases } = await run(target, { only: ['A4-*'] });
  expect(ended).toMatchObject({ verdict: 'not conformant', says: expect.stringContaining(STUMBLING_BLOCK) });
  expect(cases.at(-1)).toMatchObject({ id: STUMBLING_BLOCK, outcome: 'failed' });
});

it('fails the case in which the receiver died, and goes on when it comes back', async () => {
  target = await startTarget(
    unless(namesNoAlgorithm, (own) => {
      own.close();
      setTimeout(() => void own.reopen(), 300);
      return undefined;
    }),
  );
  const { ended, cases } = await run(target, { only: ['A4-*'] });
  expect(ended.verdict).toBe('not conformant');
  expect(idsOf(cases, 'failed')).toEqual([STUMBLING_BLOCK]);
  expect(idsOf(cases, 'passed')).toHaveLength(cases.length - 1);
});

it('fails a receiver that shuts genuine requests out after an attack', async () => {
  let attacked = false;
  target = await startTarget((incoming) => {
    if (incoming.genuine && attacked) return { status: 429, headers: { 'Retry-After': '60' } };
    attacked = !incoming.genuine;
    return rightly(incoming);
  });
  const { cases } = await run(target, { only: ['A1-*'] });
  expect(cases[0]).toMatchObject({ outcome: 'failed', observed: 'a genuine request: status 429' });
});

it.each<[number, string]>([
  [401, 'passed'],
  [429, 'passed'],
  [400, 'warned'],
  [403, 'warned'],
  [404, 'failed'],
  [302, 'failed'],
  [500, 'failed'],
  [503, 'failed'],
])('takes %i for an answer to a failed proof that has %s', async (status, outcome) => {
  const answer = { status, headers: { 'Retry-After': '1', 'WWW-Authenticate': 'Signature' } };
  target = await startTarget((incoming) => (incoming.genuine ? rightly(incoming) : answer));
  const { cases } = await run(target, { only: [ONE] });
  expect(cases.map((one) => one.outcome)).toEqual([outcome]);
});

it('fails a receiver that gives no answer in time, and one that hangs up', async () => {
  target = await startTarget((incoming) => (incoming.genuine ? rightly(incoming) : undefined));
  const late = await run(target, { only: [ONE], timeoutMs: 200 });
  expect(late.cases[0]).toMatchObject({ outcome: 'failed', observed: 'no reply in time' });
});

it('takes a rate limit for an answer wherever a failed proof would be one', async () => {
  target = await startTarget(({ genuine, method, body }) =>
    method === 'POST' ? rightly({ genuine, method, body }) : { status: 429 },
  );
  const put = (name: string, statuses: readonly number[]) =>
    answered(name, (genuine) => ({ ...genuine, method: 'PUT' }), statuses);
  const rule = ruleOf('K1', () => [put('may be refused', [401, 405]), put('may not be refused', [200])]);
  const { cases } = await run(target, { rules: [rule] });
  expect(cases.map(({ outcome }) => outcome)).toEqual(['passed', 'failed']);
});

it('says so when a rate limit has answered in place of the proof', async () => {
  target = await startTarget((incoming) =>
    incoming.genuine ? rightly(incoming) : { status: 429, headers: { 'Retry-After': '60' } },
  );
  const { ended } = await run(target, { only: [ONE] });
  expect(ended).toMatchObject({ verdict: 'conformant', says: expect.stringContaining('rate limit') });
});

const believing = () => ({ status: 200, body: '{"ok":true}' });

it('stops after as many failures as it was told', async () => {
  target = await startTarget(believing);
  const { ended, cases } = await run(target, { maxFailures: 2 });
  expect(cases).toHaveLength(2);
  expect(ended).toMatchObject({ verdict: 'not conformant', counts: { failed: 2 } });
});

it('stops when it is interrupted', async () => {
  target = await startTarget();
  const { ended } = await run(target, { signal: AbortSignal.abort() });
  expect(ended.verdict).toBe('interrupted');
});

it('lists a waived failure with its reason, and does not count it', async () => {
  target = await startTarget(believing);
  const waivers = [{ pattern: 'A1-*', reason: 'known since spring' }];
  const { ended, cases } = await run(target, { only: ['A1-*'], waivers });
  expect(cases[0]).toMatchObject({
    outcome: 'waived',
    reason: 'known since spring',
    observed: 'status 200: it was accepted',
  });
  expect(ended.verdict).toBe('conformant');
});

it('sends the same bytes in a case whatever else is tried', async () => {
  target = await startTarget();
  const all = await run(target);
  const alone = await run(target, { only: [ONE] });
  const bytesIn = ({ cases }: typeof all) =>
    cases.find(({ id }) => id === ONE)?.exchanges.map(({ sha256 }) => sha256);
  expect(bytesIn(alone)).toEqual(bytesIn(all));
  const otherwise = await run(target, { only: [ONE], seed: 8 });
  expect(bytesIn(otherwise)).not.toEqual(bytesIn(all));
});

it('tells no secret and no proof, even when the receiver repeats them', async () => {
  target = await startTarget((incoming) => ({
    status: incoming.genuine ? 200 : 403,
    body: `${SECRET.toUpperCase()} ${SECRET.slice(0, 20)} ${incoming.body}`,
  }));
  const { events, cases } = await run(target, { rules, only: ['A1-*', 'A5-*', 'A24-*', 'U*'] });
  const words = JSON.stringify(events).match(/[\w+/-]{40,}/g) ?? [];
  const decoded = words.map((word) => Buffer.from(word, 'base64').toString('latin1'));
  const told = `${JSON.stringify(events)} ${decoded.join(' ')}`.toLowerCase();
  expect(told).toContain('<secret>');
  expect(told).toContain('<proof>');
  expect(told).not.toContain(SECRET.slice(0, 12));
  const genuine = target.requests.filter((request) => request.genuine && request.body !== '');
  const signatures = genuine.map(({ body }) => body.slice(body.lastIndexOf('.') + 1).toLowerCase());
  expect(signatures.filter((signature) => told.includes(signature.slice(0, 12)))).toEqual([]);
  // What is forged may be shown, and is needed to do it again.
  expect(cases[0]?.reproduce).toEqual([
    expect.stringMatching(
      /^curl -i -X POST http:\S+ -H 'Content-Type: application\/jose' --data-raw eyJ[\w.-]+$/,
    ),
    expect.stringMatching(/^npm run conform -- --url http:\S+ --source risr --seed 7 --only 'A1-none\//),
  ]);
});

it('keeps the bytes of every request where it is told to', async () => {
  target = await startTarget((incoming) => (incoming.genuine ? rightly(incoming) : { status: 403 }));
  const keep = newFolder();
  const { cases } = await run(target, { only: [ONE], keep });
  const [one] = cases;
  expect(one?.exchanges).toHaveLength(3);
  for (const { file, sha256 } of one?.exchanges ?? []) {
    expect(hash('sha256', readFileSync(file ?? ''))).toBe(sha256);
  }
  const body = /@(\S+)$/.exec(one?.reproduce[0] ?? '')?.[1] ?? '';
  expect(target.requests.map((request) => request.body)).toContain(readFileSync(body, 'latin1'));
});

it('sends no faster than it was told', async () => {
  target = await startTarget();
  const started = performance.now();
  const { cases } = await run(target, { only: ['A3-*'], rate: 50 });
  const requests = cases.flatMap(({ exchanges }) => exchanges).length;
  expect(performance.now() - started).toBeGreaterThanOrEqual((requests - 1) * 20 - 5);
});

it('calls the run broken, and names the case, when a rule is at fault, and tries the others all the same', async () => {
  target = await startTarget();
  const fails = ruleOf('K1-fails', () => [tried('one', () => Promise.reject(new Error('a defect')))]);
  const holds = ruleOf('K2-holds', () => [tried('one', async () => passed('', ''))]);
  const { ended, cases } = await run(target, { rules: [fails, holds] });
  expect(ended).toMatchObject({ verdict: 'broken', says: 'K1-fails/risr/profile_updated/one: a defect' });
  expect(cases.map(({ outcome }) => outcome)).toEqual(['inconclusive', 'passed']);
});

it('leaves a trial out that makes no difference to the requests of a sender, and says so', async () => {
  target = await startTarget();
  const unchanged = ruleOf('K1-nothing', () => [refused('nothing changed', (genuine) => genuine)]);
  const never = ruleOf('K2-never', () => [refused('never', () => undefined)]);
  const { cases } = await run(target, { rules: [unchanged, never] });
  expect(cases.map(({ outcome, reason }) => [outcome, reason])).toEqual([
    ['skipped', 'a genuine request of this sender is already so'],
    ['skipped', 'no genuine request of this sender can be changed so'],
  ]);
});

it('refuses two cases of one name', async () => {
  target = await startTarget();
  const trial = answered('twice', (genuine) => ({ ...genuine, method: 'PUT' }), [405]);
  const { ended } = await run(target, { rules: [ruleOf('K1', () => [trial, trial])] });
  expect(ended).toMatchObject({
    verdict: 'broken',
    says: expect.stringContaining('K1/risr/profile_updated/twice'),
  });
});

it('skips what was left out, what is exhausting and what needs a probe, and says why', async () => {
  target = await startTarget();
  const trials = () => [tried('one', async () => passed('', ''))];
  const rules = [
    ruleOf('K1-plain', trials),
    ruleOf('K2-left-out', trials),
    { ...ruleOf('K3-exhausting', trials), exhausting: true as const },
    ruleOf('K4-effects', trials, 2),
    ruleOf('K5-restart', trials, 3),
  ];
  const { cases } = await run(target, { rules, skip: ['K2*'], level: 2 });
  expect(cases.map(({ rule, outcome, reason }) => [rule.id, outcome, reason])).toEqual([
    ['K1-plain', 'passed', undefined],
    ['K2-left-out', 'skipped', 'left out on demand'],
    ['K4-effects', 'skipped', 'needs a probe'],
    ['K3-exhausting', 'skipped', 'exhausting, and tried on demand only'],
  ]);
});

it('asks the probe until what it waits for has happened', async () => {
  target = await startTarget();
  const rule = ruleOf(
    'K1-effect',
    () => [
      tried('an effect', async (stage) => {
        const { ref } = await stage.genuine();
        refs.push(ref);
        const { effects } = await stage.settled((now) => now.effects.length > 0);
        return passed('one effect', String(effects.length));
      }),
    ],
    2,
  );
  const refs: string[] = [];
  let asked = 0;
  const probe = async () => {
    asked += 1;
    return {
      effects: asked < 3 ? [] : refs.map((ref) => ({ type: 'profile_updated', ref })),
      quarantined: [],
    };
  };
  const { cases } = await run(target, { rules: [rule], level: 2, probe });
  expect(cases).toMatchObject([{ outcome: 'passed', observed: '1' }]);
});

it('tries a rule that is the same for all endpoints of a source only once', async () => {
  target = await startTarget();
  const once = {
    ...ruleOf('K1', () => [tried('one', async () => passed('', ''))]),
    oncePerSource: true as const,
  };
  const endpoints = [target.endpoint, { ...target.endpoint, name: 'risr/other' }];
  const { cases } = await run(target, { rules: [once], endpoints });
  expect(cases.map(({ endpoint }) => endpoint)).toEqual(['risr/profile_updated']);
});

it('judges one endpoint and tells that another could not be judged', async () => {
  target = await startTarget();
  const closed = {
    ...target.endpoint,
    name: 'risr/other',
    credential: { kind: 'SECRET', text: 'another secret' },
  };
  const { ended, cases } = await run(target, { endpoints: [target.endpoint, closed], only: ['A1-*'] });
  expect(ended.verdict).toBe('inconclusive');
  expect(new Set(cases.map(({ endpoint, outcome }) => `${endpoint} ${outcome}`))).toEqual(
    new Set(['risr/profile_updated passed', 'risr/other inconclusive']),
  );
});
