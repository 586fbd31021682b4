import { generateKeyPairSync, sign } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import {
  forged,
  onTokens,
  overPayload,
  underHeader,
  type Forge,
} from '../../../src/lab/conformance/making/forged.ts';
import {
  encode,
  signParts,
  tokenIn,
  withToken,
  type Token,
} from '../../../src/lab/conformance/making/token.ts';
import type { Trial } from '../../../src/lab/conformance/rule.ts';
import { accepts, ANY, own, type Own } from './own.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');

/** A signature that is right for a key of the attacker's own. */
function asymmetric(algorithm: 'RS256' | 'ES256' | 'EdDSA') {
  const key = { RS256: rsa, ES256: ec, EdDSA: ed }[algorithm].privateKey;
  return forged(`alg ${algorithm}, rightly signed with a key of the attacker's`, ({ payload }) => {
    const input = `${encode(`{"alg":"${algorithm}","typ":"JWT"}`)}.${payload}`;
    const digest = algorithm === 'EdDSA' ? null : 'sha256';
    const signature = sign(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
    return `${input}.${signature.toString('base64url')}`;
  });
}

function signedWith(name: string, key: (token: Token) => string | Buffer): Trial {
  return forged(`signed with ${name}`, (token) => signParts(token.header, token.payload, key(token)));
}

/** The genuine payload under these headers, rightly signed. */
function under(headers: Readonly<Record<string, string | Buffer>>): Trial[] {
  return Object.entries(headers).map(([name, header]) => underHeader(name, header, ANY));
}

/** The same with these members besides alg. */
function besides(members: Readonly<Record<string, string>>): Trial[] {
  return Object.entries(members).map(([name, text]) => underHeader(name, `{"alg":"HS256",${text}}`, ANY));
}

const kids = {
  'a path': '"../../../../dev/null"',
  'an absolute path': '"/etc/hostname"',
  SQL: '"\' UNION SELECT \'key"',
  'a URL': '"https://attacker.example/key"',
  'a shell command': '"$(id)"',
  'an empty text': '""',
  'a blank': '" "',
  'an object': '{"toString":"key"}',
  true: 'true',
  '__proto__ in a path': '"__proto__/key"',
  'a text of 129 characters': `"${'k'.repeat(129)}"`,
};

/** Where a token travels in the head, 40 kB are too much and some signs are no HTTP. */
const IN_HEAD = {
  'hotdocs/query: * kB': 'headers_too_large',
  'hotdocs/header: * kB': 'headers_too_large',
} as const;

const respellings: readonly (readonly [name: string, respell: (part: string) => string])[] = [
  ['double padding', (part) => `${part}==`],
  ['a tab inside', (part) => `${part.slice(0, 4)}\t${part.slice(4)}`],
  ['a slash inside', (part) => `${part.slice(0, 4)}/${part.slice(4)}`],
  ['a question mark inside', (part) => `${part.slice(0, 4)}?${part.slice(4)}`],
  ['a percent escape behind', (part) => `${part}%3D`],
  ['NUL inside', (part) => `${part.slice(0, 4)}\0${part.slice(4)}`],
  ['a letter outside ASCII', (part) => `${part.slice(0, 4)}é${part.slice(4)}`],
  ['a byte order mark', (part) => `${part.slice(0, 4)}\uFEFF${part.slice(4)}`],
];

/** The rule tries these as well, but not everywhere in the token. */
const furtherRespellings: typeof respellings = [
  ['a line end inside', (part) => `${part.slice(0, 4)}\r\n${part.slice(4)}`],
  ['a plus sign inside', (part) => `${part.slice(0, 4)}+${part.slice(4)}`],
  ['a hash sign inside', (part) => `${part.slice(0, 4)}#${part.slice(4)}`],
  ['unused bits or an impossible length', twinOf],
];

const TRIED = /in the payload, signed before$|in the signature$/;

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Another spelling that a lenient decoder reads as the same bytes. */
function twinOf(part: string): string {
  const bytes = Buffer.from(part, 'base64url');
  const twins = Array.from(LETTERS, (last) => part.slice(0, -1) + last);
  return twins.find((twin) => twin !== part && Buffer.from(twin, 'base64url').equals(bytes)) ?? `${part}A`;
}

function respelled([name, respell]: (typeof respellings)[number]): Trial[] {
  const places: Readonly<Record<string, Forge>> = {
    'in the header, signed so': ({ header, payload, secret }) => signParts(respell(header), payload, secret),
    'in the header, signed before': ({ header, payload, signature }) =>
      `${respell(header)}.${payload}.${signature}`,
    'in the payload, signed so': ({ header, payload, secret }) => signParts(header, respell(payload), secret),
    'in the payload, signed before': ({ header, payload, signature }) =>
      `${header}.${respell(payload)}.${signature}`,
    'in the signature': ({ header, payload, signature }) => `${header}.${payload}.${respell(signature)}`,
  };
  return Object.entries(places).map(([place, forge]) => forged(`${name} ${place}`, forge, ANY));
}

function inOtherAlphabet({ header, secret }: Token): string {
  const payload = encode('{"user":"???>>>~~~"}').replaceAll('-', '+').replaceAll('_', '/');
  return signParts(header, payload, secret);
}

/** A payload that would be a megabyte, were it inflated. */
function inflated({ secret }: Token): string {
  const bomb = encode(deflateRawSync(Buffer.alloc(1_000_000, ' ')));
  return signParts(encode('{"alg":"HS256","zip":"DEF"}'), bomb, secret);
}

/** Group A, first part: what stands in a token. */
export const ownTokens: readonly Own[] = [
  own(
    'A1',
    'refuses a token without an algorithm, rightly signed',
    'proof_header_refused',
    onTokens(
      ['none', 'None', 'NONE', 'nOnE'].flatMap((none) => under({ [none]: `{"alg":"${none}","typ":"JWT"}` })),
    ),
  ),
  own(
    'A2',
    'refuses public keys, as such and as a secret',
    { '*: signed with *': 'proof_mismatch', '*': 'proof_header_refused' },
    onTokens([
      ...under({ RS512: '{"alg":"RS512","typ":"JWT"}', A256KW: '{"alg":"A256KW","typ":"JWT"}' }),
      ...(['RS256', 'EdDSA'] as const).map(asymmetric),
      signedWith('an RSA public key in PEM', () => rsa.publicKey.export({ type: 'spki', format: 'pem' })),
      signedWith('an EC public key in DER', () => ec.publicKey.export({ type: 'spki', format: 'der' })),
      signedWith('a public JWK', () => JSON.stringify(ed.publicKey.export({ format: 'jwk' }))),
    ]),
  ),
  own(
    'A4',
    'refuses further spellings of alg',
    'proof_header_refused',
    onTokens(
      under({
        'alg true': '{"alg":true,"typ":"JWT"}',
        'alg with a blank before': '{"alg":" HS256","typ":"JWT"}',
        'alg under its name in capitals': '{"ALG":"HS256","typ":"JWT"}',
      }),
    ),
  ),
  own(
    'A6',
    'refuses parts in other places',
    { '*: a payload and a header*': 'proof_header_refused', '*': 'proof_malformed' },
    onTokens([
      forged("a payload and a header in each other's places", ({ header, secret }) =>
        signParts(encode('{"id":"usr-1"}'), header, secret),
      ),
      forged(
        'the first dot moved by four characters',
        ({ header, payload, signature }) =>
          `${header}${payload.slice(0, 4)}.${payload.slice(4)}.${signature}`,
      ),
    ]),
  ),
  own(
    'A7',
    'refuses other readings of the right secret',
    'proof_mismatch',
    onTokens([
      signedWith('the right key with a line end', ({ secret }) => `${secret}\n`),
      signedWith('the right key in capitals', ({ secret }) => secret.toUpperCase()),
      signedWith('the right key decoded from base64', ({ secret }) => Buffer.from(secret, 'base64')),
      signedWith('the right key decoded from hex', ({ secret }) => Buffer.from(secret, 'hex')),
    ]),
  ),
  own(
    'A9',
    'refuses a kid that is no plain name, and looks nothing up by one that is',
    {
      '*: a plain name': 'done',
      '*: kid twice': 'proof_malformed',
      ...IN_HEAD,
      '*: kid of 100 kB': 'proof_malformed',
      '*': 'proof_header_refused',
    },
    onTokens([
      ...besides(Object.fromEntries(Object.entries(kids).map(([name, kid]) => [name, `"kid":${kid}`]))),
      ...besides({ 'kid twice': '"kid":"a","kid":"b"', 'kid of 100 kB': `"kid":"${'k'.repeat(100_000)}"` }),
      accepts('a plain name', (genuine, { endpoint }) => {
        const token = tokenIn(genuine, endpoint);
        const header = encode('{"alg":"HS256","kid":"2031-03.north"}');
        return withToken(genuine, token, signParts(header, token.payload, token.secret));
      }),
    ]),
  ),
  own(
    'A10',
    'refuses members that bring a key, rightly signed',
    'proof_header_refused',
    onTokens(
      besides({
        'jwk, symmetric': `"jwk":{"kty":"oct","k":"${encode('a key of the attacker, 32 bytes!')}"}`,
        'jwk, of a curve': `"jwk":${JSON.stringify(ec.publicKey.export({ format: 'jwk' }))}`,
        x5c: '"x5c":["MIIBszCCAVmgAwIBAgIUAttacker"]',
        x5t: '"x5t":"dGh1bWJwcmludA"',
        'x5t#S256': '"x5t#S256":"dGh1bWJwcmludA"',
      }),
    ),
  ),
  own(
    'A11',
    'refuses further shapes of crit',
    'proof_header_refused',
    onTokens(
      besides({
        'an object': '"crit":{"alg":1}',
        null: '"crit":null',
        'a name twice': '"crit":["x","x"],"x":1',
        'a number': '"crit":[1]',
      }),
    ),
  ),
  own(
    'A12',
    'refuses b64 whatever it says',
    { '*: a payload with dots': 'proof_malformed', '*': 'proof_header_refused' },
    onTokens([
      forged('a payload with dots', ({ secret }) =>
        signParts(encode('{"alg":"HS256","b64":false,"crit":["b64"]}'), '{"a":"b.c"}', secret),
      ),
      ...besides({ 'b64 true': '"b64":true', 'b64 true with crit': '"b64":true,"crit":["b64"]' }),
    ]),
  ),
  own(
    'A13',
    'refuses what says that it is encrypted or nested',
    'proof_header_refused',
    onTokens([
      ...besides({ 'enc in the header': '"enc":"A256GCM"' }),
      forged('a nested token', ({ whole, secret }) =>
        signParts(encode('{"alg":"HS256","cty":"JWT"}'), encode(whole), secret),
      ),
    ]),
  ),
  own(
    'A14',
    'refuses two dots running',
    'proof_malformed',
    onTokens([
      forged('two dots running', ({ header, payload, signature }) => `${header}.${payload}..${signature}`),
    ]),
  ),
  own(
    'A15',
    'accepts one spelling of each part',
    {
      'hotdocs/header: NUL*': 'request_malformed',
      'hotdocs/header: a line end*': 'request_malformed',
      '*': 'proof_malformed',
    },
    onTokens([
      ...respellings.flatMap(respelled),
      ...furtherRespellings.flatMap((one) => respelled(one).filter(({ name }) => !TRIED.test(name))),
      forged('a payload in the other base64 alphabet', inOtherAlphabet),
    ]),
  ),
  own(
    'A17',
    'refuses further headers that are no plain JSON object',
    { ...IN_HEAD, '*': 'proof_malformed' },
    onTokens(
      under({
        'alg twice, one escaped': '{"\\u0061lg":"none","alg":"HS256"}',
        'typ twice': '{"alg":"HS256","typ":"at+jwt","typ":"JWT"}',
        true: 'true',
        'JSON with a comment': '{"alg":"HS256"/**/}',
        'JSON with a trailing comma': '{"alg":"HS256",}',
        'a byte order mark inside': '{\uFEFF"alg":"HS256"}',
        '700 kB': `{"alg":"HS256","a":"${'x'.repeat(700_000)}"}`,
        deep: `{"alg":"HS256","a":${'['.repeat(200)}${']'.repeat(200)}}`,
        __proto__: '{"alg":"HS256","__proto__":{"admin":true}}',
        "a constructor's prototype": '{"alg":"HS256","constructor":{"prototype":{"admin":true}}}',
      }),
    ),
  ),
  own(
    'A18',
    'inflates no payload',
    'proof_header_refused',
    onTokens([forged('zip over a payload that is a bomb', inflated)]),
  ),
  own(
    'A20',
    'refuses further payloads that are no JSON object',
    'proof_malformed',
    onTokens([
      overPayload('true', 'true'),
      overPayload('a blank', ' '),
      overPayload('two documents', '{}{}'),
      overPayload('a byte order mark and JSON', '\uFEFF{"id":1}'),
      overPayload('a trailing comma', '{"id":1,}'),
      overPayload('a comment', '{"id":1/**/}'),
      overPayload('NaN', '{"id":NaN}'),
      overPayload('single quotes', "{'id':1}"),
      overPayload('leading zeros', '{"id":007}'),
      overPayload('hexadecimal', '{"id":0x10}'),
      overPayload('infinity', '{"id":Infinity}'),
      overPayload('XML', '<event><id>1</id></event>'),
      overPayload('bytes', Buffer.from([0, 1, 2, 0xfe, 0xff])),
    ]),
  ),
];
