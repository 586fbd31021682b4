import { createHmac, generateKeyPairSync, hash, sign as signWithPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RejectionCode } from '../../src/kit/errors.ts';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import {
  expectAccepted,
  expectDiscreetLog,
  expectRefused,
  genuine,
  startTarget,
  type Sender,
  type Target,
} from './support.ts';
import { encode, signParts, tokenIn, withToken, type Token } from './token.ts';

/** A place that a token travels in, and how a foreign text is put there instead. */
interface Carrier extends Sender {
  /** As it stands in that place for the text to arrive as it is. */
  spell(token: string): string;
  /** It takes only what looks like a token for one; everything else is no proof at all. */
  readonly byShape?: true;
  /** Node itself refuses control characters in it, and more than 32 KB. */
  readonly inHead?: true;
}

const verbatim = (token: string) => token;
const inJson = (token: string) => JSON.stringify(token).slice(1, -1);

function hotdocsCarrier(type: string, carrier: string, verb: string): Sender {
  return { source: hotdocs, type, path: `/hotdocs/${type}`, switches: { carrier, verb } };
}

const carriers: readonly [name: string, carrier: Carrier][] = [
  [
    'HotDocs, form',
    { ...hotdocsCarrier('NewWorkItemVersionComplete', 'form', 'POST'), spell: encodeURIComponent },
  ],
  [
    'HotDocs, query',
    { ...hotdocsCarrier('InterviewLoadEvent', 'query', 'GET'), spell: encodeURIComponent, inHead: true },
  ],
  [
    'HotDocs, header',
    {
      ...hotdocsCarrier('CustomInterviewEvent', 'header', 'POST'),
      spell: verbatim,
      byShape: true,
      inHead: true,
    },
  ],
  ['HotDocs, JSON', { ...hotdocsCarrier('PostProcessingEvent', 'json', 'POST'), spell: inJson }],
  ['HotDocs, multipart', { ...hotdocsCarrier('ActionLink', 'multipart', 'POST'), spell: verbatim }],
  [
    'HotDocs, body',
    { ...hotdocsCarrier('NewWorkItemVersionComplete', 'body', 'PUT'), spell: verbatim, byShape: true },
  ],
  ['risr, body', { source: risr, type: 'profile_updated', path: '/risr/profile_updated', spell: verbatim }],
];

/** What an attacker makes of a genuine token, and for what cause it is refused. */
type Attack = readonly [name: string, forge: (token: Token) => string, code: RejectionCode];

/** The genuine payload under another header, rightly signed. */
function underHeader(header: string | Buffer) {
  return ({ payload, secret }: Token) => signParts(encode(header), payload, secret);
}

/** The genuine header over another payload, rightly signed. */
function overPayload(payload: string | Buffer) {
  return ({ header, secret }: Token) => signParts(header, encode(payload), secret);
}

/** The genuine token with another third part. */
function withSignature(signature: string | ((token: Token) => string)) {
  return (token: Token) =>
    `${token.header}.${token.payload}.${typeof signature === 'string' ? signature : signature(token)}`;
}

/** Genuine but for the key. */
function signedWith(key: string | Buffer | ((token: Token) => string | Buffer)) {
  return (token: Token) =>
    signParts(token.header, token.payload, typeof key === 'function' ? key(token) : key);
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');

/** A signature that is right for a key of the attacker's own. */
function asymmetric(algorithm: 'RS256' | 'ES256' | 'EdDSA') {
  const key = { RS256: rsa, ES256: ec, EdDSA: ed }[algorithm].privateKey;
  return ({ payload }: Token) => {
    const input = `${encode(`{"alg":"${algorithm}","typ":"JWT"}`)}.${payload}`;
    const digest = algorithm === 'EdDSA' ? null : 'sha256';
    const signature = signWithPrivateKey(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
    return `${input}.${signature.toString('base64url')}`;
  };
}

/** Attacks that are all refused for one cause. */
function forgedBy(
  code: RejectionCode,
  attacks: readonly (readonly [name: string, forge: (token: Token) => string])[],
): Attack[] {
  return attacks.map(([name, forge]) => [name, forge, code]);
}

const SPELLINGS_OF_NONE = ['none', 'None', 'NONE', 'nOnE'];

const A1: Attack[] = SPELLINGS_OF_NONE.flatMap((none): Attack[] => {
  const header = encode(`{"alg":"${none}","typ":"JWT"}`);
  return [
    [`alg ${none}, empty third part`, ({ payload }) => `${header}.${payload}.`, 'proof_header_refused'],
    [`alg ${none}, no third part`, ({ payload }) => `${header}.${payload}`, 'proof_malformed'],
    [
      `alg ${none}, random third part`,
      ({ payload }) => `${header}.${payload}.${hash('sha256', 'random', 'base64url')}`,
      'proof_header_refused',
    ],
    [
      `alg ${none}, the genuine third part`,
      ({ payload, signature }) => `${header}.${payload}.${signature}`,
      'proof_header_refused',
    ],
    [
      `alg ${none}, rightly signed`,
      ({ payload, secret }) => signParts(header, payload, secret),
      'proof_header_refused',
    ],
  ];
});

const A2: Attack[] = [
  ...['RS256', 'ES256', 'PS256', 'EdDSA', 'RS512', 'A256KW', 'dir'].map((algorithm): Attack => [
    `alg ${algorithm} over an HMAC of the right secret`,
    underHeader(`{"alg":"${algorithm}","typ":"JWT"}`),
    'proof_header_refused',
  ]),
  ...(['RS256', 'ES256', 'EdDSA'] as const).map((algorithm): Attack => [
    `alg ${algorithm}, rightly signed with a key of the attacker's`,
    asymmetric(algorithm),
    'proof_header_refused',
  ]),
  [
    'an RSA public key in PEM as HMAC secret',
    signedWith(rsa.publicKey.export({ type: 'spki', format: 'pem' })),
    'proof_mismatch',
  ],
  [
    'an EC public key in DER as HMAC secret',
    signedWith(ec.publicKey.export({ type: 'spki', format: 'der' })),
    'proof_mismatch',
  ],
  [
    'a public JWK as HMAC secret',
    signedWith(JSON.stringify(ed.publicKey.export({ format: 'jwk' }))),
    'proof_mismatch',
  ],
];

const A3: Attack[] = [
  [
    'HS384 with the right secret',
    ({ payload, secret }) => signParts(encode('{"alg":"HS384","typ":"JWT"}'), payload, secret, 'sha384'),
    'proof_header_refused',
  ],
  [
    'HS512 with the right secret',
    ({ payload, secret }) => signParts(encode('{"alg":"HS512","typ":"JWT"}'), payload, secret, 'sha512'),
    'proof_header_refused',
  ],
  [
    'an HMAC-SHA-512 that is called HS256',
    ({ header, payload, secret }) => signParts(header, payload, secret, 'sha512'),
    'proof_malformed',
  ],
  [
    'an HMAC-SHA-512 cut to 32 bytes that is called HS256',
    ({ header, payload, secret }) => {
      const whole = createHmac('sha512', secret).update(`${header}.${payload}`).digest();
      return `${header}.${payload}.${whole.subarray(0, 32).toString('base64url')}`;
    },
    'proof_mismatch',
  ],
];

const A4: Attack[] = [
  ['no alg', '{"typ":"JWT"}'],
  ['an empty header object', '{}'],
  ['alg null', '{"alg":null,"typ":"JWT"}'],
  ['alg as a number', '{"alg":256,"typ":"JWT"}'],
  ['alg as a list', '{"alg":["HS256"],"typ":"JWT"}'],
  ['alg as an object', '{"alg":{"HS256":true},"typ":"JWT"}'],
  ['alg true', '{"alg":true,"typ":"JWT"}'],
  ['alg empty', '{"alg":"","typ":"JWT"}'],
  ['alg in lower case', '{"alg":"hs256","typ":"JWT"}'],
  ['alg with a blank behind', '{"alg":"HS256 ","typ":"JWT"}'],
  ['alg with a blank before', '{"alg":" HS256","typ":"JWT"}'],
  ['alg with NUL behind', '{"alg":"HS256\\u0000","typ":"JWT"}'],
  ['alg with another name in front', '{"alg":"none,HS256","typ":"JWT"}'],
  ['alg under its name in capitals', '{"ALG":"HS256","typ":"JWT"}'],
].map(([name = '', header = '']): Attack => [name, underHeader(header), 'proof_header_refused']);

const A5: Attack[] = [
  ['an empty signature', withSignature(''), 'proof_malformed'],
  ['a signature of one byte', withSignature(encode(Buffer.alloc(1, 7))), 'proof_malformed'],
  ['a signature of 31 bytes', withSignature(encode(Buffer.alloc(31, 7))), 'proof_malformed'],
  ['a signature of 33 bytes', withSignature(encode(Buffer.alloc(33, 7))), 'proof_malformed'],
  ['its signature cut by a character', ({ whole }) => whole.slice(0, -1), 'proof_malformed'],
  [
    'its signature cut by a byte',
    withSignature(({ signature }) => encode(Buffer.from(signature, 'base64url').subarray(0, 31))),
    'proof_malformed',
  ],
  [
    'its signature and a byte more',
    withSignature(({ signature }) =>
      encode(Buffer.concat([Buffer.from(signature, 'base64url'), Buffer.alloc(1)])),
    ),
    'proof_malformed',
  ],
  ['its signature twice', withSignature(({ signature }) => signature + signature), 'proof_malformed'],
  ['a signature of zeros', withSignature('A'.repeat(43)), 'proof_mismatch'],
  ['a signature of ones', withSignature(encode(Buffer.alloc(32, 0xff))), 'proof_mismatch'],
  [
    'a signature of which one bit is wrong',
    withSignature(({ signature }) => {
      const bytes = Buffer.from(signature, 'base64url');
      bytes.writeUInt8(bytes.readUInt8(31) ^ 1, 31);
      return encode(bytes);
    }),
    'proof_mismatch',
  ],
  [
    'its signature in hex',
    withSignature(({ signature }) => Buffer.from(signature, 'base64url').toString('hex')),
    'proof_malformed',
  ],
];

const A6: Attack[] = [
  [
    'another header over a genuine signature',
    ({ payload, signature }) => `${encode('{"alg":"HS256"}')}.${payload}.${signature}`,
    'proof_mismatch',
  ],
  [
    'another payload over a genuine signature',
    ({ header, payloadJson, signature }) =>
      `${header}.${encode(payloadJson.replace('{', '{"role":"admin",'))}.${signature}`,
    'proof_mismatch',
  ],
  [
    'a blank more in the payload',
    ({ header, payloadJson, signature }) => `${header}.${encode(`${payloadJson} `)}.${signature}`,
    'proof_mismatch',
  ],
  [
    'the signature of another genuine token',
    ({ header, payload, payloadJson, secret }) =>
      `${header}.${payload}.${signParts(header, encode(`${payloadJson}\n`), secret).split('.')[2] ?? ''}`,
    'proof_mismatch',
  ],
  [
    'a payload and a header in each other’s places',
    ({ header, secret }) => signParts(encode('{"id":"usr-1"}'), header, secret),
    'proof_header_refused',
  ],
  [
    'the first dot moved by four characters',
    ({ header, payload, signature }) => `${header}${payload.slice(0, 4)}.${payload.slice(4)}.${signature}`,
    'proof_malformed',
  ],
];

const A7: Attack[] = forgedBy('proof_mismatch', [
  ['signed with an empty key', signedWith('')],
  ['signed with a key of 32 zero bytes', signedWith(Buffer.alloc(32))],
  ['signed with the key "secret"', signedWith('secret')],
  ["signed with the sample key of risr's documentation", signedWith('signature_secret')],
  [
    "signed with the sample key of the sender's data sheet",
    signedWith('c2FtcGxlLWhtYWMtc2VjcmV0LWZvci10ZXN0cy1vbmx5'),
  ],
  ['signed with the sample key of jwt.io', signedWith('your-256-bit-secret')],
  ["signed with the sender's name as key", signedWith(({ path }) => path.split('/')[1] ?? '')],
  ["signed with the event's name as key", signedWith(({ path }) => path.split('/')[2] ?? '')],
  ["signed with the endpoint's path as key", signedWith(({ path }) => path)],
  ['signed with the right key with a line end', signedWith(({ secret }) => `${secret}\n`)],
  ['signed with the right key in capitals', signedWith(({ secret }) => secret.toUpperCase())],
  [
    'signed with the right key decoded from base64',
    signedWith(({ secret }) => Buffer.from(secret, 'base64')),
  ],
  ['signed with the right key decoded from hex', signedWith(({ secret }) => Buffer.from(secret, 'hex'))],
  ['signed with the word undefined as key', signedWith('undefined')],
]);

const A9: Attack[] = [
  ['a path', '"../../../../dev/null"'],
  ['an absolute path', '"/etc/hostname"'],
  ['SQL', '"\' UNION SELECT \'key"'],
  ['a URL', '"https://attacker.example/key"'],
  ['a shell command', '"$(id)"'],
  ['an empty text', '""'],
  ['a blank', '" "'],
  ['a text with NUL', '"key\\u0000"'],
  ['an object', '{"toString":"key"}'],
  ['a list', '["key"]'],
  ['a number', '7'],
  ['null', 'null'],
  ['true', 'true'],
  ['__proto__ in a path', '"__proto__/key"'],
  ['a text of 129 characters', `"${'k'.repeat(129)}"`],
].map(([name = '', kid = '']): Attack => [
  `kid: ${name}`,
  underHeader(`{"alg":"HS256","kid":${kid}}`),
  'proof_header_refused',
]);

const A9Malformed: Attack[] = [
  ['kid twice', underHeader('{"alg":"HS256","kid":"a","kid":"b"}'), 'proof_malformed'],
  ['kid of 100 kB', underHeader(`{"alg":"HS256","kid":"${'k'.repeat(100_000)}"}`), 'proof_malformed'],
];

/** `trap` is the address of the attacker's own host. */
const A10 = (trap: string): Attack[] =>
  [
    ['jku', `"${trap}/keys.json"`],
    ['x5u', `"${trap}/certificate.pem"`],
    ['jwk', JSON.stringify({ kty: 'oct', k: encode('a key of the attacker, 32 bytes!') })],
    ['jwk', JSON.stringify(ec.publicKey.export({ format: 'jwk' }))],
    ['x5c', '["MIIBszCCAVmgAwIBAgIUAttacker"]'],
    ['x5t', '"dGh1bWJwcmludA"'],
    ['x5t#S256', '"dGh1bWJwcmludA"'],
  ].map(([member = '', value = '']): Attack => [
    `${member} ${value.slice(0, 12)}…`,
    underHeader(`{"alg":"HS256","${member}":${value}}`),
    'proof_header_refused',
  ]);

const A10Keys: Attack[] = [
  [
    'jwk with the very key it is signed with',
    ({ payload }) => {
      const key = 'a key of the attacker, 32 bytes!';
      const jwk = JSON.stringify({ kty: 'oct', k: encode(key) });
      return signParts(encode(`{"alg":"HS256","jwk":${jwk}}`), payload, key);
    },
    'proof_header_refused',
  ],
];

const A11: Attack[] = [
  ['an unknown name', '"crit":["urn:attacker"],"urn:attacker":1'],
  ['an empty list', '"crit":[]'],
  ['not a list', '"crit":"alg"'],
  ['an object', '"crit":{"alg":1}'],
  ['null', '"crit":null'],
  ['a standard header', '"crit":["alg"]'],
  ['a header that is absent', '"crit":["exp"]'],
  ['a name twice', '"crit":["x","x"],"x":1'],
  ['a number', '"crit":[1]'],
].map(([name = '', members = '']): Attack => [
  `crit: ${name}`,
  underHeader(`{"alg":"HS256",${members}}`),
  'proof_header_refused',
]);

const UNENCODED = encode('{"alg":"HS256","b64":false,"crit":["b64"]}');

const A12: Attack[] = [
  [
    'b64 false with crit, payload unencoded',
    ({ payloadJson, secret }) => signParts(UNENCODED, payloadJson.replaceAll('.', ''), secret),
    'proof_header_refused',
  ],
  [
    'b64 false with crit, payload encoded',
    ({ payload, secret }) => signParts(UNENCODED, payload, secret),
    'proof_header_refused',
  ],
  [
    'b64 false with crit, a payload with dots',
    ({ secret }) => signParts(UNENCODED, '{"a":"b.c"}', secret),
    'proof_malformed',
  ],
  ['b64 false without crit', underHeader('{"alg":"HS256","b64":false}'), 'proof_header_refused'],
  ['b64 true', underHeader('{"alg":"HS256","b64":true}'), 'proof_header_refused'],
  ['b64 true with crit', underHeader('{"alg":"HS256","b64":true,"crit":["b64"]}'), 'proof_header_refused'],
];

const A13: Attack[] = [
  ['a detached payload', ({ header, signature }) => `${header}..${signature}`, 'proof_malformed'],
  [
    'the flattened JSON serialisation',
    ({ header, payload, signature }) => JSON.stringify({ protected: header, payload, signature }),
    'proof_malformed',
  ],
  [
    'the general JSON serialisation',
    ({ header, payload, signature }) =>
      JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
    'proof_malformed',
  ],
  [
    'two signatures, one of them genuine',
    ({ header, payload, signature }) =>
      JSON.stringify({
        payload,
        signatures: [
          { protected: encode('{"alg":"none"}'), signature: '' },
          { protected: header, signature },
        ],
      }),
    'proof_malformed',
  ],
  [
    'an encrypted token of five parts',
    ({ payload, signature }) =>
      `${encode('{"alg":"dir","enc":"A256GCM"}')}..${encode('initvector12')}.${payload}.${signature.slice(0, 22)}`,
    'proof_malformed',
  ],
  ['enc in the header', underHeader('{"alg":"HS256","enc":"A256GCM"}'), 'proof_header_refused'],
  [
    'a nested token',
    ({ whole, secret }) => signParts(encode('{"alg":"HS256","cty":"JWT"}'), encode(whole), secret),
    'proof_header_refused',
  ],
  [
    'a nested token that does not say so',
    ({ header, whole, secret }) => signParts(header, encode(whole), secret),
    'proof_malformed',
  ],
];

const A14: Attack[] = forgedBy('proof_malformed', [
  ['no dot', ({ header, payload, signature }) => header + payload + signature],
  ['the header alone', ({ header }) => header],
  ['two parts', ({ header, payload }) => `${header}.${payload}`],
  ['four parts', ({ whole, signature }) => `${whole}.${signature}`],
  ['five parts', ({ whole }) => `${whole}.AAAA.AAAA`],
  ['a hundred dots', ({ whole }) => whole + '.'.repeat(98)],
  ['nothing but dots', () => '..'],
  ['a leading dot', ({ whole }) => `.${whole}`],
  ['a trailing dot', ({ whole }) => `${whole}.`],
  ['two dots running', ({ header, payload, signature }) => `${header}.${payload}..${signature}`],
  ['an empty header', ({ payload, secret }) => signParts('', payload, secret)],
  ['an empty payload', ({ header, secret }) => signParts(header, '', secret)],
]);

const respellings: readonly [name: string, respell: (part: string) => string][] = [
  ['padding', (part) => `${part}=`],
  ['double padding', (part) => `${part}==`],
  ['a blank inside', (part) => `${part.slice(0, 4)} ${part.slice(4)}`],
  ['a line end inside', (part) => `${part.slice(0, 4)}\r\n${part.slice(4)}`],
  ['a tab inside', (part) => `${part.slice(0, 4)}\t${part.slice(4)}`],
  ['+ inside', (part) => `${part.slice(0, 4)}+${part.slice(4)}`],
  ['/ inside', (part) => `${part.slice(0, 4)}/${part.slice(4)}`],
  ['# inside', (part) => `${part.slice(0, 4)}#${part.slice(4)}`],
  ['? inside', (part) => `${part.slice(0, 4)}?${part.slice(4)}`],
  ['% behind', (part) => `${part}%3D`],
  ['NUL inside', (part) => `${part.slice(0, 4)}\0${part.slice(4)}`],
  ['a letter outside ASCII', (part) => `${part.slice(0, 4)}é${part.slice(4)}`],
  ['a byte order mark', (part) => `${part.slice(0, 4)}\uFEFF${part.slice(4)}`],
  ['unused bits or an impossible length', (part) => twinOf(part)],
];

/** Another spelling that a lenient decoder reads as the same bytes. */
function twinOf(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const bytes = Buffer.from(part, 'base64url');
  const twins = Array.from(alphabet, (last) => part.slice(0, -1) + last).filter(
    (twin) => twin !== part && Buffer.from(twin, 'base64url').equals(bytes),
  );
  return twins[0] ?? `${part}A`;
}

const A15: Attack[] = respellings.flatMap(([name, respell]): Attack[] => [
  [
    `${name} in the header, signed so`,
    ({ header, payload, secret }) => signParts(respell(header), payload, secret),
    'proof_malformed',
  ],
  [
    `${name} in the payload, signed so`,
    ({ header, payload, secret }) => signParts(header, respell(payload), secret),
    'proof_malformed',
  ],
  [
    `${name} in the payload, signed before`,
    ({ header, payload, signature }) => `${header}.${respell(payload)}.${signature}`,
    'proof_malformed',
  ],
  [`${name} in the signature`, withSignature(({ signature }) => respell(signature)), 'proof_malformed'],
]);

const A15OtherAlphabet: Attack[] = [
  [
    'a payload in the other base64 alphabet',
    ({ header, secret }) => {
      const payload = encode('{"user":"???>>>~~~"}').replaceAll('-', '+').replaceAll('_', '/');
      return signParts(header, payload, secret);
    },
    'proof_malformed',
  ],
];

const A16andA17: Attack[] = (
  [
    ['alg twice, none first', '{"alg":"none","alg":"HS256"}'],
    ['alg twice, none last', '{"alg":"HS256","alg":"none"}'],
    ['alg twice, one escaped', '{"\\u0061lg":"none","alg":"HS256"}'],
    ['typ twice', '{"alg":"HS256","typ":"at+jwt","typ":"JWT"}'],
    ['a list', '["HS256"]'],
    ['a string', '"HS256"'],
    ['a number', '256'],
    ['null', 'null'],
    ['true', 'true'],
    ['not JSON', 'alg=HS256'],
    ['JSON cut off', '{"alg":"HS256"'],
    ['JSON followed by JSON', '{"alg":"HS256"}{}'],
    ['JSON with a comment', '{"alg":"HS256"/**/}'],
    ['JSON with a trailing comma', '{"alg":"HS256",}'],
    [
      'in invalid UTF-8',
      Buffer.concat([Buffer.from('{"alg":"HS256","a":"'), Buffer.from([0xff, 0x22, 0x7d])]),
    ],
    ['in UTF-16', Buffer.from('{"alg":"HS256"}', 'utf16le')],
    ['with a byte order mark before', '\uFEFF{"alg":"HS256"}'],
    ['with a byte order mark inside', '{\uFEFF"alg":"HS256"}'],
    ['of 700 kB', `{"alg":"HS256","a":"${'x'.repeat(700_000)}"}`],
    ['deep', `{"alg":"HS256","a":${'['.repeat(200)}${']'.repeat(200)}}`],
    ['with __proto__', '{"alg":"HS256","__proto__":{"admin":true}}'],
    ['with alg in __proto__', '{"__proto__":{"alg":"HS256"}}'],
    ["with a constructor's prototype", '{"alg":"HS256","constructor":{"prototype":{"admin":true}}}'],
  ] as const
).map(([name, header]): Attack => [`a header ${name}`, underHeader(header), 'proof_malformed']);

const A18: Attack[] = [
  ['zip', underHeader('{"alg":"HS256","zip":"DEF"}'), 'proof_header_refused'],
  [
    'zip over a payload that is a bomb',
    ({ secret }) =>
      signParts(
        encode('{"alg":"HS256","zip":"DEF"}'),
        encode(deflateRawSync(Buffer.alloc(1_000_000, ' '))),
        secret,
      ),
    'proof_header_refused',
  ],
];

const A20: Attack[] = (
  [
    ['a list', '[{"id":1}]'],
    ['a string', '"id"'],
    ['a number', '1'],
    ['true', 'true'],
    ['null', 'null'],
    ['plain text', 'id=1'],
    ['JSON cut off', '{"id":'],
    ['a blank', ' '],
    ['two documents', '{}{}'],
    ['a byte order mark and JSON', '\uFEFF{"id":1}'],
    ['JSON in invalid UTF-8', Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d])],
  ] as const
).map(([name, payload]): Attack => [`a payload that is ${name}`, overPayload(payload), 'proof_malformed']);

const rows: readonly [row: string, attacks: readonly Attack[]][] = [
  ['A1', A1],
  ['A2', A2],
  ['A3', A3],
  ['A4', A4],
  ['A5', A5],
  ['A6', A6],
  ['A7', A7],
  ['A9', [...A9, ...A9Malformed]],
  ['A10', A10Keys],
  ['A11', A11],
  ['A12', A12],
  ['A13', A13],
  ['A14', A14],
  ['A15', [...A15, ...A15OtherAlphabet]],
  ['A16, A17', A16andA17],
  ['A18', A18],
  ['A20', A20],
];

let target: Target;
let trap: Server;
let visits = 0;

beforeAll(async () => {
  target = await startTarget();
  trap = createServer((socket) => {
    visits += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(trap, 'listening');
});

afterAll(async () => {
  expectDiscreetLog(target);
  trap.close();
  await target.receiver.stop();
});

describe.each(carriers)('%s', (_name, carrier) => {
  const cases = rows.flatMap(([row, attacks]) =>
    attacks.map(([name, forge, code]) => ({ row, name, forge, code })),
  );

  it.each(cases)('refuses a token with $name ($row)', async ({ forge, code }) => {
    await refuses(carrier, forge, code);
  });

  it('refuses a token that names keys of its own, and visits no address in it (A10)', async () => {
    const address = trap.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    for (const [, forge, code] of A10(`http://127.0.0.1:${port}`)) await refuses(carrier, forge, code);
    expect(visits).toBe(0);
  });

  it('accepts a kid that is a plain name, and looks nothing up by it (A9)', async () => {
    const request = await genuine(target, carrier);
    const token = tokenIn(target, request, carrier);
    await expectAccepted(
      target,
      withToken(request, token, underHeader('{"alg":"HS256","kid":"2031-03.north"}')(token)),
    );
  });

  it('accepts what node:crypto signs in the same way, so that the attacks fail for their own faults', async () => {
    const request = await genuine(target, carrier);
    const { whole, header, payload, secret } = tokenIn(target, request, carrier);
    expect(signParts(header, payload, secret)).toBe(whole);
    await expectAccepted(target, request);
  });
});

async function refuses(
  carrier: Carrier,
  forge: (token: Token) => string,
  code: RejectionCode,
): Promise<void> {
  await expectRefused(
    target,
    () => genuine(target, carrier),
    (request) => {
      const token = tokenIn(target, request, carrier);
      return withToken(request, token, carrier.spell(forge(token)));
    },
    ...causes(carrier, code),
  );
}

/** A place may give an attack away before its token is read. */
function causes({ byShape, inHead }: Carrier, code: RejectionCode): RejectionCode[] {
  return [
    code,
    ...(byShape === true ? ['proof_missing' as const] : []),
    ...(inHead === true ? ['request_malformed' as const, 'headers_too_large' as const] : []),
  ];
}
