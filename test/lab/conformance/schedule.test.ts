import { afterEach, expect, it } from '@jest/globals';
import type { Exchange } from '../../../src/lab/conformance/exchange.ts';
import { tokenRules } from '../../../src/lab/conformance/rules/tokens.ts';
import type { EndpointUnderTest, Trial } from '../../../src/lab/conformance/rule.ts';
import type { Effect, Stage } from '../../../src/lab/conformance/stage.ts';
import { failed, passed } from '../../../src/lab/conformance/trials.ts';
import { Visit } from '../../../src/lab/conformance/visit.ts';
import { idsOf, rightly, ruleOf, run, startTarget, type Target } from './target.ts';

let target: Target | undefined;
afterEach(async () => {
  await target?.stop();
  target = undefined;
});

/** Trials that each wait until as many others have begun, or none begins any more. */
function meeting(count: number) {
  let [here, most] = [0, 0];
  const trials = Array.from({ length: count }, (_, at): Trial => ({
    name: `number ${at}`,
    async run() {
      here += 1;
      most = Math.max(most, here);
      await new Promise((resolve) => setTimeout(resolve, 20));
      here -= 1;
      return passed('', '');
    },
  }));
  return { trials, most: () => most };
}

it.each([
  [4, undefined],
  [2, 2],
  [1, 1],
])('tries %i cases at once where it is told %p', async (expected, parallel) => {
  target = await startTarget();
  const { trials, most } = meeting(200);
  const rules = trials.map((trial, at) => ruleOf(`K${at}`, () => [trial]));
  const { ended } = await run(target, { rules, ...(parallel === undefined ? {} : { parallel }) });
  expect(ended.counts.passed).toBe(200);
  expect(most()).toBe(expected);
});

it('tries what would disturb others when no other is tried', async () => {
  target = await startTarget();
  const { trials, most } = meeting(130);
  const rules = trials.map((trial, at) => ({ ...ruleOf(`K${at}`, () => [trial]), alone: true as const }));
  await run(target, { rules });
  expect(most()).toBe(1);
});

/** One after the other at each, and side by side. */
function fourOf({ endpoint }: Target): EndpointUnderTest[] {
  return [1, 2, 3, 4].map((number) => ({ ...endpoint, name: `risr/number-${number}` }));
}

const STUMBLING_BLOCK = 'A4-algorithm-spelling/risr/profile_updated/alg-null';

it('blames no case for the death of a receiver but the one that killed it', async () => {
  target = await startTarget((incoming, own) => {
    const header = Buffer.from(incoming.body.split('.')[0] ?? '', 'base64url').toString();
    if (header !== '{"alg":null,"typ":"JWT"}') return rightly(incoming);
    own.close();
    setTimeout(() => void own.reopen(), 300);
    return undefined;
  });
  const endpoints = fourOf(target);
  const skip = ['A4-*/risr/number-2/*', 'A4-*/risr/number-3/*', 'A4-*/risr/number-4/*'];
  const { ended, cases } = await run(target, { rules: tokenRules, endpoints, skip });
  expect(idsOf(cases, 'failed')).toEqual([STUMBLING_BLOCK.replace('profile_updated', 'number-1')]);
  expect(ended.counts.inconclusive).toBe(0);
});

it('restarts a receiver that has died, where it was lent a way to, and goes on', async () => {
  let restarts = 0;
  let own: Target | undefined;
  target = await startTarget((incoming, self) => {
    own = self;
    const header = Buffer.from(incoming.body.split('.')[0] ?? '', 'base64url').toString();
    if (header !== '{"alg":null,"typ":"JWT"}') return rightly(incoming);
    self.close();
    return undefined;
  });
  const restart = async () => {
    restarts += 1;
    await own?.reopen();
  };
  const { cases } = await run(target, { only: ['A4-*'], restart });
  expect(idsOf(cases, 'failed')).toEqual([STUMBLING_BLOCK]);
  expect(restarts).toBeGreaterThan(0);
});

/** A delivery, and whether its effect has come when nothing more is waited for. */
async function delivery(stage: Stage) {
  for (let others = 0; others < 4; others += 1) await stage.send(await stage.genuine(), 'another');
  const request = await stage.genuine();
  await stage.send(request, 'delivered');
  const isThere = ({ effects }: { readonly effects: readonly Effect[] }) =>
    effects.some(({ ref }) => ref === request.ref);
  return isThere(await stage.settled(isThere)) ? passed('an effect', 'one') : failed('an effect', 'none');
}

function deliveries(count: number) {
  return Array.from({ length: count }, (_, at) =>
    ruleOf(`K${at}`, () => [{ name: 'a delivery', run: delivery }], 2),
  );
}

function refIn(body: string): string {
  const payload = JSON.parse(Buffer.from(body.split('.')[1] ?? '', 'base64url').toString()) as {
    webhook_request_id: string;
  };
  return payload.webhook_request_id;
}

it('waits for a worker that is slower than the deliveries come', async () => {
  const waiting: string[] = [];
  const effects: Effect[] = [];
  target = await startTarget((incoming) => {
    if (incoming.genuine) waiting.push(refIn(incoming.body));
    return rightly(incoming);
  });
  const worker = setInterval(() => {
    effects.push(...waiting.splice(0, 1).map((ref) => ({ ref })));
  }, 30);
  const { ended } = await run(target, {
    rules: deliveries(10),
    endpoints: fourOf(target),
    level: 2,
    patienceMs: 150,
    probe: async () => ({ effects: [...effects], quarantined: [] }),
  });
  clearInterval(worker);
  expect(ended.counts).toMatchObject({ passed: 40, failed: 0 });
});

it('misses the effects of an endpoint once, and tries no more for them there', async () => {
  target = await startTarget();
  const { ended, cases } = await run(target, {
    rules: deliveries(70),
    level: 2,
    patienceMs: 100,
    probe: async () => ({ effects: [], quarantined: [] }),
  });
  expect(ended).toMatchObject({ verdict: 'not conformant', counts: { failed: 1, inconclusive: 69 } });
  const [first] = idsOf(cases, 'failed');
  expect(cases.at(-1)?.observed).toContain(`no effect of a genuine delivery is seen after ${first}`);
});

it('leaves the rest of a rule out when it fails alike, and slowly, again and again', async () => {
  target = await startTarget();
  const slow = (at: number): Trial => ({
    name: `number ${at}`,
    async run() {
      await new Promise((resolve) => setTimeout(resolve, 1_010));
      return failed('in time', 'too late');
    },
  });
  const rule = ruleOf('K1-slow', () => [0, 1, 2, 3, 4].map(slow));
  const { cases } = await run(target, { rules: [rule] });
  expect(cases.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed', 'skipped', 'skipped']);
  expect(cases.at(-1)?.reason).toContain('3 slow failures alike, the first in K1-slow/');
});

const exchangeOf = (role: string, ms: number, trouble?: string) =>
  ({ role, observation: { ms, trouble, status: trouble === undefined ? 200 : 0 } }) as Exchange;

it('gives an endpoint up after ten cases in a row without a whole reply, and not for fewer', () => {
  const visit = new Visit();
  const hangs = (times: number) => {
    for (let at = 0; at < times; at += 1) visit.watch([exchangeOf('attack', 2_000, 'TIMEOUT')]);
  };
  hangs(9);
  visit.watch([exchangeOf('attack', 5)]);
  hangs(9);
  expect(visit.closed).toBeUndefined();
  hangs(1);
  expect(visit.closed).toBe('after 10 cases in a row without a whole reply in time');
});

it('waits less for a reply where one was waited for in vain, and never less than for a genuine one', () => {
  const visit = new Visit();
  visit.watch([exchangeOf('positive', 300), exchangeOf('attack', 9_000)]);
  expect(visit.longestMs).toBe(Infinity);
  visit.watch([exchangeOf('attack', 20_000, 'TIMEOUT')]);
  expect(visit.longestMs).toBe(3_000);
  visit.watch([exchangeOf('positive again', 800)]);
  expect(visit.longestMs).toBe(8_000);
});

it('tries a sample where it is to be quick: of each rule three cases, and says that it was one', async () => {
  target = await startTarget();
  const { ended, cases } = await run(target, { rules: tokenRules, quick: true });
  const counts = Map.groupBy(cases, ({ rule }) => rule.id);
  expect(Math.max(...[...counts.values()].map(({ length }) => length))).toBe(3);
  expect(counts.size).toBe(tokenRules.length);
  expect(ended).toMatchObject({ verdict: 'conformant', says: expect.stringContaining('This was a sample') });
});
