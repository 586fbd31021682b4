import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { createEndpoint } from '../../../src/lab/conformance/endpoints.ts';
import type { CaseEnded } from '../../../src/lab/conformance/result.ts';
import type { EndpointUnderTest, Rule } from '../../../src/lab/conformance/rule.ts';
import { rules } from '../../../src/lab/conformance/rules/index.ts';
import { runConformance } from '../../../src/lab/conformance/run.ts';
import { endpointsOf } from '../../../src/kit/endpoint/definition.ts';
import { createRandom } from '../../../src/lab/mock/random.ts';
import { buildRequest } from '../../../src/lab/mock/request.ts';
import type { Source } from '../../../src/kit/source.ts';
import { sources } from '../../../src/kit/sources/index.ts';
import { secretsFor, startReceiver, type TestReceiver } from '../../support/receiver.ts';

// The suite that judges any receiver judges ours: each rule about proofs and replies at every event of every source, and
// once more where an access token and `?key=` are used. No event is named here. Of each source one event is tried in every
// way and the others in some; npm run conform -- --kit tries all.

const ACCESS_TOKEN = 'An-Access-Token-typed-into-the-webhook';
const KEY = 'Site-North';
const TOKEN_SOURCE = 'hotdocs';
const KEY_SOURCE = 'phenixid';

/** One receiver with its usual endpoints, one with the other ways to prove a delivery. */
const setups = {
  usual: { kind: 'SECRET', key: '', env: {} },
  other: { kind: 'TOKEN', key: KEY, env: otherProofs() },
} as const;
type Setup = keyof typeof setups;

function otherProofs(): Record<string, string | undefined> {
  const secrets = Object.entries(secretsFor(sources));
  const tokens = secrets.flatMap(([name]) =>
    name.startsWith(TOKEN_SOURCE.toUpperCase())
      ? [[name, undefined] as const, [name.replace(/_SECRET$/, '_TOKEN'), `${ACCESS_TOKEN}-${name}`] as const]
      : [],
  );
  const installation = {
    PHENIXID_SECRET: undefined,
    PHENIXID_NORTH_SECRET: secretsFor(sources)['PHENIXID_SECRET'],
    PHENIXID_NORTH_KEY: KEY,
  };
  return { ...Object.fromEntries(tokens), ...installation };
}

const started = new Map<Setup, TestReceiver>();

beforeAll(async () => {
  for (const name of ['usual', 'other'] as const) {
    const env = { FAILED_PROOF_LIMIT: '1000000', ...setups[name].env };
    started.set(name, await startReceiver({ env }));
  }
});
afterAll(async () => {
  for (const receiver of started.values()) await receiver.stop();
});

/** Every event of every source at the address it is sent to; `url` is known once the receivers run. */
function endpointsAt(setup: Setup, url: string): EndpointUnderTest[] {
  const { config } = started.get(setup) ?? { config: undefined };
  return sources.flatMap((source: Source) =>
    Object.keys(source.events).map((type) => {
      const path = endpointsOf(source).find((candidate) => (candidate.type ?? type) === type)?.path ?? '';
      const key = source.name === KEY_SOURCE ? setups[setup].key : '';
      const credentials = config?.endpoints.find(({ definition }) => definition.path === path)?.credentials;
      const credential = credentials?.get(key);
      return createEndpoint({
        source,
        type,
        name: `${source.name}/${type}`,
        url: new URL(path, url),
        credential: { kind: credential?.kind ?? kindAt(source, setup), text: credential?.texts[0] ?? '' },
        switches: key === '' ? {} : { key },
      });
    }),
  );
}

function kindAt({ name }: Source, setup: Setup): string {
  return name === TOKEN_SOURCE ? setups[setup].kind : 'SECRET';
}

const PLACEHOLDER = 'http://receiver.invalid';
const everywhere: readonly Rule[] = rules.filter(({ group, level }) => level === 1 && /[ABCU]/.test(group));

/** Which rules are tried where: all at every event, and of the other setup what is only there. */
const pairs = (['usual', 'other'] as const).flatMap((setup) => {
  const endpoints = endpointsAt(setup, PLACEHOLDER);
  return endpoints
    .filter(
      (endpoint) =>
        setup === 'usual' ||
        (isFirst(endpoint, endpoints) && [TOKEN_SOURCE, KEY_SOURCE].includes(endpoint.source.name)),
    )
    .flatMap((endpoint) =>
      everywhere
        .filter((rule) => setup === 'usual' || /[BC]/.test(rule.group))
        .filter((rule) => rule.trials(endpoint, endpoints).length > 0)
        .map((rule): [title: string, Setup, endpoint: string, Rule] => [
          rule.title,
          setup,
          endpoint.name,
          rule,
        ]),
    );
});

function isFirst({ name, source }: EndpointUnderTest, endpoints: readonly EndpointUnderTest[]): boolean {
  return endpoints.find((other) => other.source === source)?.name === name;
}

describe('our own receiver', () => {
  it.each(endpointsAt('usual', PLACEHOLDER).map(({ name }) => name))(
    'accepts a genuine %s, whoever sends it',
    async (name) => {
      const endpoint = endpointIn('usual', name);
      const { source, type, url, credential } = endpoint;
      const order = { type, path: url.pathname, credential };
      const { method, target, headers, body } = await buildRequest(source, order, createRandom(1));
      const agent = supertest(url.origin);
      const delivery = method === 'GET' ? agent.get(target) : agent.post(target).send(body.toString());
      const reply = await delivery.set(headers).serialize(String);
      expect(reply.status).toBe(200);
    },
  );

  it.each(pairs)('%s (%s, %s)', async (_title, setup, name, rule) => {
    const cases = await casesOf(rule, endpointIn(setup, name), setup);
    expect(cases.length).toBeGreaterThan(0);
    // All of PhenixID's events come to one endpoint, so that the secret of another one is the same.
    const isSame = ({ id, outcome }: CaseEnded) =>
      outcome === 'skipped' && id.includes('under-the-secret-of-phenixid');
    const amiss = cases.filter((each) => each.outcome !== 'passed' && !isSame(each));
    expect(amiss.map(({ id, observed }) => `${id}: ${observed}`)).toEqual([]);
  });
});

function endpointIn(setup: Setup, name: string): EndpointUnderTest {
  const endpoint = endpointsAt(setup, started.get(setup)?.url ?? '').find((one) => one.name === name);
  if (endpoint === undefined) throw new Error(`There is no endpoint ${name}.`);
  return endpoint;
}

async function casesOf(rule: Rule, endpoint: EndpointUnderTest, setup: Setup): Promise<CaseEnded[]> {
  const cases: CaseEnded[] = [];
  const all = endpointsAt(setup, endpoint.url.origin);
  const others = all.filter(({ name }) => name !== endpoint.name);
  await runConformance({
    endpoints: [endpoint, ...others],
    rules: [rule],
    only: [`${rule.id}/${endpoint.name}/*`],
    level: 1,
    quick: !isFirst(endpoint, all) && rule.alone !== true && rule.slow !== true,
    seed: 1,
    onEvent: (event) => {
      if (event.event === 'case') cases.push(event);
    },
  });
  return cases;
}
