import { describe, expect, it } from '@jest/globals';
import { headerValues } from '../../../src/kit/delivery.ts';
import { isOpen } from '../../../src/kit/endpoint/definition.ts';
import { openEndpoint } from '../../../src/kit/endpoint/endpoint.ts';
import { DeliveryRejected } from '../../../src/kit/errors.ts';
import { hotdocs, phenixid, risr } from '../../../src/kit/index.ts';
import { readEndpoints } from '../../../src/kit/program/read-endpoints.ts';
import { Reader } from '../../../src/kit/program/reader.ts';
import { cases, lanesOf, mistakes } from './broken/index.ts';
import { build, lanes, type Broken, type Lane } from './broken/plan.ts';

/** What the receiver itself makes of a delivery: 'accepted', or why not. */
async function judged({ request, environment, at, outcome }: Broken): Promise<string> {
  if (outcome !== undefined) return outcome;
  const [path = '', query = ''] = request.target.split('?');
  const endpoints = readEndpoints(new Reader(environment), [hotdocs, phenixid, risr], []);
  const config = endpoints.find(
    ({ definition, source }) =>
      definition.path === (source.installations === true ? path.replace(/\/{1,2}$/, '') : path),
  );
  if (config === undefined) return 'path_unknown';
  if (!isOpen(config)) return 'endpoint_closed';
  const endpoint = await openEndpoint(config);
  if (!endpoint.methods.includes(request.method)) return 'method_not_allowed';
  if (headerValues(request, 'content-encoding').length > 0) return 'body_encoded';
  const { method, headers, body } = request;
  const delivery = { method, query, headers, body, receivedAt: at };
  try {
    const { proof, secrets } = endpoint.demand(delivery);
    const { content, value } = await proof.verify(delivery, secrets);
    endpoint.read(endpoint.kept(content, delivery), value);
    return 'accepted';
  } catch (error) {
    if (error instanceof DeliveryRejected) return error.code;
    return error instanceof Error ? error.message : String(error);
  }
}

describe('deliveries broken on purpose', () => {
  it.each(Object.keys(lanes) as Lane[])('%s: accepted as long as nothing is broken', async (lane) => {
    for (const carrier of ['form', 'query', 'header'] as const) {
      const whole = { id: 'none', way: 'none', on: lane, carrier };
      expect(await judged(build(lane, [whole]))).toBe('accepted');
    }
  });

  it('refused for each of the mistakes', async () => {
    const accepted: string[] = [];
    for (const each of cases) {
      const outcome = await judged(each.build());
      if (outcome === 'accepted') accepted.push(`${each.id}, ${each.way}, ${each.lane}`);
    }
    expect(accepted).toEqual([]);
  });

  it('each has a name of its own', () => {
    const names = mistakes.flatMap((mistake) =>
      lanesOf(mistake).map((lane) => `${mistake.id} ${mistake.way} ${lane}`),
    );
    expect(names).toEqual([...new Set(names)]);
  });
});
