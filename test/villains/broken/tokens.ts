import { createHmac } from 'node:crypto';
import { membersIn, Refusal, type Credentials } from '../parts.ts';
import * as proof from '../proof.ts';
import { createReceiver } from '../receiver.ts';
import { firstOf, verifiedWith } from '../reading.ts';
import { right } from '../right.ts';
import { broken, tokens, type Villain } from '../villain.ts';

/** What goes wrong between a token and its signature. */
export const tokenVillains: readonly Villain[] = [
  {
    name: 'open with an empty key',
    sources: tokens,
    breaks: 'A second secret for rotations is not set, which leaves it empty, and empty is a key.',
    claimedBy: ['A7-guessable-key'],
    start: broken({
      verifyToken: (token, delivery) =>
        firstOf(
          () => verifiedWith(delivery.route.credential.text, token, delivery),
          () => verifiedWith('', token, delivery),
        ),
    }),
  },
  {
    name: 'still has the sample secret',
    sources: tokens,
    breaks: 'Accepts what is signed with `secret`, left over from the tutorial.',
    claimedBy: ['A7-guessable-key'],
    start: broken({
      verifyToken: (token, delivery) =>
        firstOf(
          ...[delivery.route.credential.text, 'secret', 'changeme', 'signature_secret'].map(
            (key) => () => verifiedWith(key, token, delivery),
          ),
        ),
    }),
  },
  {
    name: 'one secret for all topics',
    sources: tokens,
    breaks: 'Accepts on one path what was signed with the secret of another.',
    claimedBy: ['A23-other-endpoint'],
    start: (credentials: Credentials) =>
      createReceiver({
        ...right,
        verifyToken: (token, delivery) => {
          const keys = [...credentials].filter(([path]) => path.startsWith(`/${delivery.route.source}`));
          return firstOf(
            ...keys.map(
              ([, { text }]) =>
                () =>
                  verifiedWith(text, token, delivery),
            ),
          );
        },
      })(credentials),
  },
  {
    name: 'decodes base64 leniently',
    sources: tokens,
    breaks: 'Buffer.from skips what is no base64, so that one token has many spellings.',
    claimedBy: ['A15-alphabet'],
    start: broken({ decodePart: (part) => Buffer.from(part, 'base64url') }),
  },
  {
    name: 'compares as many bytes as came',
    sources: tokens,
    breaks: 'A cut-off signature is compared with the beginning of the right one; an empty one fits always.',
    claimedBy: ['A5-signature-bytes'],
    start: broken({
      verifyToken(token, delivery, parts) {
        const [header = '', payload = '', signature = ''] = token.split('.');
        parts.checkTokenHeader(parts.readTokenHeader(parts.decodePart(header)), delivery);
        const hmac = createHmac('sha256', delivery.route.credential.text).update(`${header}.${payload}`);
        if (!hmac.digest('base64url').startsWith(signature)) throw new Refusal(401);
        const content = parts.decodePart(payload);
        parts.checkClaims(content, delivery);
        return content;
      },
    }),
  },
  {
    name: 'splits at dots and takes three',
    sources: tokens,
    breaks: 'Further parts of a token are not looked at.',
    claimedBy: ['A14-parts'],
    start: broken({
      verifyToken: (token, delivery, parts) =>
        proof.verifyToken(token.split('.').slice(0, 3).join('.'), delivery, parts),
    }),
  },
  {
    name: 'understands the JSON serialisation',
    sources: tokens,
    breaks: 'Takes {"protected","payload","signature"} where a compact token is due.',
    claimedBy: ['A13-serialisation'],
    start: broken({
      verifyToken: (token, delivery, parts) =>
        proof.verifyToken(compactOf(decodeURIComponent(token)) ?? token, delivery, parts),
    }),
  },
  {
    name: 'unwraps tokens',
    sources: tokens,
    breaks: 'Takes quotes, `Bearer`, blanks and line ends off before it verifies.',
    claimedBy: ['A24-wrapped'],
    start: broken({
      verifyToken: (token, delivery, parts) => proof.verifyToken(unwrapped(token), delivery, parts),
    }),
  },
];

function compactOf(json: string): string | undefined {
  try {
    const { protected: header, payload, signature } = membersIn(json);
    return [header, payload, signature].map(String).join('.');
  } catch {
    return undefined;
  }
}

function unwrapped(token: string): string {
  return decodeURIComponent(token)
    .replace(/^(?:token=|Bearer )/, '')
    .replaceAll(/["'\s\uFEFF]/g, '');
}
