import { proofKindOf } from '../endpoints.ts';
import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import type { Genuine } from '../stage.ts';
import type { WireRequest } from '../wire.ts';
import { withHeader } from '../making/edit.ts';
import { onTokens } from '../making/forged.ts';
import {
  foldedOf,
  lookalikesOf,
  LOOSE,
  otherBytes,
  otherLetters,
  patternsFor,
  type Lookalike,
} from '../making/lookalikes.ts';
import { onSignatures, signatureIn, signed } from '../making/signature.ts';
import { encode, tokenIn, withToken } from '../making/token.ts';
import { shut } from '../making/ways.ts';

const WHY =
  'Who compares only a part, ignores letter case, or hands the text to a database or a pattern, leaves so little to guess that it can be guessed.';
const FIX =
  'Decode what came, check that it has the right length, and compare all of its bytes with a function made for it: timingSafeEqual, hmac.compare_digest, MessageDigest.isEqual, CryptographicOperations.FixedTimeEquals, hmac.Equal.';

/** Groups A, B and C: what is like the right proof, and is not it. */
export const comparisonRules: readonly Rule[] = [
  {
    id: 'A29-alike',
    group: 'A',
    title: 'refuses a token whose signature is only like the right one',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: WHY,
    fix: FIX,
    trials: onTokens([
      ...byteTrials('a signature', (genuine, at) => {
        const token = tokenIn(genuine, at);
        const put = (text: string) => withToken(genuine, token, `${token.header}.${token.payload}.${text}`);
        return { bytes: Buffer.from(token.signature, 'base64url'), put: (bytes) => put(encode(bytes)) };
      }),
      ...textTrials('a signature', (genuine, at) => {
        const token = tokenIn(genuine, at);
        const put = (text: string) => withToken(genuine, token, `${token.header}.${token.payload}.${text}`);
        return { texts: [token.signature], put };
      }),
    ]),
  },
  {
    id: 'B13-alike',
    group: 'B',
    title: 'refuses a signature that is only like the right one',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: WHY,
    fix: FIX,
    trials: onSignatures([
      ...byteTrials('a signature', (genuine, at) => {
        const signature = signatureIn(genuine, at);
        const put = (bytes: Buffer) => signed(genuine, signature, signature.spell(bytes));
        return { bytes: signature.bytes, put };
      }),
      ...textTrials('a signature', (genuine, at) => {
        const signature = signatureIn(genuine, at);
        const texts = [signature.value, signature.bytes.toString('base64')];
        return { texts, put: (text) => signed(genuine, signature, inHeader(text)) };
      }),
    ]),
  },
  {
    id: 'C7-alike',
    group: 'C',
    title: 'refuses an access token that is only like the right one',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: WHY,
    fix: FIX,
    trials: (at) =>
      proofKindOf(at) === 'access token'
        ? [
            ...byteTrials('an access token', authorization, otherLetters),
            ...textTrials('an access token', words),
          ]
        : [],
  },
];

interface Bytes {
  readonly bytes: Buffer;
  readonly put: (bytes: Buffer) => WireRequest;
}

/** One trial for each way in which bytes can be nearly right. */
function byteTrials(
  what: string,
  take: (genuine: Genuine, at: EndpointUnderTest) => Bytes,
  wrong = otherBytes,
): Trial[] {
  // Which kinds there are does not depend on the bytes.
  return Object.keys(lookalikesOf(Buffer.alloc(32), wrong)).map((kind) =>
    shut(`${what}: ${kind}`, async (stage) => {
      const { bytes, put } = take(await stage.genuine(), stage.endpoint);
      return (lookalikesOf(bytes, wrong)[kind] ?? [])
        .filter(({ form }) => !form.equals(bytes))
        .map(({ says, form }) => ({ says: `${what} that ${says}`, request: put(form) }));
    }),
  );
}

interface Texts {
  /** The right ones, in each spelling that may be compared. */
  readonly texts: readonly string[];
  readonly put: (text: string) => WireRequest;
}

const HEX = /^[\w-]*[=:]?[0-9a-f]{64}$/i;

// Whoever sends the right one with something around it knows it: that is no forgery, and other rules have it.
function textTrials(what: string, take: (genuine: Genuine, at: EndpointUnderTest) => Texts): Trial[] {
  const kinds: Readonly<Record<string, (text: string) => readonly Lookalike<string>[]>> = {
    // Hexadecimal digits are the same in both cases.
    'in other letters': (text) =>
      foldedOf(text).filter(({ form }) => !HEX.test(text) || form.toLowerCase() !== text.toLowerCase()),
    'a pattern': patternsFor,
    'of another type': () => LOOSE,
  };
  return Object.entries(kinds).map(([kind, likesOf]) =>
    shut(`${what}: ${kind}`, async (stage) => {
      const { texts, put } = take(await stage.genuine(), stage.endpoint);
      return texts
        .flatMap((text) => likesOf(text))
        .map(({ says, form }) => ({ says: `${what} that ${says}`, request: put(form) }));
    }),
  );
}

/** A header holds bytes: those of UTF-8. */
function inHeader(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function authorization(genuine: Genuine, { credential }: EndpointUnderTest): Bytes {
  return {
    bytes: Buffer.from(credential.text),
    put: (bytes) => withHeader(genuine, 'Authorization', bytes.toString('latin1')),
  };
}

function words(genuine: Genuine, { credential }: EndpointUnderTest): Texts {
  return { texts: [credential.text], put: (text) => withHeader(genuine, 'Authorization', inHeader(text)) };
}
