import { afterEach, expect, it } from '@jest/globals';
import { duplicateRules } from '../../../src/lab/conformance/rules/duplicates.ts';
import type { Effect } from '../../../src/lab/conformance/stage.ts';
import { idsOf, rightly, run, startTarget, type Incoming, type Target } from './target.ts';

// Right receivers that are unlike this kit: nothing may be held against them.

let target: Target | undefined;
let working: NodeJS.Timeout | undefined;
afterEach(async () => {
  clearInterval(working);
  await target?.stop();
});

it.each([202, 204])('takes %i for an acceptance as good as 200', async (status) => {
  target = await startTarget((incoming) => (incoming.genuine ? { status } : rightly(incoming)));
  const { ended, cases } = await run(target);
  expect(ended.verdict).toBe('conformant');
  expect(idsOf(cases, 'passed')).toHaveLength(cases.length);
});

it('says where to look when a limit lets genuine deliveries wait, and that it can go slower', async () => {
  let count = 0;
  target = await startTarget((incoming) => {
    count += 1;
    return count % 10 === 0 ? { status: 429, headers: { 'Retry-After': '1' } } : rightly(incoming);
  });
  const { ended } = await run(target);
  expect(ended.says).toMatch(
    /In \d+ cases a rate limit answered: raise it for the test, or go slower with --rate\./,
  );
});

it('waits for a worker that takes its time', async () => {
  const waiting: Effect[] = [];
  const effects: Effect[] = [];
  const seen = new Set<string>();
  target = await startTarget((incoming) => {
    const ref = refIn(incoming);
    if (incoming.genuine && !seen.has(ref)) waiting.push({ type: 'profile_updated', ref });
    if (incoming.genuine) seen.add(ref);
    return rightly(incoming);
  });
  working = setInterval(() => effects.push(...waiting.splice(0, 1)), 400);
  const { ended, cases } = await run(target, {
    rules: duplicateRules,
    level: 2,
    patienceMs: 30_000,
    only: ['I3-at-once'],
    probe: async () => ({ effects: [...effects], quarantined: [] }),
  });
  expect(idsOf(cases, 'failed')).toEqual([]);
  expect(ended.verdict).toBe('conformant');
}, 180_000);

function refIn({ body }: Incoming): string {
  const payload = Buffer.from(body.split('.')[1] ?? '', 'base64url').toString();
  return /"webhook_request_id":"([^"]+)"/.exec(payload)?.[1] ?? '';
}
