import { createHash, hash } from 'node:crypto';
import { proofKindOf } from '../endpoints.ts';
import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import { mac, onSignatures, respelled, type Signature } from '../making/signature.ts';

const hex = (bytes: Buffer) => bytes.toString('hex');
const base64 = (bytes: Buffer) => bytes.toString('base64');
const base64url = (bytes: Buffer) => bytes.toString('base64url');

/** What stands in a header when something in between has lost the value. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['', 'nothing'],
  [' ', 'a blank'],
  ['sha256=', 'a prefix alone'],
  ['=', 'a padding sign alone'],
]);

/** Group B, first part: the signature's own text. */
export const signatureRules: readonly Rule[] = [
  {
    id: 'B1-missing',
    group: 'B',
    title: 'refuses a delivery whose signature is missing or empty',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: 'Where a missing signature is passed over, leaving it out is enough to send any event.',
    fix: 'Refuse when the header is not there or is empty, before anything else is looked at.',
    trials: onSignatures([
      respelled('no header', () => []),
      ...['', ' ', 'null', 'undefined', '[object Object]', '0', 'true', 'sha256=', '='].map((value) =>
        respelled(`the header says ${NAMES.get(value) ?? value}`, () => value),
      ),
    ]),
  },
  {
    id: 'B2-length',
    group: 'B',
    title: 'refuses a signature of another length',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: 'Constant-time comparisons throw on unequal lengths, which becomes a server error; others compare only as much as there is.',
    fix: 'Check that the decoded signature has 32 bytes before comparing it.',
    trials: onSignatures([
      respelled('one hex digit', ({ bytes }) => hex(bytes).slice(0, 1)),
      respelled('its first byte', ({ bytes }) => hex(bytes.subarray(0, 1))),
      respelled('its first 16 bytes', ({ bytes }) => hex(bytes.subarray(0, 16))),
      respelled('its first 31 bytes', ({ bytes }) => hex(bytes.subarray(0, 31))),
      respelled('33 bytes', ({ bytes }) => `${hex(bytes)}00`),
      respelled('itself twice', ({ bytes }) => hex(bytes) + hex(bytes)),
      respelled('its first 31 bytes in base64', ({ bytes }) => base64(bytes.subarray(0, 31))),
      respelled('its own text less a character', ({ value }) => value.replace(/.(?=={0,2}$)/, '')),
      respelled('4,000 digits', () => 'a'.repeat(4_000), { also: [400, 431] }),
    ]),
  },
  {
    id: 'B3-hex',
    group: 'B',
    title: 'refuses hex digits with anything else among or behind them',
    severity: 'medium',
    grade: 'hardened',
    level: 1,
    why: 'Decoders that stop at the first wrong character read many texts as the same signature.',
    fix: 'Check the text as a whole against 64 hex digits before decoding it.',
    trials: onSignatures([
      respelled('junk behind', ({ bytes }) => `${hex(bytes)}zzzz`),
      respelled('a digit more', ({ bytes }) => `${hex(bytes)}0`),
      respelled('a blank inside', ({ bytes }) => `${hex(bytes).slice(0, 32)} ${hex(bytes).slice(32)}`),
      respelled('colons between the bytes', ({ bytes }) => hex(bytes).replace(/..(?=.)/g, '$&:')),
      respelled('the mark 0x before', ({ bytes }) => `0x${hex(bytes)}`),
      respelled('quotes around', ({ bytes }) => `"${hex(bytes)}"`),
      respelled('a semicolon behind', ({ bytes }) => `${hex(bytes)};`),
    ]),
  },
  {
    id: 'B4-base64',
    group: 'B',
    title: 'refuses base64 in any but its plain spelling',
    severity: 'medium',
    grade: 'hardened',
    level: 1,
    why: 'Lenient base64 decoders skip blanks and junk and ignore unused bits, so that one signature has many texts.',
    fix: 'Encode the decoded bytes again and compare with what came, or check the whole text before decoding.',
    trials: onSignatures([
      respelled('a blank inside', ({ bytes }) => `${base64(bytes).slice(0, 8)} ${base64(bytes).slice(8)}`),
      respelled('junk behind padding', ({ bytes }) => `${base64(bytes)}junk`),
      respelled('a second padding sign', ({ bytes }) => `${base64(bytes)}=`),
      respelled('a padding sign before', ({ bytes }) => `=${base64(bytes)}`),
      respelled(
        'a foreign sign inside',
        ({ bytes }) => `${base64(bytes).slice(0, 8)}!${base64(bytes).slice(8)}`,
      ),
      respelled('a percent escape for its padding', ({ bytes }) => `${base64url(bytes)}%3D`),
      respelled('unused bits', ({ bytes }) => `${twinOf(base64(bytes).slice(0, 43))}=`),
      respelled('unused bits, without padding', ({ bytes }) => twinOf(base64url(bytes))),
    ]),
  },
  {
    id: 'B5-other-scheme',
    group: 'B',
    title: 'refuses a signature of another scheme',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: 'A hash without a secret can be made by anybody; SHA-1 and MD5 are weaker than agreed; a scheme that is guessed can be downgraded.',
    fix: 'Compute one scheme, HMAC-SHA-256 with the secret over the raw body, and compare with that alone.',
    trials: (at) => (proofKindOf(at) === 'signature header' ? otherSchemes(at) : []),
  },
  {
    id: 'B6-several',
    group: 'B',
    title: 'refuses more than one signature',
    severity: 'medium',
    grade: 'authentic',
    level: 1,
    why: 'Servers and proxies join or drop repeated headers, each in its way: what one part verifies another does not see. Lists multiply the guesses.',
    fix: 'Refuse when the header comes more than once or holds a list.',
    trials: onSignatures([
      firstTaken(respelled('two headers, the first right', ({ value }) => [value, hex(Buffer.alloc(32))])),
      respelled('two headers, the second right', ({ value }) => [hex(Buffer.alloc(32)), value]),
      firstTaken(respelled('two headers, both right', ({ value }) => [value, value])),
      respelled('a list, the first right', ({ value }) => `${value}, ${hex(Buffer.alloc(32))}`),
      respelled('a list, the second right', ({ value }) => `${hex(Buffer.alloc(32))},${value}`),
      respelled('a list with blanks', ({ value }) => `${hex(Buffer.alloc(32))} ${value}`),
      respelled('a list of a hundred', ({ value }) => `${`${hex(Buffer.alloc(32))},`.repeat(100)}${value}`, {
        also: [400, 431],
      }),
    ]),
  },
];

/** Go, aiohttp and the JDK hand out the first of several: the one that is verified is right, and is all that there is to see. */
function firstTaken(trial: Trial): Trial {
  return { ...trial, grade: 'hardened' };
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** The last character stands for two bits that nothing uses. */
function twinOf(text: string): string {
  const bytes = Buffer.from(text, 'base64');
  const spellings = Array.from(ALPHABET, (last) => text.slice(0, -1) + last);
  return spellings.find((twin) => twin !== text && Buffer.from(twin, 'base64').equals(bytes)) ?? '';
}

function otherSchemes({ switches, accepts }: EndpointUnderTest): Trial[] {
  const chosen = switches['scheme'] ?? 'hmac-sha256';
  const isAgreed = (scheme: string) => scheme === chosen || accepts.has(`scheme=${scheme}`);
  const keyed: readonly (readonly [scheme: string, of: (signature: Signature) => Buffer])[] = [
    ['sha256-body-secret', ({ body, secret }) => createHash('sha256').update(body).update(secret).digest()],
    ['sha256-secret-body', ({ body, secret }) => createHash('sha256').update(secret).update(body).digest()],
  ];
  return [
    respelled('a hash of the body alone', ({ body }) => hash('sha256', body)),
    respelled('a hash of the body alone, behind sha256=', ({ body }) => `sha256=${hash('sha256', body)}`),
    respelled('a hash of the body alone, in base64', ({ body }) => hash('sha256', body, 'base64')),
    ...['md5', 'sha1', 'sha384', 'sha512'].map((algorithm) =>
      respelled(`an HMAC of ${algorithm}`, ({ body, secret }) => hex(mac(body, secret, algorithm))),
    ),
    respelled(
      'an HMAC of sha1, behind sha1=',
      ({ body, secret }) => `sha1=${hex(mac(body, secret, 'sha1'))}`,
    ),
    respelled('an HMAC of sha512, cut to 32 bytes', ({ body, secret }) =>
      hex(mac(body, secret, 'sha512').subarray(0, 32)),
    ),
    respelled('an HMAC with body and secret exchanged', ({ body, secret }) => hex(mac(secret, body))),
    ...keyed
      .filter(([scheme]) => !isAgreed(scheme))
      .map(([scheme, of]) => respelled(`the scheme ${scheme}`, (signature) => hex(of(signature)))),
    respelled('a prefix twice', ({ bytes }) => `sha256=sha256=${hex(bytes)}`),
    respelled('the prefix of another scheme', ({ bytes }) => `sha512=${hex(bytes)}`),
    respelled('the form t=,v1=', ({ bytes }) => `t=1700000000,v1=${hex(bytes)}`),
  ];
}
