import { createHmac } from 'node:crypto';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  ageLimit,
  signCompact,
  unsignedCompact,
  verifyCompact,
  type CompactRules,
} from '../../../src/kit/proofs/compact.ts';
import { importSecret } from '../../../src/kit/proofs/secrets.ts';
import { outcomeOf, refusalOf } from './outcome.ts';

const TEXT = 'a-secret-of-more-than-32-characters!';
const secret = await importSecret(TEXT);
const older = await importSecret('the-secret-before-the-last-rotation', 2);
const lenient: CompactRules = { claims: 'lenient', clockToleranceS: 300 };
const NOW_S = 1_900_000_000;
const strict: CompactRules = { claims: 'strict', clockToleranceS: 60, now: () => NOW_S * 1000 };

const PAYLOAD = '{"id":"usr-1"}';
const HEADER = '{"alg":"HS256","typ":"JWT"}';

const encode = (text: string | Buffer) => Buffer.from(text).toString('base64url');

/** Signs whatever it is given, with Node's own HMAC. */
function sign(
  header: string | Buffer,
  payload: string | Buffer = PAYLOAD,
  key: string = TEXT,
  hash = 'sha256',
) {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`;
}

/** Signs two parts as they are, however they are spelled. */
function signParts(header: string, payload: string) {
  const input = `${header}.${payload}`;
  return `${input}.${createHmac('sha256', TEXT).update(input).digest('base64url')}`;
}

const outcome = (token: string, rules = lenient) => outcomeOf(() => verifyCompact(token, [secret], rules));

it('accepts what its own sender signs, and gives the payload byte for byte', async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string()), async (payload) => {
      const content = Buffer.from(JSON.stringify(payload));
      const proven = await verifyCompact(await signCompact(content, secret), [secret], lenient);
      expect(proven).toEqual({
        ...{ content, secret: 1, encoding: 'utf8' },
        value: JSON.parse(content.toString()) as unknown,
      });
    }),
  );
});

it('signs the header exactly as it is written', async () => {
  const header = '{ "typ":"JWT",\r\n "alg":"HS256" }';
  expect(await signCompact(Buffer.from(PAYLOAD), secret, header)).toBe(sign(header));
});

it('says which live secret matched, trying all of them', async () => {
  const token = await signCompact(Buffer.from(PAYLOAD), older);
  expect(await verifyCompact(token, [secret, older], lenient)).toEqual({
    content: Buffer.from(PAYLOAD),
    secret: 2,
    encoding: 'utf8',
    value: JSON.parse(PAYLOAD) as unknown,
  });
});

it('refuses every token where there is no live secret', async () =>
  expect(await outcomeOf(() => verifyCompact(sign(HEADER), [], lenient))).toBe('proof_mismatch'));

// A1
it('refuses a token that says alg none, with an empty, a missing, a random and a right third part', async () => {
  const unsigned = unsignedCompact(Buffer.from(PAYLOAD));
  expect(unsigned.endsWith('.')).toBe(true);
  expect(await outcome(unsigned)).toBe('proof_header_refused');
  expect(await outcome(unsigned.slice(0, -1))).toBe('proof_malformed');
  expect(await outcome(`${unsigned}${'A'.repeat(43)}`)).toBe('proof_header_refused');
  for (const none of ['none', 'None', 'NONE', 'nOnE']) {
    expect(await outcome(sign(`{"alg":"${none}"}`))).toBe('proof_header_refused');
  }
});

// A2
it.each(['RS256', 'ES256', 'PS256', 'EdDSA', 'HS1', 'RS512', 'A256KW', 'dir'])(
  'refuses alg %s over an HMAC of the right secret',
  async (algorithm) => expect(await outcome(sign(`{"alg":"${algorithm}"}`))).toBe('proof_header_refused'),
);

// A2: the receiver's public key used as an HMAC secret
it('refuses a token signed with a text that is public', async () => {
  const publicKey =
    '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n';
  expect(await outcome(sign(HEADER, PAYLOAD, publicKey))).toBe('proof_mismatch');
});

// A3
it.each([
  ['HS384', 'sha384'],
  ['HS512', 'sha512'],
])('refuses %s with the right secret', async (algorithm, hash) =>
  expect(await outcome(sign(`{"alg":"${algorithm}"}`, PAYLOAD, TEXT, hash))).toBe('proof_header_refused'),
);

it('refuses a longer hash that is called HS256', async () =>
  expect(await outcome(sign(HEADER, PAYLOAD, TEXT, 'sha512'))).toBe('proof_malformed'));

// A4
it.each([
  '{}',
  '{"alg":null}',
  '{"alg":256}',
  '{"alg":["HS256"]}',
  '{"alg":"hs256"}',
  '{"alg":"HS256 "}',
  '{"alg":" HS256"}',
  '{"alg":true}',
  '{"ALG":"HS256"}',
])('refuses the header %s', async (header) =>
  expect(await outcome(sign(header))).toBe('proof_header_refused'),
);

// A5
it.each([
  ['empty', ''],
  ['one byte', 'AA'],
  ['31 bytes', encode(Buffer.alloc(31, 1))],
  ['33 bytes', encode(Buffer.alloc(33, 1))],
])('refuses a signature that is %s', async (_what, signature) => {
  const token = sign(HEADER).replace(/[^.]*$/, signature);
  expect(await outcome(token)).toBe('proof_malformed');
});

it('refuses a signature of zeros, and one cut short', async () => {
  const token = sign(HEADER);
  expect(await outcome(token.replace(/[^.]*$/, 'A'.repeat(43)))).toBe('proof_mismatch');
  expect(await outcome(token.slice(0, -1))).toBe('proof_malformed');
});

// A6
it('refuses a genuine signature over another header or another payload', async () => {
  const [header = '', payload = '', signature = ''] = sign(HEADER).split('.');
  expect(await outcome([encode('{"typ":"JWT","alg":"HS256"}'), payload, signature].join('.'))).toBe(
    'proof_mismatch',
  );
  expect(await outcome([header, encode('{"id":"usr-2"}'), signature].join('.'))).toBe('proof_mismatch');
});

// A7
it.each(['', 'secret', 'signature_secret', 'risr', 'your-256-bit-secret'])(
  'refuses a token signed with the guess "%s"',
  async (guess) => expect(await outcome(sign(HEADER, PAYLOAD, guess))).toBe('proof_mismatch'),
);

// A9
it.each([
  '"../../../../dev/null"',
  '"/etc/hostname"',
  '"$(id)"',
  '" "',
  '"__proto__/key"',
  '["key"]',
  'true',
  '"\' UNION SELECT \'a"',
  '"https://attacker.example/key"',
  '""',
  '"a\\u0000b"',
  '{"a":1}',
  '7',
  'null',
  `"${'k'.repeat(129)}"`,
])('refuses the kid %s', async (kid) =>
  expect(await outcome(sign(`{"alg":"HS256","kid":${kid}}`))).toBe('proof_header_refused'),
);

it('looks nothing up by a kid', async () => {
  expect(await outcome(sign('{"alg":"HS256","kid":"unheard-of"}'))).toBe('accepted');
  expect(await outcome(sign('{"alg":"HS256","kid":"a","kid":"b"}'))).toBe('proof_malformed');
});

it('refuses a kid of 100 kB before decoding it', async () =>
  expect(await outcome(sign(`{"alg":"HS256","kid":"${'k'.repeat(100_000)}"}`))).toBe('proof_malformed'));

// A10, A11, A12, A13, A18
it.each([
  '"jku":"https://attacker.example/keys"',
  '"x5u":"https://attacker.example/cert"',
  '"jwk":{"kty":"oct","k":"AA"}',
  '"jwk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}',
  '"x5c":["MIIB"]',
  '"x5t":"AA"',
  '"x5t#S256":"AA"',
  '"x5t\\u0023S256":"AA"',
  '"crit":["exp"],"exp":1',
  '"crit":[]',
  '"crit":"alg"',
  '"crit":{"alg":1}',
  '"crit":null',
  '"crit":[1]',
  '"crit":["x","x"],"x":1',
  '"crit":["alg"]',
  '"crit":["missing"]',
  '"crit":["b64"],"b64":false',
  '"crit":["b64"],"b64":true',
  '"b64":false',
  '"b64":true',
  '"zip":"DEF"',
  '"enc":"A256GCM"',
  '"cty":"JWT"',
])('refuses the header member %s over a right signature', async (members) =>
  expect(await outcome(sign(`{"alg":"HS256",${members}}`))).toBe('proof_header_refused'),
);

// A12
it('refuses an unencoded payload', async () =>
  expect(await outcome(signParts(encode('{"alg":"HS256","b64":false,"crit":["b64"]}'), PAYLOAD))).toBe(
    'proof_header_refused',
  ));

// A13, A14
it('refuses every other number and order of parts', async () => {
  const [header = '', payload = '', signature = ''] = sign(HEADER).split('.');
  const shapes = [
    '',
    '.',
    '..',
    'null',
    header,
    `${header}.${payload}`,
    `${header}..${signature}`,
    `.${payload}.${signature}`,
    `.${header}.${payload}.${signature}`,
    `${header}.${payload}.${signature}.`,
    `${header}.${payload}..${signature}`,
    `${header}${payload.slice(0, 4)}.${payload.slice(4)}.${signature}`,
    signParts(encode('{"alg":"HS256","b64":false,"crit":["b64"]}'), '{"a":"b.c"}'),
    `${header}.${payload}.${signature}.${signature}.${signature}`,
    '.'.repeat(1_000_000),
    `{"protected":"${header}","payload":"${payload}","signature":"${signature}"}`,
    `{"payload":"${payload}","signatures":[{"protected":"${header}","signature":"${signature}"}]}`,
  ];
  for (const shape of shapes) expect(await outcome(shape)).toBe('proof_malformed');
  expect(await outcome(signParts(payload, header))).toBe('proof_header_refused');
});

// A15: the kinds of spelling that Project Wycheproof's HMAC-SHA256 JWS vectors try, each over a right signature
it.each<[string, (part: string) => string]>([
  ['padding', (part) => `${part}=`],
  ['double padding', (part) => `${part}==`],
  ['a blank behind', (part) => `${part} `],
  ['a blank before', (part) => ` ${part}`],
  ['a blank inside', (part) => `${part.slice(0, 4)} ${part.slice(4)}`],
  ['a line end behind', (part) => `${part}\n`],
  ['a line end inside', (part) => `${part.slice(0, 4)}\r\n${part.slice(4)}`],
  ['a tab inside', (part) => `${part.slice(0, 4)}\t${part.slice(4)}`],
  ['+ inside', (part) => `${part.slice(0, 4)}+${part.slice(4)}`],
  ['/ inside', (part) => `${part.slice(0, 4)}/${part.slice(4)}`],
  ['? inside', (part) => `${part.slice(0, 4)}?${part.slice(4)}`],
  ['# inside', (part) => `${part.slice(0, 4)}#${part.slice(4)}`],
  ['? behind', (part) => `${part}?`],
  ['% behind', (part) => `${part}%3D`],
  ['NUL inside', (part) => `${part.slice(0, 4)}\0${part.slice(4)}`],
  ['a letter outside ASCII', (part) => `${part.slice(0, 4)}é${part.slice(4)}`],
  ['a look-alike outside Latin-1', (part) => `${part.slice(0, 4)}Ａ${part.slice(4)}`],
  ['a byte order mark', (part) => `\uFEFF${part}`],
])('refuses a part spelled with %s', async (_what, respell) => {
  const [header = '', payload = '', signature = ''] = sign(HEADER).split('.');
  const respelled = [
    signParts(respell(header), payload),
    signParts(header, respell(payload)),
    `${header}.${payload}.${respell(signature)}`,
    `${respell(header)}.${payload}.${signature}`,
    `${header}.${respell(payload)}.${signature}`,
  ];
  for (const token of respelled) expect(await outcome(token)).toBe('proof_malformed');
});

it('refuses every other spelling that a lenient decoder reads as the same signature', async () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const token = sign(HEADER);
  const bytes = (text: string) => Buffer.from(text.replace(/^.*\./, ''), 'base64url');
  const twins = Array.from(alphabet, (last) => token.slice(0, -1) + last).filter(
    (twin) => twin !== token && bytes(twin).equals(bytes(token)),
  );
  expect(twins).toHaveLength(3);
  for (const twin of twins) expect(await outcome(twin)).toBe('proof_malformed');
});

it('refuses unused bits and impossible lengths in header and payload', async () => {
  // {"alg":"HS256"} is 15 bytes and leaves no bits over; a blank more leaves four.
  const header = encode('{"alg":"HS256"} ');
  const payload = encode('{"a":1}');
  expect(await outcome(signParts(header, payload))).toBe('accepted');
  expect(await outcome(signParts(`${header.slice(0, -1)}B`, payload))).toBe('proof_malformed');
  expect(await outcome(signParts(header, `${payload.slice(0, -1)}R`))).toBe('proof_malformed');
  expect(await outcome(signParts(header, `${encode('{"a":12}x')}A`))).toBe('proof_malformed');
});

it('refuses the other base64 alphabet', async () => {
  const payload = '{"a":"???>>>~~~"}';
  const token = sign(HEADER, payload);
  const [header = '', part = ''] = token.split('.');
  const respelled = part.replaceAll('-', '+').replaceAll('_', '/');
  expect(respelled).not.toBe(part);
  expect(await outcome(token)).toBe('accepted');
  expect(await outcome(signParts(header, respelled))).toBe('proof_malformed');
});

// A16, A17
it.each<[string, string | Buffer]>([
  ['alg twice, none first', '{"alg":"none","alg":"HS256"}'],
  ['alg twice, none last', '{"alg":"HS256","alg":"none"}'],
  ['alg twice, once escaped', '{"alg":"HS256","\\u0061lg":"HS256"}'],
  ['typ twice', '{"alg":"HS256","typ":"at+jwt","typ":"JWT"}'],
  ['true', 'true'],
  ['a comment', '{"alg":"HS256"/**/}'],
  ['a trailing comma', '{"alg":"HS256",}'],
  ['a byte order mark inside', '{\uFEFF"alg":"HS256"}'],
  ["a constructor's prototype", '{"alg":"HS256","constructor":{"prototype":{"admin":true}}}'],
  ['an array', '["HS256"]'],
  ['a string', '"HS256"'],
  ['null', 'null'],
  ['not JSON', 'alg=HS256'],
  ['cut off', '{"alg":"HS256"'],
  ['followed by something', '{"alg":"HS256"}{}'],
  [
    'invalid UTF-8',
    Buffer.concat([Buffer.from('{"alg":"HS256","a":"'), Buffer.from([0xff]), Buffer.from('"}')]),
  ],
  ['a byte order mark', '\uFEFF{"alg":"HS256"}'],
  ['UTF-16', Buffer.from('{"alg":"HS256"}', 'utf16le')],
  ['deep', `{"alg":"HS256","a":${'['.repeat(200)}${']'.repeat(200)}}`],
  ['__proto__', '{"alg":"HS256","__proto__":{"alg":"HS256"}}'],
  ['alg in __proto__', '{"__proto__":{"alg":"HS256"}}'],
  ['1 MB', `{"alg":"HS256","a":"${'x'.repeat(1_000_000)}"}`],
])('refuses a header that is or has: %s', async (_what, header) =>
  expect(await outcome(sign(header))).toBe('proof_malformed'),
);

it('reads the header only once it is a plain object: members from elsewhere do not count', async () =>
  expect(await outcome(sign('{"typ":"JWT","constructor":{"alg":"HS256"}}'))).toBe('proof_header_refused'));

// A20
it.each<[string, string | Buffer]>([
  ['an array', '[{"id":1}]'],
  ['a string', '"id"'],
  ['a number', '1'],
  ['null', 'null'],
  ['true', 'true'],
  ['a blank', ' '],
  ['two documents', '{}{}'],
  ['a trailing comma', '{"id":1,}'],
  ['a comment', '{"id":1/**/}'],
  ['NaN', '{"id":NaN}'],
  ['single quotes', "{'id':1}"],
  ['leading zeros', '{"id":007}'],
  ['hexadecimal', '{"id":0x10}'],
  ['infinity', '{"id":Infinity}'],
  ['XML', '<event><id>1</id></event>'],
  ['bytes', Buffer.from([0, 1, 2, 0xfe, 0xff])],
  ['plain text', 'id=1'],
  ['a byte order mark and JSON', '\uFEFF{"id":1}'],
  ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d])],
])('refuses a payload that is %s, however well it is signed', async (_what, payload) =>
  expect(await outcome(sign(HEADER, payload))).toBe('proof_malformed'),
);

it('does not read the payload before the signature holds', async () =>
  expect(await outcome(sign(HEADER, 'not JSON', 'another secret'))).toBe('proof_mismatch'));

// A22
it.each(['at+jwt', 'dpop+jwt', 'application/at+jwt', 'JOSE', '', 'JWT '])(
  'refuses a genuine token of the type "%s"',
  async (typ) => {
    const token = sign(`{"alg":"HS256","typ":"${typ}"}`);
    expect(await outcome(token, { ...lenient, types: ['JWT'] })).toBe('proof_foreign');
    expect(await outcome(token)).toBe('accepted');
  },
);

it('takes the type in any letter case, or none', async () => {
  const rules = { ...lenient, types: ['JWT'] };
  expect(await outcome(sign('{"alg":"HS256","typ":"jwt"}'), rules)).toBe('accepted');
  expect(await outcome(sign('{"alg":"HS256"}'), rules)).toBe('accepted');
  for (const typ of ['["JWT"]', 'null', '1']) {
    expect(await outcome(sign(`{"alg":"HS256","typ":${typ}}`), rules)).toBe('proof_foreign');
  }
});

// A19
it.each([
  [{ exp: NOW_S + 1 }, 'accepted'],
  [{ exp: NOW_S - 59 }, 'accepted'],
  [{ exp: NOW_S - 60 }, 'proof_stale'],
  [{ exp: 0 }, 'proof_stale'],
  [{ nbf: NOW_S + 60 }, 'accepted'],
  [{ nbf: NOW_S + 61 }, 'proof_stale'],
  [{ iat: NOW_S + 60 }, 'accepted'],
  [{ iat: NOW_S + 61 }, 'proof_stale'],
  [{ iat: NOW_S - 1_000_000 }, 'accepted'],
  [{ exp: NOW_S + 0.5, iat: NOW_S - 0.5 }, 'accepted'],
])('strictly, with a tolerance of 60 s: %j: %s', async (claims, expected) =>
  expect(await outcome(sign(HEADER, JSON.stringify(claims)), strict)).toBe(expected),
);

it.each(['exp', 'nbf', 'iat'])('strictly, refuses a malformed %s', async (claim) => {
  for (const value of [
    '"1900000000"',
    '"2099-01-01T00:00:00Z"',
    '[1900000600]',
    'NaN',
    'null',
    'true',
    '[]',
    '{}',
    '-1',
    '1e308',
    '1e400',
    '253402300800',
    '1900000000000',
  ]) {
    expect(await outcome(sign(HEADER, `{"${claim}":${value}}`), strict)).toBe('proof_malformed');
  }
});

it.each([
  ['{"exp":1899999701}', 'accepted'],
  ['{"exp":1899999700}', 'proof_stale'],
  ['{"nbf":1900000300}', 'accepted'],
  ['{"nbf":1900000301}', 'proof_stale'],
  ['{"exp":"yesterday","nbf":null,"iat":{}}', 'accepted'],
  ['{"iat":2000000000}', 'accepted'],
  ['{"exp":253402300800}', 'proof_stale'],
  ['{"exp":1e308}', 'proof_stale'],
  ['{"exp":1e400}', 'proof_stale'],
  ['{"nbf":1e308}', 'proof_stale'],
  ['{"exp":NaN}', 'proof_malformed'],
  ['{"exp":-1}', 'proof_stale'],
  ['{"nbf":-1}', 'proof_stale'],
])('leniently, with a tolerance of 300 s: %s: %s', async (payload, expected) =>
  expect(await outcome(sign(HEADER, payload), { ...lenient, now: () => NOW_S * 1000 })).toBe(expected),
);

it('refuses a token that is older than the greatest age, or does not say how old it is', async () => {
  const rules = { ...strict, maxAgeS: 600, ageNeeded: true };
  const issued = (agoS: number) => sign(HEADER, JSON.stringify({ iat: NOW_S - agoS }));
  expect(await outcome(issued(660), rules)).toBe('accepted');
  expect(await outcome(issued(661), rules)).toBe('proof_stale');
  expect(await outcome(sign(HEADER), rules)).toBe('proof_stale');
});

it('limits the age where a token says it, and as an operator sets it', async () => {
  const verdict = (setting: number | 'usual', claims: object) =>
    outcome(sign(HEADER, JSON.stringify(claims)), { ...strict, ...ageLimit(setting) });
  expect(await verdict('usual', {})).toBe('accepted');
  expect(await verdict('usual', { iat: NOW_S - 360 })).toBe('accepted');
  expect(await verdict('usual', { iat: NOW_S - 361 })).toBe('proof_stale');
  expect(await verdict('usual', { nbf: NOW_S - 361 })).toBe('proof_stale');
  expect(await verdict('usual', { exp: NOW_S + 1 })).toBe('accepted');
  expect(await verdict(600, {})).toBe('proof_stale');
  expect(await verdict(600, { iat: NOW_S - 660 })).toBe('accepted');
  expect(await verdict(0, { iat: 0 })).toBe('accepted');
});

it('refuses a genuine token for somebody else', async () => {
  const rules = { ...strict, issuer: 'advance', audience: 'receiver' };
  const claims = (value: unknown) => sign(HEADER, JSON.stringify(value));
  expect(await outcome(claims({ iss: 'advance', aud: 'receiver' }), rules)).toBe('accepted');
  expect(await outcome(claims({ iss: 'advance', aud: ['other', 'receiver'] }), rules)).toBe('accepted');
  expect(await outcome(claims({ iss: 'other', aud: 'receiver' }), rules)).toBe('proof_foreign');
  expect(await outcome(claims({ iss: 'advance', aud: 'other' }), rules)).toBe('proof_foreign');
  expect(await outcome(claims({ iss: ['advance'], aud: 'receiver' }), rules)).toBe('proof_foreign');
  expect(await outcome(claims({ iss: 'advance' }), rules)).toBe('proof_foreign');
});

it('says in no refusal anything of token, secret or payload', async () => {
  const tokens = [
    sign('{"alg":"my-private-alg"}'),
    sign('{"alg":"HS256","my-private-name":1,"my-private-name":2}'),
    sign('{"alg":"HS256","kid":"my-private kid"}'),
    sign(HEADER, 'my-private text'),
    sign(HEADER, '["my-private item"]'),
    sign(HEADER, '{"exp":"my-private time"}'),
    sign('{"alg":"HS256","typ":"my-private type"}'),
    sign(HEADER, '{"a":"my-private value"}', 'another key'),
    `my-private.${sign(HEADER)}`,
    '"my-private"',
    'my-private',
  ];
  for (const token of tokens) {
    const refusal = await refusalOf(() =>
      verifyCompact(token, [secret], { ...strict, types: ['JWT'], issuer: 'advance' }),
    );
    const text = `${refusal.message} ${String(refusal.cause)}`;
    expect(text).not.toContain('my-private');
    expect(text).not.toContain(TEXT);
    for (const part of token.split('.')) if (part.length > 4) expect(text).not.toContain(part);
  }
});

it('holds against random changes of one character', async () => {
  const token = sign(HEADER);
  const change = fc.record({
    at: fc.nat(token.length - 1),
    character: fc.string({ minLength: 0, maxLength: 2 }),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ at, character }) => {
      const other = token.slice(0, at) + character + token.slice(at + 1);
      if (other !== token) expect(await outcome(other)).toMatch(/^proof_/);
    }),
  );
});

const wordsOn = async (token: string, secrets = [secret]) =>
  (await refusalOf(() => verifyCompact(token, secrets, lenient))).message;

it.each([
  ['{"alg":"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"}', 'SecurityAlgorithms.HmacSha256'],
  ['{"alg":"http://www.w3.org/2000/09/xmldsig#hmac-sha1"}', 'SecurityAlgorithms.HmacSha256'],
  ['{"alg":"RS256"}', 'identity provider or a gateway'],
  ['{"alg":"ES512"}', 'identity provider or a gateway'],
  ['{"alg":"hs256"}', 'in other letters'],
  ['{"alg":"HS512"}', 'HS512 came'],
  ['{"alg":7}', 'is no text'],
])('says what likely made the header %s', async (header, words) =>
  expect(await wordsOn(sign(header))).toContain(words),
);

it.each([
  ['a line end behind it', (token: string) => `${token}\r\n`, 'A line end or a blank stands behind it'],
  ['a blank behind it, as a form has it', (token: string) => `${token}+`, 'A line end or a blank'],
  ['padding', (token: string) => `${token}=`, 'padded with "="'],
  ['a quotation mark behind it', (token: string) => `${token}"`, 'A quotation mark stands behind it'],
  ['one letter more', (token: string) => `${token}a`, 'something written behind'],
  ['one letter less', (token: string) => token.slice(0, -1), 'cut off'],
  ['quotes', (token: string) => JSON.stringify(token), 'data=token and not json=token'],
  ['JSON', (token: string) => JSON.stringify({ token }), 'JSON came'],
  ['a list', (token: string) => JSON.stringify([token]), 'JSON came'],
  ['a form', (token: string) => `token=${token}`, 'a form came'],
  ['a scheme word', (token: string) => `Bearer ${token}`, 'belongs into an Authorization header'],
  ['a byte order mark', (token: string) => `\ufeff${token}`, 'behind a byte order mark'],
  ['UTF-16', (token: string) => Buffer.from(token, 'utf16le').toString('latin1'), 'UTF-16'],
  ['a page', () => '<!doctype html><p>a.b.c', 'a page'],
])('says what likely stands around or instead of a token: %s', async (_, change, words) => {
  const message = await wordsOn(change(sign(HEADER)));
  expect(message).toContain(words);
  expect(message).not.toContain(encode(PAYLOAD));
});

it('counts live secrets as people do', async () => {
  const forged = sign(HEADER, PAYLOAD, 'another-secret-of-32-characters!!');
  const other = await importSecret(Buffer.from(TEXT).toString('base64'), 1, 'base64');
  expect(await wordsOn(forged)).toContain('not signed with the secret of this endpoint.');
  // One secret, read in two encodings.
  expect(await wordsOn(forged, [secret, other])).toContain('not signed with the secret of this endpoint.');
  expect(await wordsOn(forged, [secret, older])).toContain('any of the 2 live secrets of this endpoint.');
});

it('says whose a token likely is that names a key', async () => {
  const forged = sign('{"alg":"HS256","kid":"2031-a"}', PAYLOAD, 'another-secret-of-32-characters!!');
  expect(await wordsOn(forged)).toContain('identity providers and gateways');
});
