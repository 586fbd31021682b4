import { isTokenBody, proofKindOf } from '../endpoints.ts';
import type { Rule, Trial } from '../rule.ts';
import type { Stage } from '../stage.ts';
import { failed, passed, tried } from '../trials.ts';
import type { WireRequest } from '../wire.ts';
import { where } from '../making/answers.ts';
import { mediaTypeOf, withBody, withHeader, withQuery } from '../making/edit.ts';
import { countOf, finalCount, passTime, tellsEffects } from '../making/effects.ts';
import { byStranger } from '../making/forgery.ts';
import { membersOf, ownContent, ownGenuine } from '../making/own-content.ts';
import { tokenIn, withToken } from '../making/token.ts';
import { forgedTwins } from './memory.ts';

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
    trials: where(tellsEffects, (at) => [
      knownEvent(),
      ...(proofKindOf(at) === 'token'
        ? [
            mixed('a genuine token in its place and a forged one elsewhere', forgedElsewhere),
            mixed('a forged token in its place and a genuine one elsewhere', genuineElsewhere),
          ]
        : []),
      ...(proofKindOf(at) === 'access token'
        ? []
        : [mixed('a genuine delivery with other members beside its content', membersBeside)]),
    ]),
  },
];

/** L9-known-event sees how it is answered; this, whether something comes of it. */
function knownEvent(): Trial {
  return tried('a forged delivery of an event that it knows', async (stage) => {
    const genuine = await ownGenuine(stage);
    await stage.send(genuine, 'first');
    await stage.settled((now) => countOf(now, genuine.ref) > 0);
    for (const request of forgedTwins(stage.endpoint, genuine)) await stage.send(request, 'attack');
    const count = await finalCount(stage, genuine.ref, 1);
    const expected = '1 effect, that of the genuine one';
    return count <= 1
      ? passed(expected, `${count}`)
      : failed(expected, `${count} effects: a forged delivery of an event that it knows was believed`);
  });
}

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

/** Puts another token into a request that has one. */
interface Beside {
  readonly place: string;
  readonly put: (request: WireRequest, token: string) => WireRequest;
}

const FORM = 'application/x-www-form-urlencoded';
const NAMES = ['token', 'access_token', 'jwt'];

function isForm(request: WireRequest): boolean {
  return mediaTypeOf(request) === FORM && request.body.length > 0;
}

const besideAll: readonly Beside[] = [
  {
    place: 'in the Authorization header',
    put: (request, token) => withHeader(request, 'Authorization', `Bearer ${token}`),
  },
  ...['X-Token', 'X-Access-Token'].map((name): Beside => ({
    place: `in ${name}`,
    put: (request, token) => withHeader(request, name, token),
  })),
  {
    place: 'in a cookie',
    put: (request, token) =>
      withHeader(request, 'Cookie', NAMES.map((name) => `${name}=${token}`).join('; ')),
  },
  ...NAMES.map((name): Beside => ({
    place: `in a parameter ${name} of the query`,
    put: (request, token) => withQuery(request, `${name}=${token}`),
  })),
];

const besideForm: readonly Beside[] = [
  ...NAMES.map((name): Beside => ({
    place: `in a field ${name} behind it`,
    put: (request, token) => withFields(request, `${name}=${token}`),
  })),
  {
    place: 'in a field token before it',
    put: (request, token) => withBody(request, `token=${token}&${request.body.toString('latin1')}`),
  },
];

function withFields<Request extends WireRequest>(request: Request, fields: string): Request {
  return withBody(request, `${request.body.toString('latin1')}&${fields}`);
}

async function forgedElsewhere(stage: Stage): Promise<readonly Mixture[]> {
  return mixedTokens(stage, ({ place, put }, genuine, forged) => ({
    says: `whose token stood ${place} was believed, because another token was verified`,
    request: put(genuine, forged),
  }));
}

async function genuineElsewhere(stage: Stage): Promise<readonly Mixture[]> {
  return mixedTokens(stage, ({ place, put }, genuine, forged) => {
    const token = tokenIn(genuine, stage.endpoint);
    return {
      says: `whose token stood in the usual place was believed, because a genuine one ${place} was verified`,
      request: put(withToken(genuine, token, forged), token.whole),
    };
  });
}

async function mixedTokens(
  stage: Stage,
  mix: (beside: Beside, genuine: WireRequest, forged: string) => Omit<Mixture, 'ref'>,
): Promise<readonly Mixture[]> {
  const { endpoint } = stage;
  const hasForm = isForm(await stage.genuine()) && !isTokenBody(endpoint);
  const mixtures: Mixture[] = [];
  // One after the other, so that chance can be repeated.
  for (const beside of [...besideAll, ...(hasForm ? besideForm : [])]) {
    const { json, ref } = ownContent(stage);
    const forged = tokenIn(await byStranger(endpoint, json), endpoint).whole;
    mixtures.push({ ...mix(beside, await ownGenuine(stage), forged), ref });
  }
  return mixtures;
}

type Texts = readonly (readonly [name: string, value: string])[];

/** Ways of saying more beside what is proven, as code sees it that makes one object of query, form and content. */
const besideContent: Readonly<Record<string, (request: WireRequest, texts: Texts) => WireRequest>> = {
  'in the query': (request, texts) => withQuery(request, fieldsOf(texts)),
  'in fields of the form': (request, texts) =>
    isForm(request) ? withFields(request, fieldsOf(texts)) : withQuery(request, fieldsOf(texts)),
  'in headers': (request, texts) =>
    texts
      .filter(([, value]) => /^[\x20-\x7e]*$/.test(value))
      .reduce(
        (changed, [name, value]) => withHeader(changed, `X-${name.replaceAll('_', '-')}`, value),
        request,
      ),
};

function fieldsOf(texts: Texts): string {
  return new URLSearchParams(texts.map(([name, value]) => [name, value])).toString();
}

async function membersBeside(stage: Stage): Promise<readonly Mixture[]> {
  const mixtures: Mixture[] = [];
  for (const [place, put] of Object.entries(besideContent)) {
    const { json, ref } = ownContent(stage);
    const texts = Object.entries(membersOf(json)).filter(
      (member): member is [string, string] => typeof member[1] === 'string',
    );
    const says = `whose members stood ${place} was believed, because the delivery beside them was genuine`;
    mixtures.push({ says, request: put(await ownGenuine(stage), texts), ref });
  }
  return mixtures;
}
