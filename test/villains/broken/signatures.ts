import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { Refusal, type Delivery } from '../parts.ts';
import * as proof from '../proof.ts';
import { firstOf } from '../reading.ts';
import { right } from '../right.ts';
import { broken, type Villain } from '../villain.ts';

const phenixid = ['phenixid'] as const;

function headerOf({ headers }: Delivery): string {
  return String(headers['x-signature'] ?? '');
}

function hmacOf(bytes: string | Buffer, { route }: Delivery, hash = 'sha256'): Buffer {
  return createHmac(hash, route.credential.text).update(bytes).digest();
}

/** The right receiver's decision on a delivery whose signature is this one. */
function verifiedBy(signature: string, delivery: Delivery): Buffer {
  const rawHeaders = ['X-Signature', signature];
  return proof.verifySignature(
    { ...delivery, rawHeaders },
    { ...right, decodeSignature: proof.decodeSignature },
  );
}

/** What goes wrong with a signature in a header. */
export const signatureVillains: readonly Villain[] = [
  {
    name: 'believes unsigned notifications',
    sources: phenixid,
    breaks: 'Checks a signature if there is one.',
    claimedBy: ['B1-missing'],
    start: broken({
      verifySignature: (delivery, parts) =>
        headerOf(delivery).trim() === '' ? delivery.body : proof.verifySignature(delivery, parts),
    }),
  },
  {
    name: 'only looks whether there is a signature',
    sources: phenixid,
    breaks: 'The header is there and long enough, so it will be right.',
    claimedBy: ['B5-other-scheme'],
    start: broken({
      verifySignature(delivery) {
        if (headerOf(delivery).length < 32) throw new Refusal(401);
        return delivery.body;
      },
    }),
  },
  {
    name: 'accepts a plain hash of the body',
    sources: phenixid,
    breaks: 'Takes "SHA256 signature" for SHA-256 of the body, which everybody can compute.',
    claimedBy: ['B5-other-scheme'],
    start: broken({
      verifySignature: (delivery, parts) =>
        createHash('sha256').update(delivery.body).digest('hex') === headerOf(delivery)
          ? delivery.body
          : proof.verifySignature(delivery, parts),
    }),
  },
  {
    name: 'compares decoded bytes',
    sources: phenixid,
    breaks: 'Buffer.from(hex) stops at the first character that is none, so junk may follow a signature.',
    claimedBy: ['B3-hex'],
    start: broken({
      decodeSignature: (text) =>
        firstOf(
          () => proof.decodeSignature(text),
          () => Buffer.from(text, 'hex'),
        ),
    }),
  },
  {
    name: 'decodes base64 signatures leniently',
    sources: phenixid,
    breaks: 'Blanks, junk behind the `=` and unused bits make many spellings of one signature.',
    claimedBy: ['B4-base64'],
    start: broken({
      decodeSignature: (text) =>
        /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64'),
    }),
  },
  {
    name: 'breaks on a signature of another length',
    sources: phenixid,
    breaks: 'timingSafeEqual throws where the lengths differ, and the sender is told 500.',
    claimedBy: ['B2-length'],
    start: broken({
      verifySignature(delivery) {
        const text = headerOf(delivery).replace(/^sha256=/i, '');
        if (
          !timingSafeEqual(
            Buffer.from(text, text.length === 64 ? 'hex' : 'base64'),
            hmacOf(delivery.body, delivery),
          )
        )
          throw new Refusal(401);
        return delivery.body;
      },
    }),
  },
  {
    name: 'compares the beginning of a signature',
    sources: phenixid,
    breaks: 'As many characters as came are compared, and the rest is not missed.',
    claimedBy: ['B2-length'],
    start: broken({
      verifySignature(delivery, parts) {
        const text = headerOf(delivery);
        const begins = text !== '' && hmacOf(delivery.body, delivery).toString('hex').startsWith(text);
        return begins ? delivery.body : proof.verifySignature(delivery, parts);
      },
    }),
  },
  {
    name: 'signs what it parsed',
    sources: phenixid,
    breaks: 'The framework has parsed the body, so it is written anew before the signature is computed.',
    claimedBy: ['B9-body-changed'],
    start: broken({
      verifySignature(delivery, parts) {
        const body = Buffer.from(JSON.stringify(parsed(delivery.body)));
        return proof.verifySignature({ ...delivery, body }, parts);
      },
    }),
  },
  {
    name: 'lets the sender choose the hash',
    sources: phenixid,
    breaks: 'Reads `sha1=` or `md5=` in front of the signature as an order.',
    claimedBy: ['B5-other-scheme'],
    start: broken({
      verifySignature(delivery, parts) {
        const [, hash, text] = /^(sha1|md5|sha512)=([0-9a-f]+)$/i.exec(headerOf(delivery)) ?? [];
        if (hash === undefined || text === undefined) return proof.verifySignature(delivery, parts);
        if (hmacOf(delivery.body, delivery, hash.toLowerCase()).toString('hex') !== text)
          throw new Refusal(401);
        return delivery.body;
      },
    }),
  },
  {
    name: 'tries every hash',
    sources: phenixid,
    breaks: 'Finds out by its length with which hash a signature was made.',
    claimedBy: ['B5-other-scheme'],
    start: broken({
      verifySignature: (delivery, parts) =>
        ['md5', 'sha1', 'sha384', 'sha512'].some(
          (hash) =>
            hmacOf(delivery.body, delivery, hash).toString('hex') === headerOf(delivery).replace(/^\w+=/, ''),
        )
          ? delivery.body
          : proof.verifySignature(delivery, parts),
    }),
  },
  {
    name: 'tries a list of signatures',
    sources: phenixid,
    breaks: 'Of several signatures in one or two headers one right one is enough.',
    claimedBy: ['B6-several'],
    start: broken({
      verifySignature: (delivery) =>
        firstOf(
          ...headerOf(delivery)
            .split(/[,;\s]+/)
            .map((signature) => () => verifiedBy(signature, delivery)),
        ),
    }),
  },
  {
    name: 'takes the prefix off again and again',
    sources: phenixid,
    breaks: 'Any number of `sha256=` may stand in front, and any word.',
    claimedBy: ['B5-other-scheme'],
    start: broken({
      verifySignature: (delivery) =>
        verifiedBy(headerOf(delivery).replace(/^(?:[\w-]+[=:]\s*)+(?=.{43})/, ''), delivery),
    }),
  },
  {
    name: 'knows the header by other names',
    sources: phenixid,
    breaks: 'X_Signature, Signature, X-Hub-Signature-256: what a proxy or another sender would call it.',
    claimedBy: ['B7-other-name'],
    start: broken({
      verifySignature({ headers, ...delivery }) {
        const names = ['x-signature', 'x_signature', 'signature', 'x-hub-signature-256', 'x-signature-256'];
        const values = names.map((name) => headers[name]).filter((value) => value !== undefined);
        return verifiedBy(String(values[0] ?? ''), { ...delivery, headers });
      },
    }),
  },
  {
    name: 'lets pings through',
    sources: phenixid,
    breaks: 'A body that is empty or says it is a test needs no signature.',
    claimedBy: ['B12-handshake'],
    start: broken({
      verifySignature: (delivery, parts) =>
        delivery.body.length === 0 ||
        /"(?:ping|test|challenge|verify|ssl_check)|^ping/i.test(delivery.body.toString())
          ? delivery.body
          : proof.verifySignature(delivery, parts),
    }),
  },
  {
    name: 'signs the address as well',
    sources: phenixid,
    breaks: 'Accepts a signature over query and body, or over nothing.',
    claimedBy: ['B8-signed-something-else'],
    start: broken({
      verifySignature(delivery, parts) {
        const given = headerOf(delivery);
        const others = [
          '',
          `${delivery.body.toString()}${delivery.query}`,
          `${delivery.query}${delivery.body.toString()}`,
        ];
        const found = others.some((bytes) => hmacOf(bytes, delivery).toString('hex') === given);
        return found ? delivery.body : proof.verifySignature(delivery, parts);
      },
    }),
  },
];

function parsed(body: Buffer): unknown {
  return firstOf(() => JSON.parse(body.toString()) as unknown);
}
