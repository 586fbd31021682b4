import type { Rule, Trial } from '../rule.ts';
import type { RefusalOptions } from '../trials.ts';
import { forged, onTokens } from '../making/forged.ts';
import { encode, signParts, type Token } from '../making/token.ts';

const RFC_7515 = 'https://www.rfc-editor.org/rfc/rfc7515#section-';

/** Other texts that lenient decoders read as the same bytes. */
const respellings: readonly (readonly [name: string, respell: (part: string) => string])[] = [
  ['padding', (part) => `${part}=`],
  ['a blank inside', (part) => `${part.slice(0, 4)} ${part.slice(4)}`],
  ['a line end inside', (part) => `${part.slice(0, 4)}\r\n${part.slice(4)}`],
  ['a plus sign inside', (part) => `${part.slice(0, 4)}+${part.slice(4)}`],
  ['a hash sign inside', (part) => `${part.slice(0, 4)}#${part.slice(4)}`],
  ['junk behind padding', (part) => `${part}=junk`],
];

function inOtherAlphabet(part: string): string {
  return part.replaceAll('-', '+').replaceAll('_', '/');
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The last character of a signature stands for two bits that nothing uses. */
function twinOf(part: string): string {
  const bytes = Buffer.from(part, 'base64url');
  const spellings = Array.from(ALPHABET, (last) => part.slice(0, -1) + last);
  return spellings.find((twin) => twin !== part && Buffer.from(twin, 'base64url').equals(bytes)) ?? part;
}

/** The token with its signature spelled otherwise; `undefined` where that changes nothing. */
function otherSignature(token: Token, respell: (part: string) => string): string | undefined {
  const text = respell(token.signature);
  return text === token.signature ? undefined : `${token.header}.${token.payload}.${text}`;
}

/** Where a token travels in a header, a line end in it is no HTTP any more. */
const BROKEN_HTTP: RefusalOptions = { also: [400] };

/** Only the holder of the secret can make these, so an acceptance does no harm by itself. */
const HARMLESS: RefusalOptions = { accepted: 'warned' };

/** Group A, third part: how a token is put together. */
export const tokenShapeRules: readonly Rule[] = [
  {
    id: 'A13-serialisation',
    group: 'A',
    title: 'refuses a token in another form than the compact one',
    severity: 'high',
    grade: 'authentic',
    level: 1,
    why: 'Other forms bring other code into play: several signatures of which one may be missing, a payload that lies elsewhere, encryption.',
    fix: 'Accept three parts with dots between them and nothing else; use the function of your library for compact tokens.',
    source: `${RFC_7515}7`,
    trials: onTokens([
      forged('a detached payload', ({ header, signature }) => `${header}..${signature}`),
      forged('flattened JSON', ({ header, payload, signature }) =>
        JSON.stringify({ protected: header, payload, signature }),
      ),
      forged('general JSON', ({ header, payload, signature }) =>
        JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
      ),
      forged('two signatures, one of them none', ({ header, payload, signature }) => {
        const unsigned = { protected: encode('{"alg":"none"}'), signature: '' };
        return JSON.stringify({ payload, signatures: [unsigned, { protected: header, signature }] });
      }),
      forged('an encrypted token', ({ payload, signature }) =>
        [
          encode('{"alg":"dir","enc":"A256GCM"}'),
          '',
          encode('initvector12'),
          payload,
          signature.slice(0, 22),
        ].join('.'),
      ),
    ]),
  },
  {
    id: 'A14-parts',
    group: 'A',
    title: 'refuses a token that does not have exactly three parts',
    severity: 'medium',
    grade: 'authentic',
    level: 1,
    why: 'Code that splits at dots and takes what it finds reads a part that is not there, or overlooks one that is.',
    fix: 'Count the parts before using any, and refuse anything but three that are not empty.',
    source: `${RFC_7515}7.1`,
    trials: onTokens([
      forged('no dot', ({ header, payload, signature }) => header + payload + signature),
      forged('the header alone', ({ header }) => header),
      forged('two parts', ({ header, payload }) => `${header}.${payload}`),
      forged('four parts', ({ whole, signature }) => `${whole}.${signature}`),
      forged('five parts', ({ whole }) => `${whole}.AAAA.AAAA`),
      forged('a hundred dots', ({ whole }) => whole + '.'.repeat(98)),
      forged('nothing but dots', () => '..'),
      forged('a dot before', ({ whole }) => `.${whole}`),
      forged('a dot behind', ({ whole }) => `${whole}.`),
      forged('an empty header, signed so', ({ payload, secret }) => signParts('', payload, secret)),
      // Rightly signed, whatever it says: what cannot be read may be put aside as well.
      {
        ...forged('an empty payload, signed so', ({ header, secret }) => signParts(header, '', secret)),
        grade: 'hardened',
      },
    ]),
  },
  {
    id: 'A15-alphabet',
    group: 'A',
    title: 'accepts one spelling of a token only',
    severity: 'medium',
    grade: 'hardened',
    level: 1,
    why: 'Lenient decoders read many texts as the same signature. A list of tokens seen before is then no protection, and two parts of a system may differ on what is genuine.',
    fix: 'Encode the decoded signature again and compare it with what came, or check each part against [A-Za-z0-9_-] and its length.',
    source: `${RFC_7515}2`,
    trials: onTokens([
      ...respellings.map(([name, respell]) =>
        forged(`a signature with ${name}`, (token) => otherSignature(token, respell), BROKEN_HTTP),
      ),
      ...respellings.map(([name, respell]) =>
        forged(
          `a payload with ${name}`,
          ({ header, payload, signature }) => [header, respell(payload), signature].join('.'),
          BROKEN_HTTP,
        ),
      ),
      forged('a signature with unused bits', (token) => otherSignature(token, twinOf)),
      forged('a signature in the other alphabet', (token) => otherSignature(token, inOtherAlphabet)),
      ...signedSo('padding', (part) => `${part}=`),
      ...signedSo('a blank inside', (part) => `${part.slice(0, 4)} ${part.slice(4)}`),
    ]),
  },
];

function signedSo(name: string, respell: (part: string) => string): Trial[] {
  return [
    forged(
      `a header with ${name}, signed so`,
      (token) => signParts(respell(token.header), token.payload, token.secret),
      HARMLESS,
    ),
    forged(
      `a payload with ${name}, signed so`,
      (token) => signParts(token.header, respell(token.payload), token.secret),
      HARMLESS,
    ),
  ];
}
