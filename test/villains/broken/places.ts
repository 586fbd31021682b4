import type { Delivery } from '../parts.ts';
import * as proof from '../proof.ts';
import { firstOf } from '../reading.ts';
import { broken, type Villain } from '../villain.ts';

/** What goes wrong where a token is looked for. */
export const placeVillains: readonly Villain[] = [
  {
    name: 'takes the token from anywhere',
    sources: ['hotdocs'],
    breaks: 'Query of a POST, cookie, any header: wherever a token is found it counts.',
    claimedBy: ['A25-other-place', 'A26-field-spelling'],
    start: broken({
      findToken: (delivery) =>
        firstOf(
          () => proof.findToken(delivery),
          () => anywhere(delivery),
        ),
    }),
  },
  {
    name: 'takes the first of two tokens',
    sources: ['hotdocs'],
    breaks: 'Of two form fields called token the first one counts.',
    claimedBy: ['A26-field-spelling'],
    start: broken({
      findToken: ({ method, query, body }) => {
        const form = new URLSearchParams(method === 'GET' ? query : body.toString('latin1'));
        return form.get('token') ?? '';
      },
    }),
  },
  {
    name: 'breaks on two tokens',
    sources: ['hotdocs'],
    breaks: 'Two fields make a list, and a list has no `split`: a TypeError, answered with 500.',
    claimedBy: ['A26-field-spelling'],
    start: broken({
      findToken(delivery) {
        const form = new URLSearchParams(delivery.body.toString('latin1'));
        if (form.getAll('token').length > 1) throw new TypeError('token.split is not a function');
        return proof.findToken(delivery);
      },
    }),
  },
  {
    name: 'breaks on long forms',
    sources: ['hotdocs'],
    breaks: 'The form parser throws at its thousandth field, and nobody catches.',
    claimedBy: ['F9-form'],
    start: broken({
      findToken(delivery) {
        if (delivery.body.toString('latin1').split('&').length > 1000)
          throw new RangeError('too many parameters');
        return proof.findToken(delivery);
      },
    }),
  },
  {
    name: 'still accepts the legacy token',
    sources: ['hotdocs'],
    breaks:
      'The secret in the Authorization header does as well as a signature, and so does a bare JSON body.',
    claimedBy: ['A27-downgrade'],
    start: broken({
      prove: (delivery, parts) =>
        firstOf(
          () => proof.prove(delivery, parts),
          () => proof.verifyAccessToken(delivery),
        ),
    }),
  },
];

function anywhere({ query, headers, body }: Delivery): string {
  const texts = [query, body.toString('latin1'), ...Object.values(headers).flat()].map(String);
  const [token] = texts.flatMap((text) => /[\w-]+\.[\w-]+\.[\w-]{43}/.exec(text) ?? []);
  return token ?? '';
}
