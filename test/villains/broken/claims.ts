import { createHmac } from 'node:crypto';
import { membersIn, Refusal } from '../parts.ts';
import * as proof from '../proof.ts';
import { firstOf, payloadOf } from '../reading.ts';
import { broken, tokens, type Villain } from '../villain.ts';

/** What goes wrong when a token is genuine, but not for this. */
export const claimVillains: readonly Villain[] = [
  {
    name: 'does not check claims',
    sources: ['hotdocs'],
    breaks: 'A token that expired yesterday is as good as a fresh one.',
    claimedBy: ['A19-expired', 'A19-time-types'],
    start: broken({
      checkClaims(content) {
        firstOf(() => membersIn(content.toString()));
      },
    }),
  },
  {
    name: 'any exp will do',
    sources: ['hotdocs'],
    breaks: 'Compares `exp` without asking whether it is a number: text and 1e308 never expire.',
    claimedBy: ['A19-time-types'],
    start: broken({
      checkClaims(content) {
        const { exp } = firstOf(() => membersIn(content.toString()));
        if (exp !== undefined && Number(exp) + 90 < Date.now() / 1000) throw new Refusal(401);
      },
    }),
  },
  {
    name: 'accepts a payload that is no object',
    sources: tokens,
    breaks: 'Lists, numbers and plain text pass, as with jsonwebtoken.',
    claimedBy: ['A20-payload-shape'],
    start: broken({
      checkClaims(content, delivery) {
        if (content.toString().startsWith('{')) proof.checkClaims(content, delivery);
      },
    }),
  },
  {
    name: 'lets in what it cannot read',
    sources: tokens,
    breaks: 'Only a wrong signature is refused; every other error on the way counts as accepted.',
    claimedBy: ['A14-parts', 'A17-header-shape'],
    start: broken({
      verifyToken(token, delivery, parts) {
        const [header = '', payload = '', signature = '', ...more] = token.split('.');
        const hmac = createHmac('sha256', delivery.route.credential.text).update(`${header}.${payload}`);
        const wrong = /^[\w-]{43}$/.test(signature) && hmac.digest('base64url') !== signature;
        if (wrong && more.length === 0) throw new Refusal(401);
        return firstOf(
          () => proof.verifyToken(token, delivery, parts),
          () => payloadOf(token),
        );
      },
    }),
  },
];
