import { hash } from 'node:crypto';
import { proofKindOf } from '../endpoints.ts';
import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import { refused, type RefusalOptions } from '../trials.ts';
import type { Header, WireRequest } from '../wire.ts';
import { withHeaders, withQuery } from '../making/edit.ts';

/** Group C: the older method, one access token in the Authorization header. */
export const accessTokenRules: readonly Rule[] = [
  {
    id: 'C1-access-token',
    group: 'C',
    title: 'refuses an access token that is missing, wrong or only similar',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: 'The access token is all that shows who is sending. Loose comparisons accept a part of it, or a pattern.',
    fix: 'Compare the whole value with the configured one in constant time, after at most one word like Bearer.',
    trials: onAccessTokens((token) => [
      authorized('no header', []),
      authorized('nothing', ['']),
      authorized('another one', [hash('sha256', 'another')]),
      authorized('one of the same length', ['x'.repeat(token.length)]),
      authorized('a character more', [`${token}x`]),
      authorized('a character before', [`x${token}`]),
      authorized('a character less', [token.slice(0, -1)]),
      authorized('its first character', [token.slice(0, 1)]),
      ...otherCases(token).map((text) => authorized('another letter case', [text])),
      authorized('in quotes', [`"${token}"`]),
      authorized('an asterisk', ['*']),
      authorized('a pattern', ['.*']),
      authorized('the word Bearer alone', ['Bearer']),
      authorized('Bearer twice', [`Bearer Bearer ${token}`]),
      authorized('Bearer without a blank', [`Bearer${token}`]),
      authorized('as the password of Basic', [`Basic ${Buffer.from(`x:${token}`).toString('base64')}`]),
      authorized('its hash', [hash('sha256', token)]),
      authorized('its base64', [Buffer.from(token).toString('base64')]),
      ...['undefined', 'null', 'true', '[object Object]'].map((word) =>
        authorized(`the word ${word}`, [word]),
      ),
    ]),
  },
  {
    id: 'C2-access-token-place',
    group: 'C',
    title: 'takes the access token from one Authorization header only',
    severity: 'medium',
    grade: 'authentic',
    level: 1,
    why: 'Addresses and cookies end up in logs and histories. Repeated headers are joined or dropped, each server in its way.',
    fix: 'Read the Authorization header, refuse when it comes more than once, and look nowhere else.',
    trials: onAccessTokens((token) => [
      authorized('before a wrong one', [token, 'wrong']),
      authorized('behind a wrong one', ['wrong', token]),
      authorized('in a list', [`wrong, ${token}`]),
      authorized('in the query as token', [], (request) =>
        withQuery(request, `token=${encodeURIComponent(token)}`),
      ),
      authorized('in the query as access_token', [], (request) =>
        withQuery(request, `access_token=${encodeURIComponent(token)}`),
      ),
      authorized('in a cookie', [], (request) => withHeaders(request, ['Cookie', `Authorization=${token}`])),
      authorized('in X-Access-Token', [], (request) => withHeaders(request, ['X-Access-Token', token])),
      authorized('in Proxy-Authorization', [], (request) =>
        withHeaders(request, ['Proxy-Authorization', token]),
      ),
      authorized('in the body', [], (request) => ({
        ...request,
        body: Buffer.from(request.body.toString().replace('{', `{"Authorization":${JSON.stringify(token)},`)),
      })),
    ]),
  },
  {
    id: 'C3-access-token-spelling',
    group: 'C',
    title: 'accepts one spelling of the access token only',
    severity: 'low',
    grade: 'authentic',
    level: 1,
    why: 'Decoding or trimming makes other texts equal to the token, and odd bytes make comparisons throw.',
    fix: 'Compare the bytes of the header as they came.',
    trials: onAccessTokens((token) => [
      authorized('a percent escape', [`%${Buffer.from(token.slice(0, 1)).toString('hex')}${token.slice(1)}`]),
      authorized('NUL in escaped form behind', [`${token}%00`]),
      authorized('NUL behind', [`${token}\0`], undefined, { also: [400, 0] }),
      authorized('a letter with its eighth bit set', [eighthBitSet(token)], undefined, { also: [400] }),
      authorized('a no-break space behind', [`${token}\u00a0`], undefined, { also: [400] }),
      authorized('12 kB', [`${token}${'x'.repeat(12_000)}`], undefined, { also: [400, 431] }),
    ]),
  },
];

/** These trials where an access token proves a delivery, and none elsewhere. */
function onAccessTokens(
  trials: (token: string) => readonly Trial[],
): (at: EndpointUnderTest) => readonly Trial[] {
  return (at) => (proofKindOf(at) === 'access token' ? trials(at.credential.text) : []);
}

/** The request with these Authorization headers in place of its own, and changed further. */
function authorized(
  name: string,
  values: readonly string[],
  change: (request: WireRequest) => WireRequest = (request) => request,
  options: RefusalOptions = {},
): Trial {
  return refused(
    name,
    (genuine) => {
      const others = genuine.headers.filter(([candidate]) => candidate.toLowerCase() !== 'authorization');
      const headers = [...others, ...values.map((value): Header => ['Authorization', value])];
      return change({ ...genuine, headers });
    },
    options,
  );
}

function otherCases(token: string): string[] {
  return [token.toUpperCase(), token.toLowerCase()].filter((text) => text !== token).slice(0, 1);
}

function eighthBitSet(token: string): string {
  return String.fromCharCode(token.charCodeAt(0) | 0x80) + token.slice(1);
}
