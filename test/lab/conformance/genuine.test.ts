import { expect, it } from '@jest/globals';
import { createEndpoint } from '../../../src/lab/conformance/endpoints.ts';
import { genuineRequest } from '../../../src/lab/conformance/genuine.ts';
import { planCases } from '../../../src/lab/conformance/plan.ts';
import { rules } from '../../../src/lab/conformance/rules/index.ts';
import { signedContentRules } from '../../../src/lab/conformance/rules/signed-content.ts';
import { signatureRules } from '../../../src/lab/conformance/rules/signatures.ts';
import { createRandom } from '../../../src/lab/mock/random.ts';
import type { Source } from '../../../src/kit/source.ts';
import { sources } from '../../../src/kit/sources/index.ts';
import { acme } from '../../support/acme.ts';
import { startSmallReceiver } from '../../support/small-receiver.ts';
import { idsOf, run } from './target.ts';

const credential = { kind: 'SECRET', text: 'a secret for tests, of 38 characters..' };

function endpointOf(source: Source, type: string) {
  return createEndpoint({ source, type, url: new URL('http://localhost/path'), credential });
}

const events = sources.flatMap((source: Source) =>
  Object.keys(source.events).map((type): [string, Source] => [type, source]),
);

/** What a request says of its event, decoded without a line of ours. */
function contentOf({
  target,
  body,
}: {
  readonly target: string;
  readonly body: Buffer;
}): Record<string, unknown> {
  const text = `${target} ${body.toString()}`;
  const payload = /ey[\w-]+\.([\w-]+)\.[\w-]+/.exec(text)?.[1];
  // Every sender's content is a JSON object.
  return JSON.parse(
    payload === undefined ? body.toString() : Buffer.from(payload, 'base64url').toString(),
  ) as Record<string, unknown>;
}

it.each(events)('names the event of a genuine %s as a probe does', async (type, source) => {
  const { ref, ...request } = await genuineRequest({ of: endpointOf(source, type) }, createRandom(1));
  const { eventId, webhook_request_id, taskId, workItemId } = contentOf(request);
  expect(ref).toBe(eventId ?? webhook_request_id ?? taskId ?? workItemId);
});

it.each(events)('makes each genuine %s about things of its own', async (type, source) => {
  const random = createRandom(1);
  const of = endpointOf(source, type);
  const [one, other] = [await genuineRequest({ of }, random), await genuineRequest({ of }, random)];
  expect(one.ref).not.toBe(other.ref);
  const ids = (request: typeof one) => JSON.stringify(contentOf(request)).match(/[0-9a-f-]{36}/g) ?? [];
  expect(new Set([...ids(one), ...ids(other)]).size).toBe(new Set(ids(one)).size + new Set(ids(other)).size);
});

it('can be planned for every event of every source: no two cases have one name', () => {
  const endpoints = events.map(([type, source]) => ({
    ...endpointOf(source, type),
    name: `${source.name}/${type}`,
  }));
  const options = { endpoints, rules, level: 3, exhausting: true, hasProbe: true, hasRestart: true } as const;
  const ids = planCases(options).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[A-Z]\d+-[\w-]+\/\w+\/\w+\/[\w-]+$/);
});

it('has words on why and how for every rule, and one id each', () => {
  expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
  for (const { id, group, title, why, fix } of rules) {
    expect(id.startsWith(group)).toBe(true);
    expect(title).toMatch(/^[a-z].*[^.]$/);
    for (const text of [why, fix]) expect(text).toMatch(/^[A-Z0-9].{20,}[.]$/s);
  }
});

it('judges a receiver of a source that it has never heard of', async () => {
  const receiver = await startSmallReceiver(credential.text);
  try {
    const [type = ''] = Object.keys(acme.events);
    const url = new URL(`/acme/${type}`, receiver.url);
    const { ended, cases } = await run(
      { endpoint: { ...endpointOf(acme, type), url } },
      { rules: signatureRules },
    );
    expect(ended.counts.passed).toBeGreaterThan(50);
    // It reads the first of several headers, and that is not right.
    expect(idsOf(cases, 'failed')).toEqual([
      `B6-several/acme/${type}/two-headers-the-first-right`,
      `B6-several/acme/${type}/two-headers-both-right`,
    ]);
  } finally {
    await receiver.stop();
  }
});

it('does not take a change for an attack that changes nothing of this content', async () => {
  const receiver = await startSmallReceiver(credential.text);
  try {
    // With one member there is no other order.
    const source: Source = {
      ...acme,
      envelope: { ...acme.envelope, write: ({ id }) => Buffer.from(JSON.stringify({ id })) },
    };
    const [type = ''] = Object.keys(acme.events);
    const endpoint = { ...endpointOf(source, type), url: new URL(`/acme/${type}`, receiver.url) };
    const { ended, cases } = await run({ endpoint }, { rules: signedContentRules });
    expect(ended.counts.passed).toBeGreaterThan(20);
    expect(idsOf(cases, 'failed')).toEqual([]);
    expect(idsOf(cases, 'skipped').filter((id) => id.includes('another-order'))).toEqual([
      `B8-signed-something-else/acme/${type}/the-body-with-its-members-in-another-order`,
      `B9-body-changed/acme/${type}/its-members-in-another-order`,
    ]);
  } finally {
    await receiver.stop();
  }
});
