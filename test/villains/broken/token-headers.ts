import { createHmac } from 'node:crypto';
import { membersIn, Refusal, type Members } from '../parts.ts';
import * as proof from '../proof.ts';
import { firstOf, headerOf, payloadOf } from '../reading.ts';
import { broken, tokens, type Villain } from '../villain.ts';

/** What goes wrong where a token's header is believed. */
export const headerVillains: readonly Villain[] = [
  {
    name: 'decodes instead of verifying',
    sources: tokens,
    breaks: 'Reads the payload with the library’s `decode`, which checks nothing.',
    claimedBy: [
      'A1-none',
      'A2-family',
      'A3-stronger-hash',
      'A4-algorithm-spelling',
      'A5-signature-bytes',
      'A6-parts-swapped',
      'A7-guessable-key',
    ],
    start: broken({ verifyToken: payloadOf }),
  },
  {
    name: 'accepts alg none',
    sources: tokens,
    breaks: 'Lets the token say that it is not signed.',
    claimedBy: ['A1-none'],
    start: broken({
      verifyToken: (token, delivery, parts) =>
        String(headerOf(token)['alg']).toLowerCase() === 'none'
          ? payloadOf(token)
          : proof.verifyToken(token, delivery, parts),
    }),
  },
  {
    name: 'takes the algorithm from the token',
    sources: tokens,
    breaks: 'Verifies HS384 and HS512 as readily as HS256, because the header says so.',
    claimedBy: ['A3-stronger-hash'],
    start: broken({
      verifyToken(token, delivery, parts) {
        const [header = '', payload = '', signature = ''] = token.split('.');
        const hash = { HS384: 'sha384', HS512: 'sha512' }[String(headerOf(token)['alg'])];
        if (hash === undefined) return proof.verifyToken(token, delivery, parts);
        const hmac = createHmac(hash, delivery.route.credential.text).update(`${header}.${payload}`);
        if (hmac.digest('base64url') !== signature) throw new Refusal(401);
        return payloadOf(token);
      },
    }),
  },
  {
    name: 'does not look at alg',
    sources: tokens,
    breaks: 'Computes HMAC-SHA256 whatever the header claims: RS256, null, hs256.',
    claimedBy: ['A2-family', 'A4-algorithm-spelling'],
    start: broken({
      checkTokenHeader: (header, delivery) => proof.checkTokenHeader({ ...header, alg: 'HS256' }, delivery),
    }),
  },
  {
    name: 'ignores crit',
    sources: tokens,
    breaks: 'Accepts a token whose header demands an extension that it does not know.',
    claimedBy: ['A11-crit'],
    start: broken({
      checkTokenHeader: (header, delivery) => proof.checkTokenHeader(without(header, 'crit'), delivery),
    }),
  },
  {
    name: 'ignores b64',
    sources: tokens,
    breaks: 'Accepts a token that says its payload is not in base64url.',
    claimedBy: ['A12-unencoded'],
    start: broken({
      checkTokenHeader: (header, delivery) =>
        proof.checkTokenHeader(without(header, 'b64', 'crit'), delivery),
    }),
  },
  {
    name: 'ignores every header member but alg',
    sources: tokens,
    breaks: 'Accepts tokens that bring a key, an address of keys, a compression or any kid.',
    claimedBy: ['A11-crit', 'A12-unencoded'],
    start: broken({ checkTokenHeader: onlyAlgorithm }),
  },
  {
    name: 'takes the key from the token',
    sources: tokens,
    breaks: 'Verifies with the `jwk` of the header where there is one.',
    claimedBy: ['A10-own-key'],
    start: broken({
      checkTokenHeader: onlyAlgorithm,
      verifyToken(token, delivery, parts) {
        const { jwk } = headerOf(token) as { readonly jwk?: { readonly k?: string } }; // believed, that is the point
        if (jwk?.k === undefined) return proof.verifyToken(token, delivery, parts);
        const [header = '', payload = '', signature = ''] = token.split('.');
        const hmac = createHmac('sha256', Buffer.from(jwk.k, 'base64url')).update(`${header}.${payload}`);
        if (hmac.digest('base64url') !== signature) throw new Refusal(401);
        return payloadOf(token);
      },
    }),
  },
  {
    name: 'fetches keys from where the token says',
    sources: tokens,
    breaks: 'Asks the address in `jku` or `x5u` for a key, before anything is verified.',
    claimedBy: ['A10-own-key'],
    start: broken({
      verifyToken(token, delivery, parts) {
        const { jku, x5u } = headerOf(token);
        for (const address of [jku, x5u]) {
          if (typeof address === 'string') fetch(address).catch(() => undefined);
        }
        return proof.verifyToken(token, delivery, parts);
      },
    }),
  },
  {
    name: 'looks keys up by kid',
    sources: tokens,
    breaks: 'Uses `kid` unchecked, and breaks on what is no text.',
    claimedBy: ['A9-kid'],
    start: broken({
      checkTokenHeader(header, delivery) {
        // As in a language without types.
        const { kid = 'default' } = header as { readonly kid?: string };
        if (kid.toLowerCase().includes('/')) throw new Error(`ENOENT: keys/${kid}`);
        proof.checkTokenHeader({ ...header, kid: 'known' }, delivery);
      },
    }),
  },
  {
    name: 'takes the last of two alg',
    sources: tokens,
    breaks: 'JSON.parse takes the last of two members, another reader takes the first.',
    claimedBy: ['A16-members-twice'],
    outcome: 'warned',
    start: broken({ readTokenHeader: (bytes) => firstOf(() => membersIn(bytes.toString())) }),
  },
];

/** Header members are not looked at, but for the algorithm. */
function onlyAlgorithm({ alg }: Members): void {
  if (alg !== 'HS256') throw new Refusal(401);
}

function without(members: Members, ...names: readonly string[]): Members {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)));
}
