import { proofKindOf } from '../endpoints.ts';
import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import {
  answered,
  describe,
  failed,
  isAccepted,
  passed,
  refused,
  tried,
  type RefusalOptions,
} from '../trials.ts';
import { forged, onJwts, onTokens, overPayload } from '../making/forged.ts';
import { encode, signParts, tokenIn, withToken, type Token } from '../making/token.ts';

const HOUR_S = 3600;
/** More than clocks of servers differ, and more than a receiver need forgive. */
const BEYOND_S = 600;
/** Less than any receiver should forgive: clocks differ, and a delivery takes its time. */
const WITHIN_S = 30;

/** Statuses for what is rightly signed and still is no event. */
const UNREADABLE: RefusalOptions = { also: [400, 422] };

/** Group A, fourth part: what a token says, and to whom. */
export const tokenClaimRules: readonly Rule[] = [
  {
    id: 'A19-expired',
    group: 'A',
    title: 'refuses a token outside the time it says it is valid',
    severity: 'high',
    grade: 'authentic',
    level: 1,
    why: 'A token that says when it ends and is accepted afterwards can be recorded and sent again for ever.',
    fix: 'Honour exp and nbf where they are numbers, with a few minutes for clocks that differ.',
    source: 'https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4',
    // The body of risr/advance is a signed document: what is called exp in it is a member like any other.
    trials: onJwts([
      claiming('exp an hour ago', (now) => `"exp":${now - HOUR_S}`),
      claiming('exp ten minutes ago', (now) => `"exp":${now - BEYOND_S}`),
      claiming('nbf in ten minutes', (now) => `"nbf":${now + BEYOND_S}`),
      claiming('exp zero', () => '"exp":0'),
      claiming('exp negative', () => '"exp":-1'),
      claiming('nbf in an hour', (now) => `"nbf":${now + HOUR_S}`),
    ]),
  },
  {
    id: 'A19-tolerance',
    group: 'A',
    title: 'accepts a token whose times are off by half a minute',
    severity: 'medium',
    grade: 'correct',
    level: 1,
    why: 'The clocks of two servers are never the same. Where none of it is forgiven, genuine deliveries are refused now and then, and more of them with every day.',
    fix: 'Allow one to five minutes where you compare exp and nbf: libraries call it leeway, clockTolerance or ClockSkew.',
    source: 'https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4',
    trials: onJwts([
      offBy('exp half a minute ago', (now) => `"exp":${now - WITHIN_S}`),
      offBy('nbf in half a minute', (now) => `"nbf":${now + WITHIN_S}`),
      offBy('iat in half a minute', (now) => `"iat":${now + WITHIN_S}`),
    ]),
  },
  {
    id: 'A19-time-types',
    group: 'A',
    title: 'refuses a token whose exp is no number',
    severity: 'low',
    grade: 'hardened',
    level: 1,
    why: 'A check that skips what it cannot compare lets such a token live for ever.',
    fix: 'Refuse a JWT whose exp or nbf is there and is no plain number.',
    source: 'https://www.rfc-editor.org/rfc/rfc7519#section-2',
    trials: onJwts([
      claiming('exp as a date in the past', () => '"exp":"2001-01-01T00:00:00Z"'),
      claiming('exp as a list', (now) => `"exp":[${now - HOUR_S}]`),
      claiming('exp as a number in a text, in the past', (now) => `"exp":"${now - HOUR_S}"`),
      claiming('exp null', () => '"exp":null', { accepted: 'warned' }),
      claiming('exp beyond all years', () => '"exp":1e308', { accepted: 'warned' }),
    ]),
  },
  {
    id: 'A20-payload-shape',
    group: 'A',
    title: 'refuses a token whose payload is no JSON object',
    severity: 'low',
    grade: 'hardened',
    level: 1,
    why: 'Some libraries hand over a list, a text or null as if it were verified claims; code behind them reads members of it and fails.',
    fix: 'Check that the verified payload is a JSON object before using it.',
    source: 'https://www.rfc-editor.org/rfc/rfc7519#section-7.2',
    trials: onTokens([
      overPayload('a list', '[{"id":1}]', UNREADABLE),
      overPayload('a string', '"id"', UNREADABLE),
      overPayload('a number', '1', UNREADABLE),
      overPayload('null', 'null', UNREADABLE),
      overPayload('plain text', 'id=1', UNREADABLE),
      overPayload('JSON cut off', '{"id":', UNREADABLE),
      overPayload('bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]), {
        ...UNREADABLE,
        accepted: 'warned',
      }),
      forged(
        'another token',
        ({ header, whole, secret }) => signParts(header, encode(whole), secret),
        UNREADABLE,
      ),
    ]),
  },
  {
    id: 'A23-other-endpoint',
    group: 'A',
    title: 'refuses a genuine token that was made for another endpoint',
    severity: 'high',
    grade: 'authentic',
    level: 1,
    why: 'With one secret for two endpoints, whoever may send one kind of event can pass it off as another.',
    fix: 'Give each endpoint a secret of its own, and choose it by the path, never by the token.',
    source: 'https://www.rfc-editor.org/rfc/rfc8725#section-3.12',
    trials: (at, others) =>
      proofKindOf(at) === 'token'
        ? others.filter((other) => proofKindOf(other) === 'token').map(tokenOf)
        : [],
  },
  {
    id: 'A28-again',
    group: 'A',
    title: 'answers a delivery that comes again as it answered the first',
    severity: 'high',
    grade: 'correct',
    level: 1,
    why: 'A sender that did not get the first answer sends the same bytes again. An error makes it try further, or give up on the endpoint.',
    fix: 'Recognise the event by its id, do nothing a second time, and answer 2xx as before.',
    trials: () => [tried('the same bytes twice more', twiceMore)],
  },
];

type Claims = (nowS: number) => string;

/** The genuine payload with a member more, rightly signed. */
function claiming(name: string, claims: Claims, options: RefusalOptions = {}): Trial {
  return forged(name, (token) => withClaims(token, claims), options);
}

function withClaims({ header, payloadJson, secret }: Token, claims: Claims): string {
  const members = claims(Math.floor(Date.now() / 1000));
  return signParts(header, encode(payloadJson.replace('{', `{${members},`)), secret);
}

function offBy(name: string, claims: Claims): Trial {
  return answered(
    name,
    (genuine, { endpoint }) => {
      const token = tokenIn(genuine, endpoint);
      return withToken(genuine, token, withClaims(token, claims));
    },
    ['2xx'],
  );
}

function tokenOf(other: EndpointUnderTest): Trial {
  return refused(`a token for ${other.name}`, async (genuine, stage) => {
    const foreign = tokenIn(await stage.genuine({ of: other }), other);
    return withToken(genuine, tokenIn(genuine, stage.endpoint), foreign.whole);
  });
}

const twiceMore: Parameters<typeof tried>[1] = async (stage) => {
  const expected = '2xx each time';
  const request = await stage.genuine();
  for (const role of ['first', 'again', 'once more']) {
    const observation = await stage.send(request, role);
    if (!isAccepted(observation)) return failed(expected, `${role}: ${describe(observation)}`);
  }
  return passed(expected, '2xx each time');
};
