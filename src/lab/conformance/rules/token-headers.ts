import { createServer } from 'node:http';
import { once } from 'node:events';
import { proofKindOf } from '../endpoints.ts';
import type { Rule, Trial } from '../rule.ts';
import { answered, failed, tried, worse, type Statuses } from '../trials.ts';
import { forged, onTokens, underHeader } from '../making/forged.ts';
import { encode, signParts, tokenIn, withToken } from '../making/token.ts';

const RFC_7515 = 'https://www.rfc-editor.org/rfc/rfc7515#section-';

const kidsWithKeys: readonly (readonly [name: string, kid: unknown, key: string])[] = [
  ['a path to an empty file', '../../../../../../../../dev/null', ''],
  ['an absolute path to an empty file', '/dev/null', ''],
  ['SQL that selects a key', "x' UNION SELECT 'chosen-key' -- ", 'chosen-key'],
  ['a name that no key has', 'no-such-key', ''],
  ['the prototype of objects', '__proto__', ''],
  ['a member of all objects', 'constructor', 'undefined'],
  ['an object', { toString: 'key' }, ''],
];

const oddKids: readonly (readonly [name: string, kid: string])[] = [
  ['a list', '["key"]'],
  ['null', 'null'],
  ['a number', '7'],
  ['a text with NUL', '"key\\u0000"'],
  ['a text of 12 kB', `"${'k'.repeat(12_000)}"`],
];

const UNENCODED = '{"alg":"HS256","b64":false,"crit":["b64"]}';

/** A refusal is right and so is an acceptance: only an error, or no answer, is wrong. */
const EITHER: Statuses = ['2xx', 400, 401, 403, 413, 414, 431];

/** Group A, second part: what else a token's header may say. */
export const tokenHeaderRules: readonly Rule[] = [
  {
    id: 'A9-kid',
    group: 'A',
    title: 'looks no key up by the kid that a token names',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: 'A kid that becomes a file name, a query or an address lets the token bring its own key: /dev/null is an empty one.',
    fix: 'Take the key from the configuration of the endpoint. Ignore kid, or compare it with a list of known names.',
    source: `${RFC_7515}4.1.4`,
    trials: onTokens([
      ...kidsWithKeys.map(([name, kid, key]) =>
        forged(`${name}, signed with the key it leads to`, ({ payload }) =>
          signParts(encode(JSON.stringify({ alg: 'HS256', kid })), payload, key),
        ),
      ),
      ...oddKids.map(([name, kid]) =>
        rightlySigned(`${name}, rightly signed`, `{"alg":"HS256","kid":${kid}}`),
      ),
    ]),
  },
  {
    id: 'A10-own-key',
    group: 'A',
    title: 'trusts no key that a token brings along or points to',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: 'With jwk, jku, x5c or x5u anybody signs with a key of his own, and the receiver fetches addresses that an attacker chose.',
    fix: 'Never let the token choose the key: switch off key discovery for this endpoint, and ignore or refuse these members.',
    source: `${RFC_7515}4.1.3`,
    trials: (at) =>
      proofKindOf(at) === 'token' ? [embeddedKey(), ...linkedKeys('jku'), ...linkedKeys('x5u')] : [],
  },
  {
    id: 'A11-crit',
    group: 'A',
    title: 'refuses a token with a critical header that it does not know',
    severity: 'medium',
    grade: 'authentic',
    level: 1,
    why: 'The member crit means: do not accept this unless you understand these members. A receiver that ignores it reads the token otherwise than its sender meant it.',
    fix: 'Refuse every token that has crit. Some libraries ignore it, so look for the member yourself.',
    source: `${RFC_7515}4.1.11`,
    trials: onTokens([
      underHeader(
        'an unknown name',
        '{"alg":"HS256","crit":["urn:example:unknown"],"urn:example:unknown":1}',
      ),
      underHeader('an empty list', '{"alg":"HS256","crit":[]}'),
      underHeader('no list', '{"alg":"HS256","crit":"alg"}'),
      underHeader('a standard header', '{"alg":"HS256","crit":["alg"]}'),
      underHeader('a header that is absent', '{"alg":"HS256","crit":["exp"]}'),
    ]),
  },
  {
    id: 'A12-unencoded',
    group: 'A',
    title: 'refuses a token whose payload is not encoded',
    severity: 'medium',
    grade: 'hardened',
    level: 1,
    why: 'With b64 false the same characters have another meaning. Where one part of a system follows it and another does not, they read different events.',
    fix: 'Refuse tokens with b64 in their header.',
    source: 'https://www.rfc-editor.org/rfc/rfc7797#section-6',
    trials: onTokens([
      forged('b64 false with crit, payload as it is', ({ payloadJson, secret }) =>
        signParts(encode(UNENCODED), payloadJson.replaceAll('.', ''), secret),
      ),
      underHeader('b64 false with crit, payload encoded', UNENCODED),
      underHeader('b64 false without crit', '{"alg":"HS256","b64":false}', { accepted: 'warned' }),
    ]),
  },
  {
    id: 'A16-members-twice',
    group: 'A',
    title: 'is not confused by a header member that comes twice',
    severity: 'medium',
    grade: 'hardened',
    level: 1,
    why: 'Parsers disagree on which of two members counts: a check reads HS256, and the verification behind it none.',
    fix: 'Read the header once, with one parser, and refuse members that come twice.',
    source: `${RFC_7515}4`,
    trials: onTokens([
      forged('none last, unsigned', (token) => `${encode('{"alg":"HS256","alg":"none"}')}.${token.payload}.`),
      forged(
        'none first, unsigned',
        (token) => `${encode('{"alg":"none","alg":"HS256"}')}.${token.payload}.`,
      ),
      underHeader('none last, rightly signed', '{"alg":"HS256","alg":"none"}'),
      // All common libraries take the last one, and only the holder of the secret can sign it.
      underHeader('none first, rightly signed', '{"alg":"none","alg":"HS256"}', { accepted: 'warned' }),
    ]),
  },
  {
    id: 'A17-header-shape',
    group: 'A',
    title: 'refuses a token whose header is no JSON object',
    severity: 'medium',
    grade: 'hardened',
    level: 1,
    why: 'Code that reads alg from a list, a number or null throws, and what is not caught becomes a server error or stops the process.',
    fix: 'Check that the decoded header is a JSON object before reading it, and refuse it otherwise.',
    source: `${RFC_7515}4`,
    trials: onTokens([
      underHeader('a list', '["HS256"]'),
      underHeader('a string', '"HS256"'),
      underHeader('a number', '256'),
      underHeader('null', 'null'),
      underHeader('no JSON', 'alg=HS256'),
      underHeader('JSON cut off', '{"alg":"HS256"'),
      underHeader('two objects', '{"alg":"HS256"}{}'),
      underHeader('in UTF-16', Buffer.from('{"alg":"HS256"}', 'utf16le')),
      underHeader('alg in its prototype', '{"__proto__":{"alg":"HS256"}}'),
      underHeader('a byte order mark before it', '\uFEFF{"alg":"HS256"}', { accepted: 'warned' }),
      underHeader('a zip member, and nothing compressed', '{"alg":"HS256","zip":"DEF"}', {
        accepted: 'warned',
      }),
      underHeader(
        'bytes that are not UTF-8',
        Buffer.from('7b22616c67223a224853323536222c2261223a22ff227d', 'hex'),
        {
          accepted: 'warned',
        },
      ),
      rightlySigned('12 kB', `{"alg":"HS256","a":"${'x'.repeat(12_000)}"}`),
    ]),
  },
];

function rightlySigned(name: string, header: string): Trial {
  return answered(
    name,
    (genuine, { endpoint }) => {
      const token = tokenIn(genuine, endpoint);
      return withToken(genuine, token, signParts(encode(header), token.payload, token.secret));
    },
    EITHER,
  );
}

const OWN_KEY = 'a key of 32 bytes that is not it';
const OWN_JWK = { kty: 'oct', alg: 'HS256', k: encode(OWN_KEY) };

function embeddedKey(): Trial {
  return forged('jwk, signed with that key', ({ payload }) =>
    signParts(encode(JSON.stringify({ alg: 'HS256', jwk: OWN_JWK })), payload, OWN_KEY),
  );
}

function linkedKeys(member: 'jku' | 'x5u'): Trial[] {
  return [
    trapped(member, 'signed with the key behind it', (header) =>
      forged(member, ({ payload }) => signParts(encode(header), payload, OWN_KEY)),
    ),
    trapped(member, 'rightly signed', (header) => rightlySigned(member, header)),
  ];
}

/** The address leads to the machine that runs the suite, which notices a visit where the receiver can reach it. */
function trapped(member: string, name: string, forge: (header: string) => Trial): Trial {
  return tried(`${member}, ${name}`, async (stage) => {
    const trap = await openTrap();
    const header = JSON.stringify({ alg: 'HS256', kid: 'own', [member]: trap.url });
    try {
      const finding = await forge(header).run(stage);
      const visited = failed('no visit to an address in a token', 'the address in the token was visited');
      return trap.visits() > 0 ? worse(visited, finding) : finding;
    } finally {
      trap.close();
    }
  });
}

async function openTrap() {
  let visits = 0;
  const server = createServer((_request, response) => {
    visits += 1;
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ keys: [{ ...OWN_JWK, kid: 'own' }] }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/keys.json`,
    visits: () => visits,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
