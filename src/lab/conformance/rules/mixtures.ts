import { isTokenBody, proofKindOf } from '../endpoints.ts';
import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import type { Stage } from '../stage.ts';
import { failed, passed, tried } from '../trials.ts';
import type { WireRequest } from '../wire.ts';
import { where } from '../making/answers.ts';
import { hasBody, mediaTypeOf, withBody, withHeader, withQuery } from '../making/edit.ts';
import { passTime, tellsEffects } from '../making/effects.ts';
import { byStranger } from '../making/forgery.ts';
import { membersOf, ownContent, ownGenuine } from '../making/own-content.ts';
import { tokenIn, withToken } from '../making/token.ts';

/** Group L, third part: what is proven and what is not, in one request. */
export const mixtureRules: readonly Rule[] = [
  {
    id: 'L7-which-claims',
    group: 'L',
    title: 'acts on nothing but the content that it has verified',
    severity: 'critical',
    grade: 'authentic',
    level: 2,
    why: 'One part of a program verifies the token in one place, another one reads the claims of a token in another place, or members of the query beside it. Whoever has one genuine delivery writes the event of his choice.',
    fix: 'Pass on what the verifying function has returned, and nothing else: no second look at the request, no merging of query, form and content.',
    source: 'https://www.rfc-editor.org/rfc/rfc8725#section-3.3',
    trials: where(
      (at) => tellsEffects(at) && proofKindOf(at) !== 'access token',
      (at) => [
        ...(proofKindOf(at) === 'token'
          ? [
              mixed('a genuine token in its place and a forged one elsewhere', forgedElsewhere),
              mixed('a forged token in its place and a genuine one elsewhere', genuineElsewhere),
            ]
          : []),
        mixed('a genuine delivery with other members beside its content', membersBeside),
      ],
    ),
  },
];

/** A request that holds two events, one of them forged. */
interface Mixture {
  /** Names what the forged event stood in. */
  readonly says: string;
  readonly request: WireRequest;
  /** Of the forged one. */
  readonly ref: string;
}

/** All are sent before anything is waited for. Their answers do not matter: one of the two events is genuine. */
function mixed(name: string, mix: (stage: Stage) => Promise<readonly Mixture[]>): Trial {
  return tried(name, async (stage) => {
    const mixtures = await mix(stage);
    for (const { request } of mixtures) await stage.send(request, 'attack', { allows: [501] });
    await passTime(stage);
    const { effects, quarantined } = await stage.effects();
    const taken = new Set([...effects, ...quarantined].map(({ ref }) => ref));
    const found = mixtures.find(({ ref }) => taken.has(ref));
    const expected = 'no effect of what is forged';
    return found === undefined
      ? passed(expected, 'none')
      : failed(expected, `the forged event ${found.says}`);
  });
}

interface Beside {
  readonly place: string;
  readonly put: (request: WireRequest, token: string) => WireRequest;
}

const FORM = 'application/x-www-form-urlencoded';

function placesBeside(at: EndpointUnderTest, sample: WireRequest): readonly Beside[] {
  const inForm = mediaTypeOf(sample) === FORM && hasBody(at) && !isTokenBody(at);
  const field = (name: string): Beside => ({
    place: `in a field ${name} behind it`,
    put: (request, token) => withBody(request, `${request.body.toString('latin1')}&${name}=${token}`),
  });
  return [
    {
      place: 'in the Authorization header',
      put: (request, token) => withHeader(request, 'Authorization', `Bearer ${token}`),
    },
    { place: 'in X-Token', put: (request, token) => withHeader(request, 'X-Token', token) },
    { place: 'in X-Access-Token', put: (request, token) => withHeader(request, 'X-Access-Token', token) },
    {
      place: 'in a cookie',
      put: (request, token) => withHeader(request, 'Cookie', `token=${token}; jwt=${token}`),
    },
    ...['token', 'access_token', 'jwt'].map((name): Beside => ({
      place: `in a parameter ${name} of the query`,
      put: (request, token) => withQuery(request, `${name}=${token}`),
    })),
    ...(inForm ? ['token', 'access_token', 'jwt', 'payload'].map((name) => field(name)) : []),
    ...(inForm
      ? [
          {
            place: 'in a field token before it',
            put: (request: WireRequest, token: string) =>
              withBody(request, `token=${token}&${request.body.toString('latin1')}`),
          },
        ]
      : []),
  ];
}

async function forgedElsewhere(stage: Stage): Promise<readonly Mixture[]> {
  const { endpoint } = stage;
  const mixtures: Mixture[] = [];
  for (const { place, put } of placesBeside(endpoint, await stage.genuine())) {
    const { json, ref } = ownContent(stage);
    const forged = tokenIn(await byStranger(endpoint, json), endpoint).whole;
    const says = `whose token stood ${place} was believed, because another token was verified`;
    mixtures.push({ says, request: put(await ownGenuine(stage), forged), ref });
  }
  return mixtures;
}

async function genuineElsewhere(stage: Stage): Promise<readonly Mixture[]> {
  const { endpoint } = stage;
  const mixtures: Mixture[] = [];
  for (const { place, put } of placesBeside(endpoint, await stage.genuine())) {
    const { json, ref } = ownContent(stage);
    const genuine = await ownGenuine(stage);
    const token = tokenIn(genuine, endpoint);
    const forged = tokenIn(await byStranger(endpoint, json), endpoint).whole;
    const says = `whose token stood in the usual place was believed, because a genuine one ${place} was verified`;
    mixtures.push({ says, request: put(withToken(genuine, token, forged), token.whole), ref });
  }
  return mixtures;
}

/** As code makes them one that merges query, form and body into one object. */
async function membersBeside(stage: Stage): Promise<readonly Mixture[]> {
  const genuine = await ownGenuine(stage);
  const fieldsOf = (json: string) =>
    new URLSearchParams(
      Object.entries(membersOf(json)).flatMap(([name, value]) =>
        typeof value === 'string' ? [[name, value]] : [],
      ),
    ).toString();
  const [asQuery, asForm, asHeaders] = [ownContent(stage), ownContent(stage), ownContent(stage)];
  const inForm = mediaTypeOf(genuine) === FORM;
  const says = (place: string) =>
    `whose members stood ${place} was believed, because the delivery beside them was genuine`;
  return [
    { says: says('in the query'), request: withQuery(genuine, fieldsOf(asQuery.json)), ref: asQuery.ref },
    ...(inForm
      ? [
          {
            says: says('in fields of the form'),
            request: withBody(
              await ownGenuine(stage),
              `${(await ownGenuine(stage)).body.toString('latin1')}&${fieldsOf(asForm.json)}`,
            ),
            ref: asForm.ref,
          },
        ]
      : []),
    {
      says: says('in headers'),
      request: Object.entries(membersOf(asHeaders.json)).reduce<WireRequest>(
        (request, [name, value]) =>
          typeof value === 'string' && /^[\x20-\x7e]*$/.test(value)
            ? withHeader(request, `X-${name.replaceAll('_', '-')}`, value)
            : request,
        await ownGenuine(stage),
      ),
      ref: asHeaders.ref,
    },
  ];
}
