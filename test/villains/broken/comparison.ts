import { createHmac } from 'node:crypto';
import { Refusal, type Delivery } from '../parts.ts';
import * as proof from '../proof.ts';
import { broken, tokens, type Villain } from '../villain.ts';

type Compare = (given: string, right: string) => boolean;

const comparesBytes =
  (compare: (given: Buffer, right: Buffer) => boolean): Compare =>
  (given, own) => {
    const [one, other] = [Buffer.from(given, 'base64url'), Buffer.from(own, 'base64url')];
    return one.length === other.length && compare(one, other);
  };

/** Compares the third part of tokens so, as text in base64url. */
function comparingTokens(compare: Compare): Villain['start'] {
  return broken({
    verifyToken(token, delivery, parts) {
      const [header = '', payload = '', signature = '', ...more] = token.split('.');
      if (more.length > 0) throw new Refusal(401);
      const hmac = createHmac('sha256', delivery.route.credential.text).update(`${header}.${payload}`);
      const own = hmac.digest('base64url');
      if (!compare(signature, own)) throw new Refusal(401);
      return proof.verifyToken(`${header}.${payload}.${own}`, delivery, parts);
    },
  });
}

/** Compares X-Signature so, as text in base64url. */
function comparingSignatures(compare: Compare): Villain['start'] {
  return broken({
    verifySignature(delivery) {
      const given = proof.decodeSignature(signatureOf(delivery)).toString('base64url');
      const hmac = createHmac('sha256', delivery.route.credential.text).update(delivery.body);
      if (!compare(given, hmac.digest('base64url'))) throw new Refusal(401);
      return delivery.body;
    },
  });
}

function signatureOf({ headers }: Delivery): string {
  return String(headers['x-signature'] ?? '');
}

/** Compares access tokens so. */
function comparingAccess(compare: Compare): Villain['start'] {
  return broken({
    verifyAccessToken(delivery) {
      const { text } = delivery.route.credential;
      const given = Buffer.from(delivery.headers.authorization ?? '', 'latin1').toString();
      if (!compare(given.replace(/^(?:bearer|token) +/i, ''), text)) throw new Refusal(401);
      return proof.verifyAccessToken({ ...delivery, rawHeaders: ['Authorization', text] });
    },
  });
}

const first8 = comparesBytes((given, own) => given.subarray(0, 8).equals(own.subarray(0, 8)));
const last8 = comparesBytes((given, own) => given.subarray(-8).equals(own.subarray(-8)));
const first31 = comparesBytes((given, own) => given.subarray(0, 31).equals(own.subarray(0, 31)));
/** What came of a loop whose sign for "or" was forgotten: the last difference counts. */
const lastOnly = comparesBytes((given, own) => {
  let difference = 0;
  for (const [at, byte] of given.entries()) difference = byte ^ (own[at] ?? 0);
  return difference === 0;
});
const sums = comparesBytes((given, own) => sumOf(given) === sumOf(own));

function sumOf(bytes: Buffer): number {
  return bytes.reduce((sum, byte) => sum + byte, 0);
}

/** As a database does with LIKE. */
const like: Compare = (given, own) => {
  const pattern = given
    .replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.');
  return new RegExp(`^${pattern}$`, 's').test(own);
};
const likePattern: Compare = (given, own) => {
  try {
    return given !== '' && new RegExp(`^(?:${given})$`).test(own);
  } catch {
    return false;
  }
};
/** As databases do that sort as people do: neither letter case nor accents count. */
const collated: Compare = (given, own) => given.localeCompare(own, 'en', { sensitivity: 'base' }) === 0;

/** What goes wrong where two proofs are compared. */
export const comparisonVillains: readonly Villain[] = [
  {
    name: 'compares the first eight bytes',
    sources: ['phenixid'],
    breaks: 'The signature was stored in a column of 16 digits, and is compared as far as that goes.',
    claimedBy: ['B13-alike'],
    start: comparingSignatures(first8),
  },
  {
    name: 'compares the last eight bytes of a token',
    sources: tokens,
    breaks: 'The end of a signature is what the log shows, so that is what is compared.',
    claimedBy: ['A29-alike'],
    start: comparingTokens(last8),
  },
  {
    name: 'stops one byte too early',
    sources: tokens,
    breaks: 'The loop over the bytes ends at length - 1: 255 of 256 forgeries of one byte pass.',
    claimedBy: ['A29-alike'],
    start: comparingTokens(first31),
  },
  {
    name: 'forgets all differences but the last',
    sources: ['phenixid'],
    breaks: 'A comparison in constant time, written by hand: `difference = a ^ b` where `|=` was meant.',
    claimedBy: ['B13-alike'],
    start: comparingSignatures(lastOnly),
  },
  {
    name: 'adds bytes up',
    sources: ['phenixid'],
    breaks: 'The same bytes in another order have the same sum.',
    claimedBy: ['B13-alike'],
    start: comparingSignatures(sums),
  },
  {
    name: 'compares signatures without letter case',
    sources: tokens,
    breaks: 'Taken from a receiver of hexadecimal signatures; in base64url another case is another byte.',
    claimedBy: ['A29-alike'],
    start: comparingTokens((given, own) => given.toLowerCase() === own.toLowerCase()),
  },
  {
    name: 'asks its database for the access token',
    sources: ['hotdocs'],
    kind: 'TOKEN',
    breaks: 'WHERE token LIKE ?, with what came in the place of the question mark.',
    claimedBy: ['C7-alike'],
    start: comparingAccess(like),
  },
  {
    name: 'takes the access token for a pattern',
    sources: ['hotdocs'],
    kind: 'TOKEN',
    breaks: 'The wrong one of the two is made a regular expression.',
    claimedBy: ['C7-alike'],
    start: comparingAccess(likePattern),
  },
  {
    name: 'compares access tokens as people sort',
    sources: ['hotdocs'],
    kind: 'TOKEN',
    breaks: 'The collation of the database knows neither letter case nor accents.',
    claimedBy: ['C7-alike'],
    start: comparingAccess(collated),
  },
  {
    name: 'compares half of the access token',
    sources: ['hotdocs'],
    kind: 'TOKEN',
    breaks: 'bcrypt, or a column that is too short: what is behind its length does not count.',
    claimedBy: ['C7-alike'],
    start: comparingAccess((given, own) => given.slice(0, 16) === own.slice(0, 16)),
  },
];
