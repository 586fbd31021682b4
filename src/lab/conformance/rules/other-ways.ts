import { randomText } from '../../mock/random.ts';
import { proofKindOf } from '../endpoints.ts';
import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import type { Stage } from '../stage.ts';
import { isAccepted } from '../trials.ts';
import { bytesOf, type Observation, type WireRequest } from '../wire.ts';
import { withHeader, withPath, withQuery } from '../making/edit.ts';
import { byStranger, forgeriesOf } from '../making/forgery.ts';
import { onTokens } from '../making/forged.ts';
import { membersOf, ownContent } from '../making/own-content.ts';
import { tokenIn } from '../making/token.ts';
import { shut, waysThrough, type Way } from '../making/ways.ts';
import { variantsOf } from './routing.ts';
import { partsOf, placesAt } from './token-places.ts';

/** Group L, second part: a forged delivery that goes another way than usual. */
export const otherWayRules: readonly Rule[] = [
  {
    id: 'L3-other-method',
    group: 'L',
    title: 'verifies a delivery by whatever method it comes, and wherever it carries its content',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: 'A check that is bound to POST, or to one kind of body, leaves the others open: a GET with the event in its query needs no secret then.',
    fix: 'Verify in one place that every method and every kind of body passes, and answer 405 to the methods that the sender does not use.',
    trials: (at) => [
      ...['POST', ...OTHERS].map((method) => byMethod(method)),
      ...OTHERS.map((method) => byOverride(method)),
      ...(at.source.switches['verb'] === undefined ? [] : (['POST', 'GET', 'PUT'] as const).map(byVerb)),
    ],
  },
  {
    id: 'L4-other-path',
    group: 'L',
    title: 'verifies a delivery on every path that leads to an endpoint',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    oncePerSource: true,
    why: 'A check that is bound to one spelling of a path, while the router forgives others, is passed by with a slash or a capital letter.',
    fix: 'Verify in the handler of the route, or in a filter that the router itself applies to it; not in one that compares paths of its own.',
    trials: () => [shut('on paths that resemble its own', resembling)],
  },
  {
    id: 'L5-other-place',
    group: 'L',
    title: 'verifies a token wherever it takes one from',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: 'A token in a cookie, a header or a second field is often only decoded: that is no check, and anybody can write one.',
    fix: 'Read the token from its documented place alone. Use the function of your library that verifies; decode nothing that it has not returned.',
    source: 'https://www.rfc-editor.org/rfc/rfc8725#section-3.1',
    trials: onTokens([shut('a token of a stranger in another place', inOtherPlaces)]),
  },
];

const OTHERS = ['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const;

function byMethod(method: string): Trial {
  return shut(`by ${method}`, async (stage) => {
    const { json } = ownContent(stage);
    const passes = await pageBy(stage, method, (request) => ({ ...request, method }));
    const forgeries = await forgeriesOf(stage.endpoint, json);
    return forgeries.flatMap(({ lack, request }) => [
      { says: `a delivery ${lack} by ${method}`, request: { ...request, method }, passes },
      {
        says: `a delivery ${lack} by ${method}, with all that it says in the query`,
        request: inQuery({ ...request, method }, json, stage.endpoint),
        passes,
      },
    ]);
  });
}

/** Its token, or else the members of its content, as parameters. */
function inQuery(request: WireRequest, json: string, endpoint: EndpointUnderTest): WireRequest {
  const token = proofKindOf(endpoint) === 'token' ? tokenIn(request, endpoint).whole : '';
  const members = Object.entries(membersOf(json)).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  const query = new URLSearchParams(token === '' ? members : { token }).toString();
  return withQuery({ ...request, body: Buffer.alloc(0) }, query);
}

const OVERRIDES = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'];

/** Where a header or a parameter makes another method of it, a check for the usual one is not asked any more. */
function byOverride(method: string): Trial {
  const parts = [
    ...OVERRIDES.map((name) => ({
      says: `${name}: ${method}`,
      change: (request: WireRequest) => withHeader(request, name, method),
    })),
    { says: `?_method=${method}`, change: (request: WireRequest) => withQuery(request, `_method=${method}`) },
  ];
  const whole = {
    says: parts.map(({ says }) => says).join(', '),
    change: (request: WireRequest) => parts.reduce((changed, { change }) => change(changed), request),
    parts,
  };
  return shut(`with ${method} in place of its method`, async (stage) => {
    const passes = await pageBy(stage, method, whole.change);
    return waysThrough(stage, [whole], passes);
  });
}

/** In everything that its sender could carry it in. */
function byVerb(verb: string): Trial {
  return shut(`by ${verb}, carried in all that its sender may use`, async ({ endpoint, ...stage }) => {
    const { json } = ownContent({ endpoint, ...stage });
    const ways = new Map<string, Way>();
    for (const place of ['carrier', 'tokenBody']) {
      for (const choice of endpoint.source.switches[place]?.values ?? []) {
        for (const { lack, request } of await forgeriesOf(endpoint, json, { verb, [place]: choice })) {
          const says = `a delivery ${lack} by ${request.method}, carried as ${choice}`;
          ways.set(bytesOf(request, endpoint.url).toString('latin1'), { says, request });
        }
      }
    }
    return [...ways.values()];
  });
}

/**
 * What shows nothing: a friendly page for whoever asks so, with nothing in it. It is one when a request without content gets
 * it too, unless it is what a genuine delivery gets.
 */
async function pageBy(
  stage: Stage,
  method: string,
  change: (request: WireRequest) => WireRequest,
): Promise<(observation: Observation) => boolean> {
  const genuine = await stage.genuine();
  const usual = await stage.send(genuine, 'positive');
  const [target = ''] = genuine.target.split('?');
  const empty = change({ method: genuine.method, target, headers: [], body: Buffer.alloc(0) });
  const page = await stage.send(empty, 'without content', { allows: [501] });
  // A reply to HEAD has no body, and frameworks answer OPTIONS by themselves.
  const isSilent = method === 'HEAD' || method === 'OPTIONS';
  return ({ status, body }) =>
    isAccepted(page) && (isSilent || status !== usual.status || !body.equals(usual.body));
}

async function resembling(stage: Stage): Promise<readonly Way[]> {
  const { endpoint, random } = stage;
  const ways = async (path: string): Promise<Way[]> => {
    const forgeries = await forgeriesOf(endpoint, ownContent(stage).json);
    return forgeries.map(({ lack, request }) => ({
      says: `a delivery ${lack} on ${path}`,
      request: withPath(request, path),
    }));
  };
  // Where every path is answered so, it is not the spelling that lets it in.
  const [nowhere] = await ways(`/${randomText(12, random)}`);
  const page = nowhere === undefined ? undefined : await stage.send(nowhere.request, 'on a path of nobody');
  if (page !== undefined && isAccepted(page)) return [];
  const all = await Promise.all(variantsOf(endpoint).map((path) => ways(path)));
  return all.flat();
}

async function inOtherPlaces(stage: Stage): Promise<readonly Way[]> {
  const { endpoint } = stage;
  const forged = await byStranger(endpoint, ownContent(stage).json);
  return placesAt(endpoint).map(([name, put]) => ({
    says: `a token that is signed with another secret, ${name}`,
    request: put(partsOf(forged, endpoint)),
  }));
}
