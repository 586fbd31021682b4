import {
  around,
  mac,
  onSignatures,
  respelled,
  signed,
  type Signature,
} from '../../../src/lab/conformance/making/signature.ts';
import { withHeaders } from '../../../src/lab/conformance/making/edit.ts';
import type { Trial } from '../../../src/lab/conformance/rule.ts';
import { answered } from '../../../src/lab/conformance/trials.ts';
import type { Header, WireRequest } from '../../../src/lab/conformance/wire.ts';
import { NORTH_SECRET, OLDER_SECRET } from '../houses.ts';
import { ANY, at, own, refuses, type Own } from './own.ts';

type Spell = (signature: Signature) => string | readonly string[] | undefined;

/** Texts in place of the signature, or several of them. */
function spelled(spells: Readonly<Record<string, Spell>>): Trial[] {
  return Object.entries(spells).map(([name, spell]) => respelled(name, spell, ANY));
}

const hex = (bytes: Buffer) => bytes.toString('hex');
const base64 = (bytes: Buffer) => bytes.toString('base64');
const base64url = (bytes: Buffer) => bytes.toString('base64url');

/** Other texts that a lenient decoder reads as the same bytes, in four spellings. */
const twins = (
  [
    ['base64', (bytes) => base64(bytes).slice(0, 43), ''],
    ['base64 with padding', (bytes) => base64(bytes).slice(0, 43), '='],
    ['base64url', base64url, ''],
    ['base64url with padding', base64url, '='],
  ] as const satisfies readonly (readonly [string, (bytes: Buffer) => string, string])[]
).flatMap(([name, spell, end]) =>
  [0, 1, 2].flatMap((which) =>
    spelled({
      [`twin ${which} of its last character in ${name}`]: ({ bytes }) =>
        `${twinsOf(spell(bytes), name)[which] ?? ''}${end}`,
    }),
  ),
);

function twinsOf(text: string, name: string): string[] {
  const signs = name.startsWith('base64url') ? '-_' : '+/';
  const alphabet = `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789${signs}`;
  return Array.from(alphabet, (last) => text.slice(0, -1) + last).filter(
    (twin) => twin !== text && Buffer.from(twin, 'base64').equals(Buffer.from(text, 'base64')),
  );
}

/** A text with signs of both alphabets, or none where the signature has no such signs. */
function mixed(sign: string, by: string): Spell {
  return ({ bytes }) => {
    const text = base64(bytes);
    return text.includes('+') && text.includes('/') ? text.replaceAll(sign, by) : undefined;
  };
}

// One choice of the sheet after the other: the vendor says neither encoding nor prefix.
const fine: Readonly<Record<string, (bytes: Buffer) => string>> = {
  'hex in capitals': (bytes) => hex(bytes).toUpperCase(),
  'hex in both cases': (bytes) => hex(bytes).replace(/[a-f]/, (digit) => digit.toUpperCase()),
  base64,
  'base64 without padding': (bytes) => base64(bytes).replace('=', ''),
  base64url,
  'base64url with padding': (bytes) => `${base64url(bytes)}=`,
  'sha256= before hex': (bytes) => `sha256=${hex(bytes)}`,
  'SHA256= before hex': (bytes) => `SHA256=${hex(bytes)}`,
  'sha-256: before base64': (bytes) => `sha-256:${base64(bytes)}`,
  'hmac-sha256= before base64url': (bytes) => `hmac-sha256=${base64url(bytes)}`,
  'blanks around': (bytes) => ` \t${hex(bytes)} \t`,
};

/** The genuine request with another signature header, accepted. */
function accepted(name: string, change: (genuine: WireRequest, body: Buffer) => WireRequest): Trial {
  return answered(`fine: ${name}`, (genuine) => change(genuine, genuine.body), [200]);
}

function withSignature(genuine: WireRequest, ...headers: readonly Header[]): WireRequest {
  const others = genuine.headers.filter(([name]) => name.toLowerCase() !== 'x-signature');
  return { ...genuine, headers: [...others, ...headers] };
}

function bytesIn(genuine: WireRequest): Buffer {
  const [, value = ''] = genuine.headers.find(([name]) => name.toLowerCase() === 'x-signature') ?? [];
  return Buffer.from(value, 'hex');
}

const WRONG = '0'.repeat(64);

const several: Readonly<Record<string, (right: string) => readonly string[]>> = {
  'two headers, the second empty': (right) => [right, ''],
  'two headers in two spellings': (right) => [right, right.toUpperCase()],
  'eight headers': (right) => [...Array<string>(7).fill(WRONG), right],
  'a list with commas, both right': (right) => [`${right},${right}`],
  'a comma behind': (right) => [`${right},`],
  'a list with semicolons': (right) => [`${WRONG};${right}`],
  'a list of versions': (right) => [`v1,${WRONG} v1,${right}`],
  'a list of 400': (right) => [`${`${WRONG},`.repeat(400)}${right}`],
  'a list of 5,000': (right) => [`${`${WRONG},`.repeat(5_000)}${right}`],
};

function named(name: string, label: string): Trial {
  return around(
    `under the name ${label}`,
    (request, signature) => withHeaders(signed(request, signature), [name, hex(signature.bytes)]),
    ANY,
  );
}

function over(contents: Readonly<Record<string, (signature: Signature) => Buffer>>): Trial[] {
  return spelled(
    Object.fromEntries(
      Object.entries(contents).map(([name, sign]): [string, Spell] => [
        name,
        (signature) => hex(sign(signature)),
      ]),
    ),
  );
}

const PATH = '/phenixid';

const otherContents = over({
  'the body and its query': ({ body, secret }) => mac(`${body.toString()}?key=`, secret),
  'path and body': ({ body, secret }) => mac(`${PATH}${body.toString()}`, secret),
  'method, path and body': ({ body, secret }) => mac(`POST ${PATH} ${body.toString()}`, secret),
  'the body in base64': ({ body, secret }) => mac(body.toString('base64'), secret),
  'the body under the secret of another installation': ({ body }) => mac(body, NORTH_SECRET),
  'the body under a retired secret': ({ body }) => mac(body, 'the secret before that, taken away'),
  'the body under both live secrets in one': ({ body, secret }) => mac(body, `${secret},${OLDER_SECRET}`),
  "the body under the sender's name": ({ body }) => mac(body, 'phenixid'),
});

const changedBodies: Readonly<Record<string, (text: string) => string | Buffer>> = {
  'CR LF inside': (text) => text.replace(',', ',\r\n'),
  'a slash escape': (text) => text.replace('{', '{"a":"\\/",'),
  'a member twice': (text) => text.replace('{', '{"eventType":"OrderAccepted",'),
  'another event': (text) => text.replace('OrderSigned', 'OrderAccepted'),
  'a letter in another case': (text) => text.replace('OrderSigned', 'orderSigned'),
  'in UTF-16': (text) => Buffer.from(text, 'utf16le'),
};

const forgedCertificate: readonly Header[] = [
  ['X-SSL-Client-Cert', '-----BEGIN%20CERTIFICATE-----'],
  ['X-Client-Verify', 'SUCCESS'],
  ['X-Forwarded-Client-Cert', 'Subject="CN=swf"'],
  ['Client-Cert', ':MIIBszCCAVmgAwIBAgIUcGhlbml4:'],
];

/** Every combination of key, signature and what looks like a certificate, but for those that are right. */
const combinations = (['right', 'wrong'] as const).flatMap((key) =>
  (['right', 'wrong'] as const).flatMap((signature) =>
    (['with', 'without'] as const).flatMap((certificate) => {
      const name = `a ${key} key and a ${signature} signature ${certificate} the headers of a proxy`;
      const build = (genuine: WireRequest): WireRequest => {
        const keyed = key === 'right' ? genuine : { ...genuine, target: `${PATH}/?key=south` };
        const wrong: Header = ['X-Signature', hex(mac(genuine.body, OLDER_SECRET))];
        const proven = signature === 'right' ? keyed : withSignature(keyed, wrong);
        return certificate === 'with' ? withHeaders(proven, ...forgedCertificate) : proven;
      };
      if (key === 'wrong' || signature === 'wrong') return [refuses(name, build)];
      return certificate === 'with' ? [accepted(name, build)] : [];
    }),
  ),
);

const handshakes: readonly (readonly [name: string, type: string, body: string, ...headers: Header[]])[] = [
  [
    'an ssl_check beside an event',
    'application/json',
    '{"ssl_check":1,"taskId":"1","eventType":"OrderSigned"}',
  ],
  ['the word ping', 'text/plain', 'ping'],
  ['an empty body', 'application/json', ''],
  [
    'a subscription confirmation',
    'text/plain',
    '{"Type":"SubscriptionConfirmation"}',
    ['x-amz-sns-message-type', 'SubscriptionConfirmation'],
  ],
];

/** Group B. */
export const ownSignatures: readonly Own[] = [
  own(
    'B1',
    'refuses further texts that are no signature',
    { '*: blanks': 'proof_missing', '*': 'proof_malformed' },
    onSignatures(spelled({ blanks: () => ' \t ', NaN: () => 'NaN' })),
  ),
  own(
    'B2',
    'refuses further lengths',
    'proof_malformed',
    onSignatures(
      spelled({
        '33 bytes in base64': ({ bytes }) => base64(Buffer.concat([bytes, Buffer.alloc(1)])),
        '16 bytes in base64': ({ bytes }) => base64(bytes.subarray(0, 16)),
        '10,000 digits': () => 'a'.repeat(10_000),
        ...Object.fromEntries(
          [1, 2, 31, 32, 63, 65, 128].map((length) => [`${length} digits`, () => 'a'.repeat(length)]),
        ),
      }),
    ),
  ),
  own(
    'B3',
    'refuses further texts that are no hex',
    'proof_malformed',
    onSignatures(
      spelled({
        'junk in place of its end': ({ bytes }) => `${hex(bytes).slice(0, 62)}zz`,
        'blanks between the bytes': ({ bytes }) => hex(bytes).replace(/..(?=.)/g, '$& '),
        'percent signs': ({ bytes }) => hex(bytes).replace(/../g, '%$&'),
        'a digit of another script': ({ bytes }) => hex(bytes).replace(/^./, '\u00b2'),
        'a padding sign behind': ({ bytes }) => `${hex(bytes)}=`,
      }),
    ),
  ),
  own(
    'B4',
    'accepts base64 in its plain spellings only',
    { '*: a line end inside': 'request_malformed', '*': 'proof_malformed' },
    onSignatures([
      ...spelled({
        'a tab inside': ({ bytes }) => `${base64(bytes).slice(0, 8)}\t${base64(bytes).slice(8)}`,
        'a line end inside': ({ bytes }) => `${base64(bytes).slice(0, 8)}\n${base64(bytes).slice(8)}`,
        'padding in place of its end': ({ bytes }) => `${base64(bytes).slice(0, 42)}==`,
        'a character less': ({ bytes }) => base64url(bytes).slice(0, 42),
        'a character more': ({ bytes }) => `${base64url(bytes)}AA`,
        'a sign of neither alphabet': ({ bytes }) => base64(bytes).replace(/^./, '.'),
        'junk behind': ({ bytes }) => `${base64(bytes)}!!`,
        'one sign of the other alphabet': mixed('+', '-'),
        'the other sign of the other alphabet': mixed('/', '_'),
      }),
      ...twins,
    ]),
  ),
  own(
    'B5',
    'accepts the spellings of the sheet and no others',
    {
      '*: fine: *': 'done',
      '*: an HMAC-SHA3-256': 'proof_mismatch',
      '*: an HMAC of the HMAC': 'proof_mismatch',
      '*: the bytes backwards': 'proof_mismatch',
      '*: zeros': 'proof_mismatch',
      '*': 'proof_malformed',
    },
    onSignatures([
      ...spelled({
        'hex in base64': ({ bytes }) => base64(Buffer.from(hex(bytes))),
        'base64 in hex': ({ bytes }) => hex(Buffer.from(base64(bytes))),
        'two different prefixes': ({ bytes }) => `sha-256:sha256=${hex(bytes)}`,
        'a blank behind the prefix': ({ bytes }) => `sha256= ${hex(bytes)}`,
        'a prefix without its sign': ({ bytes }) => `sha256${hex(bytes)}`,
        'sha1= before the right bytes': ({ bytes }) => `sha1=${hex(bytes)}`,
        'v1= before the right bytes': ({ bytes }) => `v1=${hex(bytes)}`,
        'an HMAC-SHA-512 in base64': ({ body, secret }) => base64(mac(body, secret, 'sha512')),
        'an HMAC-SHA3-256': ({ body, secret }) => hex(mac(body, secret, 'sha3-256')),
        'an HMAC of the HMAC': ({ bytes, secret }) => hex(mac(bytes, secret)),
        'the bytes backwards': ({ bytes }) => hex(Buffer.from(bytes).reverse()),
        zeros: () => WRONG,
      }),
      ...Object.entries(fine).map(([name, spell]) =>
        accepted(name, (genuine) => withSignature(genuine, ['X-Signature', spell(bytesIn(genuine))])),
      ),
    ]),
  ),
  own(
    'B6',
    'refuses further lists of signatures',
    {
      '*: a list with semicolons': 'proof_malformed',
      '*: a list of 5,000': 'headers_too_large',
      '*': 'proof_ambiguous',
    },
    onSignatures(
      spelled(
        Object.fromEntries(
          Object.entries(several).map(([name, list]): [string, Spell] => [
            name,
            ({ bytes }) => list(hex(bytes)),
          ]),
        ),
      ),
    ),
  ),
  own(
    'B7',
    'takes the signature under its name in any letter case, and no other',
    {
      '*: fine: *': 'done',
      '*: under the name X-Signature-256': 'proof_missing',
      '*colon behind': 'proof_malformed',
      '*': 'request_malformed',
    },
    onSignatures([
      named('X-Signature-256', 'X-Signature-256'),
      named('X-Signature:', 'X-Signature with a colon behind'),
      named('X-Signature ', 'X-Signature with a blank behind'),
      named('X-Signature\t', 'X-Signature with a tab behind'),
      named('X-Signature\0', 'X-Signature with NUL behind'),
      named('Forwarded: a\r\n X-Signature', 'X-Signature in a folded line'),
      ...spelled({
        'a folded line': ({ bytes }) => `${hex(bytes).slice(0, 32)}\r\n ${hex(bytes).slice(32)}`,
      }),
      accepted('another letter case', (genuine) =>
        withSignature(genuine, ['x-SIGNATURE', hex(bytesIn(genuine))]),
      ),
    ]),
  ),
  own(
    'B8',
    'refuses further contents and secrets',
    { '*: fine: *': 'done', '*': 'proof_mismatch' },
    onSignatures([
      ...otherContents,
      respelled(
        'the body as parsed and written anew',
        ({ body, secret }) => {
          return hex(mac(JSON.stringify(JSON.parse(body.toString())), secret));
        },
        { like: { switches: { pretty: 'yes' } } },
      ),
      accepted('the older of two live secrets', (genuine, body) =>
        withSignature(genuine, ['X-Signature', hex(mac(body, OLDER_SECRET))]),
      ),
    ]),
  ),
  own(
    'B9',
    'refuses further changes of the body',
    'proof_mismatch',
    onSignatures(
      Object.entries(changedBodies).map(([name, change]) =>
        around(name, (request) => ({ ...request, body: Buffer.from(change(request.body.toString())) })),
      ),
    ),
  ),
  own(
    'B10',
    'demands both key and signature, and believes no certificate in a header',
    {
      '*: fine: *': 'done',
      '*a wrong key*': 'installation_unknown',
      '*without a signature': 'proof_missing',
      '*': 'proof_mismatch',
    },
    at('phenixid/north', [
      ...combinations,
      refuses('no key, signed with the secret of one that has a key', (genuine) => ({
        ...genuine,
        target: PATH,
      })),
      refuses('an empty key', (genuine) => ({ ...genuine, target: `${PATH}/?key=` })),
      refuses('the headers of a proxy without a signature', (genuine) =>
        withHeaders(withSignature(genuine), ...forgedCertificate),
      ),
    ]),
  ),
  own(
    'B12',
    'lets further hand-shakes not by',
    { '*: HEAD': 'method_not_allowed', '*': 'proof_missing' },
    at('phenixid', [
      ...handshakes.map(([name, type, body, ...headers]) =>
        refuses(name, (genuine) => ({
          ...genuine,
          headers: [['Content-Type', type], ...headers],
          body: Buffer.from(body),
        })),
      ),
      refuses('HEAD', (genuine) => ({ ...genuine, method: 'HEAD' })),
    ]),
  ),
];
