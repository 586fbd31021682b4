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
import { OLDER_SECRET } from '../houses.ts';
import { ANY, at, own, refuses, type Own } from './own.ts';

type Spell = (signature: Signature) => string | readonly string[] | undefined;

/** Texts in place of the signature, or several of them. */
function spelled(spells: Readonly<Record<string, Spell>>): Trial[] {
  return Object.entries(spells).map(([name, spell]) => respelled(name, spell, ANY));
}

const hex = (bytes: Buffer) => bytes.toString('hex');
const base64 = (bytes: Buffer) => bytes.toString('base64');

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

const PATH = '/phenixid';

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
    'B4',
    'reads no header that a line end breaks',
    'request_malformed',
    onSignatures(
      spelled({
        'a line end inside': ({ bytes }) => `${base64(bytes).slice(0, 8)}\n${base64(bytes).slice(8)}`,
      }),
    ),
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
