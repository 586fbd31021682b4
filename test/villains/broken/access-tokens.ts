import { timingSafeEqual } from 'node:crypto';
import { Refusal, type Delivery } from '../parts.ts';
import * as proof from '../proof.ts';
import { broken, type Villain } from '../villain.ts';

/** What goes wrong with an access token. */
export const accessTokenVillains: readonly Villain[] = [
  {
    name: 'compares access tokens without letter case',
    sources: ['hotdocs'],
    kind: 'TOKEN',
    breaks: 'A database that ignores case looks the token up.',
    claimedBy: ['C1-access-token'],
    start: broken({
      verifyAccessToken: (delivery) =>
        accepted(delivery, (given, token) => given.toLowerCase() === token.toLowerCase()),
    }),
  },
  {
    name: 'accepts what begins like the access token',
    sources: ['hotdocs'],
    kind: 'TOKEN',
    breaks: 'Compares as many characters as came, or as it has.',
    claimedBy: ['C1-access-token'],
    start: broken({
      verifyAccessToken: (delivery) =>
        accepted(
          delivery,
          (given, token) => given !== '' && (token.startsWith(given) || given.startsWith(token)),
        ),
    }),
  },
  {
    name: 'finds the access token in the address',
    sources: ['hotdocs'],
    kind: 'TOKEN',
    breaks: 'Takes the token from the query too, where it ends up in every log.',
    claimedBy: ['C2-access-token-place'],
    start: broken({
      verifyAccessToken(delivery) {
        const values = [
          ...new URLSearchParams(delivery.query).values(),
          ...Object.values(delivery.headers).flat(),
        ];
        if (values.some((value) => value?.includes(delivery.route.credential.text))) return delivery.body;
        return proof.verifyAccessToken(delivery);
      },
    }),
  },
  {
    name: 'breaks on an access token of another length',
    sources: ['hotdocs'],
    kind: 'TOKEN',
    breaks: 'timingSafeEqual throws where the lengths differ, and the sender is told 500.',
    claimedBy: ['C1-access-token'],
    start: broken({
      verifyAccessToken: (delivery) =>
        accepted(delivery, (given, token) => timingSafeEqual(Buffer.from(given), Buffer.from(token))),
    }),
  },
  {
    name: 'believes any access token',
    sources: ['hotdocs'],
    kind: 'TOKEN',
    breaks: 'An Authorization header is there, so somebody must have been authorised.',
    claimedBy: ['C1-access-token', 'C3-access-token-spelling'],
    start: broken({ verifyAccessToken: (delivery) => accepted(delivery, (given) => given !== '') }),
  },
];

function accepted(delivery: Delivery, fits: (given: string, token: string) => boolean): Buffer {
  const given = (delivery.headers.authorization ?? '').replace(/^(?:bearer|token) +/i, '');
  if (!fits(given, delivery.route.credential.text)) throw new Refusal(401);
  return delivery.body;
}
