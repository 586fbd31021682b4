import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { isTokenBody, proofKindOf } from '../endpoints.ts';
import type { EndpointUnderTest, Rule } from '../rule.ts';
import { forged, onTokens, underHeader } from '../making/forged.ts';
import { encode, signParts, type Token } from '../making/token.ts';

const RFC_8725 = 'https://www.rfc-editor.org/rfc/rfc8725#section-';

/** Group A, first part: the algorithm, the key, the signature. */
export const tokenRules: readonly Rule[] = [
  {
    id: 'A1-none',
    group: 'A',
    title: 'refuses a token that says it needs no signature',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: 'A receiver that lets the token choose the algorithm accepts "none": anybody can write any event.',
    fix: 'Give your JWT library the list of accepted algorithms, and let HS256 be the only one.',
    source: `${RFC_8725}3.1`,
    trials: onTokens(
      ['none', 'None', 'NONE', 'nOnE'].flatMap((none) => {
        const header = encode(`{"alg":"${none}","typ":"JWT"}`);
        return [
          forged(`alg ${none}, empty third part`, ({ payload }) => `${header}.${payload}.`),
          forged(`alg ${none}, no third part`, ({ payload }) => `${header}.${payload}`),
          forged(
            `alg ${none}, the genuine third part`,
            (token) => `${header}.${token.payload}.${token.signature}`,
          ),
          forged(`alg ${none}, signed with another secret`, (token) =>
            signParts(header, token.payload, 'another'),
          ),
        ];
      }),
    ),
  },
  {
    id: 'A2-family',
    group: 'A',
    title: 'refuses a token whose algorithm is of another family',
    severity: 'high',
    grade: 'authentic',
    level: 1,
    why: 'Where the token chooses between HMAC and public keys, a public key can be turned into an HMAC secret, or a foreign key be trusted.',
    fix: 'Accept HS256 only, and compare alg before anything is verified.',
    source: `${RFC_8725}3.1`,
    trials: onTokens([
      ...['RS256', 'ES256', 'PS256', 'EdDSA', 'dir'].map((alg) =>
        underHeader(`alg ${alg} over an HMAC of the right secret`, `{"alg":"${alg}","typ":"JWT"}`),
      ),
      forged("alg ES256, signed with an attacker's key", signedByOwnKey),
    ]),
  },
  {
    id: 'A3-stronger-hash',
    group: 'A',
    title: 'refuses HS384 and HS512 where HS256 is agreed',
    severity: 'medium',
    grade: 'authentic',
    level: 1,
    why: 'It shows that the token chooses its algorithm. Today that is harmless, with the next algorithm of the library it need not be.',
    fix: 'Let HS256 be the only accepted algorithm, not "any HMAC".',
    source: `${RFC_8725}3.1`,
    trials: (at) => (proofKindOf(at) === 'token' ? strongerHashes(at) : []),
  },
  {
    id: 'A4-algorithm-spelling',
    group: 'A',
    title: 'refuses a token whose alg is missing, of another type or spelled otherwise',
    severity: 'medium',
    grade: 'authentic',
    level: 1,
    why: 'A check that is not exact can be led past: a list, another letter case or a missing member reaches code that expects the text HS256.',
    fix: 'Compare alg with HS256 as a whole text, and refuse everything else.',
    source: 'https://www.rfc-editor.org/rfc/rfc7515#section-4.1.1',
    trials: onTokens([
      underHeader('no alg', '{"typ":"JWT"}'),
      underHeader('an empty header object', '{}'),
      underHeader('alg null', '{"alg":null,"typ":"JWT"}'),
      underHeader('alg as a number', '{"alg":256,"typ":"JWT"}'),
      underHeader('alg as a list', '{"alg":["HS256"],"typ":"JWT"}'),
      underHeader('alg as an object', '{"alg":{"HS256":true},"typ":"JWT"}'),
      underHeader('alg empty', '{"alg":"","typ":"JWT"}'),
      underHeader('alg in lower case', '{"alg":"hs256","typ":"JWT"}'),
      underHeader('alg with a blank behind', '{"alg":"HS256 ","typ":"JWT"}'),
      underHeader('alg with NUL behind', '{"alg":"HS256\\u0000","typ":"JWT"}'),
      underHeader('alg with another name in front', '{"alg":"none,HS256","typ":"JWT"}'),
    ]),
  },
  {
    id: 'A5-signature-bytes',
    group: 'A',
    title: 'refuses a signature that is empty, of another length or wrong by one bit',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: 'Comparisons that stop at the shorter text accept a short or empty signature; constant-time comparisons throw on another length.',
    fix: 'Decode, check that there are 32 bytes, then compare all of them in constant time.',
    trials: onTokens([
      withSignature('empty', () => ''),
      withSignature('one byte', (bytes) => encode(bytes.subarray(0, 1))),
      withSignature('its first 31 bytes', (bytes) => encode(bytes.subarray(0, 31))),
      withSignature('a byte more', (bytes) => encode(Buffer.concat([bytes, Buffer.alloc(1)]))),
      withSignature('twice', (bytes) => encode(Buffer.concat([bytes, bytes]))),
      withSignature('zeros', () => encode(Buffer.alloc(32))),
      withSignature('ones', () => encode(Buffer.alloc(32, 0xff))),
      withSignature('one bit wrong', oneBitWrong),
      withSignature('its bytes in hex', (bytes) => bytes.toString('hex')),
      forged('the genuine one less its last character', ({ whole }) => whole.slice(0, -1)),
    ]),
  },
  {
    id: 'A6-parts-swapped',
    group: 'A',
    title: 'refuses a genuine signature over another header or payload',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: 'Whoever has seen one genuine token could change its content and keep its signature.',
    fix: 'Verify the signature over the first two parts exactly as they came, before reading them.',
    trials: onTokens([
      forged('another header', (token) => `${encode('{"alg":"HS256"}')}.${token.payload}.${token.signature}`),
      forged('a member more in the payload', ({ header, payloadJson, signature }) =>
        [header, encode(payloadJson.replace('{', '{"role":"admin",')), signature].join('.'),
      ),
      forged('a blank more in the payload', ({ header, payloadJson, signature }) =>
        [header, encode(`${payloadJson} `), signature].join('.'),
      ),
      forged('the signature of another genuine token', ({ header, payload, payloadJson, secret }) => {
        const [, , other = ''] = signParts(header, encode(`${payloadJson}\n`), secret).split('.');
        return `${header}.${payload}.${other}`;
      }),
    ]),
  },
  {
    id: 'A7-guessable-key',
    group: 'A',
    title: 'refuses a token signed with an empty, published or guessable secret',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: 'A secret that is unset, or still the sample of a manual, is known to everybody.',
    fix: 'Refuse to start without a secret, and create one with 32 random bytes for each endpoint.',
    source: 'https://www.rfc-editor.org/rfc/rfc7518#section-3.2',
    trials: (at) => (proofKindOf(at) === 'token' ? guessedKeys(at) : []),
  },
];

function signedByOwnKey({ payload }: Token): string {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const input = `${encode('{"alg":"ES256","typ":"JWT"}')}.${payload}`;
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

function strongerHashes({ accepts }: EndpointUnderTest) {
  const underOwnName = [
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
  ].map(([alg = '', hash = '']) => ({ alg, hash }));
  return [
    ...underOwnName
      .filter(({ alg }) => !accepts.has(`alg=${alg}`))
      .map(({ alg, hash }) =>
        forged(`${alg} with the right secret`, ({ payload, secret }) =>
          signParts(encode(`{"alg":"${alg}","typ":"JWT"}`), payload, secret, hash),
        ),
      ),
    forged('an HMAC-SHA-512 that is called HS256', ({ header, payload, secret }) =>
      signParts(header, payload, secret, 'sha512'),
    ),
    forged('an HMAC-SHA-512 cut to 32 bytes that is called HS256', ({ header, payload, secret }) => {
      const whole = createHmac('sha512', secret).update(`${header}.${payload}`).digest();
      return `${header}.${payload}.${encode(whole.subarray(0, 32))}`;
    }),
  ];
}

function withSignature(name: string, respell: (bytes: Buffer) => string) {
  return forged(
    `a signature: ${name}`,
    ({ header, payload, signature }) =>
      `${header}.${payload}.${respell(Buffer.from(signature, 'base64url'))}`,
  );
}

function oneBitWrong(bytes: Buffer): string {
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(31) ^ 1, 31);
  return encode(changed);
}

/** The samples of the senders' manuals, of jwt.io and of our own witnesses, and what lies at hand. */
const PUBLISHED = [
  ['the word secret', 'secret'],
  ["the sample of risr's documentation", 'signature_secret'],
  ['the sample of a data sheet', 'c2FtcGxlLWhtYWMtc2VjcmV0LWZvci10ZXN0cy1vbmx5'],
  ['the sample of jwt.io', 'your-256-bit-secret'],
  ['the word undefined', 'undefined'],
  ['the word changeme', 'changeme'],
] as const;

function guessedKeys(at: EndpointUnderTest) {
  const { source, type, url, credential } = at;
  const guesses: readonly (readonly [name: string, key: string | Buffer])[] = [
    ['nothing', ''],
    ['32 zero bytes', Buffer.alloc(32)],
    ...PUBLISHED,
    ["the sender's name", source.name],
    ["the event's name", type],
    ['the path of the endpoint', url.pathname],
    // A sender of JWTs may be configured to mean base64; the other documents that it never does.
    ...(isTokenBody(at)
      ? [['the secret decoded from base64', Buffer.from(credential.text, 'base64')] as const]
      : []),
  ];
  return guesses
    .filter(([, key]) => key !== credential.text)
    .map(([name, key]) =>
      forged(`signed with ${name}`, ({ header, payload }) => signParts(header, payload, key)),
    );
}
