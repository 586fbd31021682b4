import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { proofKindOf } from '../endpoints.ts';
import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import type { Genuine } from '../stage.ts';
import { answered, refused, type RefusalOptions, type Statuses } from '../trials.ts';
import { hasBody, mediaTypeOf, withBody, withHeader } from '../making/edit.ts';
import { where } from '../making/answers.ts';

/** Group E, second part: headers that nobody signs say how signed bytes are to be read. */
export const encodingRules: readonly Rule[] = [
  {
    id: 'E3-charset',
    group: 'E',
    title: 'does not let the charset change what signed bytes mean',
    severity: 'medium',
    grade: 'authentic',
    level: 1,
    why: 'The header is not signed. Who believes it verifies a text that the sender never wrote: in UTF-7 the signed letters +ADw- become a bracket.',
    fix: 'Verify the bytes as they came and read them as UTF-8, whatever the header says, or refuse other charsets with 415.',
    trials: (at) => (hasBody(at) ? [...recodings(at), ...charsets.map(claimed)] : []),
  },
  {
    id: 'E4-content-encoding',
    group: 'E',
    title: 'verifies the bytes that came, not what could be unpacked from them',
    severity: 'medium',
    grade: 'hardened',
    level: 1,
    why: 'Many body parsers unpack by themselves. Then the signature is checked over something else than came, and a few bytes become gigabytes before anybody is known.',
    fix: 'Refuse Content-Encoding with 415 before reading; none of these senders uses it.',
    trials: (at) => (hasBody(at) ? [...packings(at), ...codings.map(([coding]) => called(coding))] : []),
  },
  {
    id: 'E4-identity',
    group: 'E',
    title: 'takes the coding identity, and one that is empty, for no coding',
    severity: 'medium',
    grade: 'correct',
    level: 1,
    oncePerSource: true,
    why: 'Gateways and clients write the name of the coding that changes nothing. Who refuses it loses the event, and some of these senders never send one twice.',
    fix: 'Treat an empty Content-Encoding and identity, in any letter case, as if the header were not there.',
    source: 'https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1',
    trials: where(hasBody, () => uncoded.map(([name, coding]) => unchanged(name, coding))),
  },
  {
    id: 'E5-broken-encoding',
    group: 'E',
    title: 'refuses a packed body that is broken or a bomb, quickly and without an error of its own',
    severity: 'high',
    grade: 'hardened',
    level: 1,
    oncePerSource: true,
    why: 'Unpacking costs memory and throws, and it happens before the sender is known: anybody can do it.',
    fix: 'Refuse Content-Encoding with 415 before reading.',
    trials: (at) => (hasBody(at) ? broken(at) : []),
  },
];

type Encode = (text: string) => Buffer;

const recoded: readonly (readonly [charset: string, encode: Encode])[] = [
  ['utf-16le', (text) => Buffer.from(text, 'utf16le')],
  ['utf-16be', (text) => Buffer.from(text, 'utf16le').swap16()],
  ['utf-16', (text) => Buffer.from(`\ufeff${text}`, 'utf16le')],
  ['utf-7', utf7],
];

/** Bytes that nobody signed, and that read in their charset as the signed text. */
function recodings(at: EndpointUnderTest): Trial[] {
  if (proofKindOf(at) === 'access token') return [];
  // A token is verified after it was read, so that reading it so or so opens nothing; a signed body is the signed one.
  const options: RefusalOptions = { also: [400, 415], ...(isSignedBody(at) ? {} : { accepted: 'warned' }) };
  return recoded.map(([charset, encode]) =>
    refused(
      `written in ${charset}`,
      (genuine) => withCharset(withBody(genuine, encode(genuine.body.toString())), charset),
      options,
    ),
  );
}

function isSignedBody(at: EndpointUnderTest): boolean {
  return proofKindOf(at) === 'signature header';
}

/** https://www.rfc-editor.org/rfc/rfc2152 */
function utf7(text: string): Buffer {
  return Buffer.from(
    text.replace(/[^A-Za-z0-9]/g, (character) => {
      const code = Buffer.from(character, 'utf16le').swap16().toString('base64').replace(/=+$/, '');
      return `+${code}-`;
    }),
  );
}

function withCharset(genuine: Genuine, charset: string): Genuine {
  const type = mediaTypeOf(genuine);
  return withHeader(
    genuine,
    'Content-Type',
    `${type === '' ? 'application/json' : type}; charset=${charset}`,
  );
}

const charsets = [
  'utf-7',
  'utf-16',
  'utf-16le',
  'utf-32',
  'iso-8859-1',
  'us-ascii',
  'x-unknown',
  '',
  'utf-8; charset=utf-7',
  '"',
];

/** Read as it is, or refused; what is right is up to the receiver, as long as it answers. */
const READ_OR_NOT: Statuses = ['2xx', 400, 401, 429, 415];

function claimed(charset: string, index: number): Trial {
  const name = /^[\w-]+$/.test(charset) ? charset : `odd charset ${index}`;
  return answered(`called ${name}`, (genuine) => withCharset(genuine, charset), READ_OR_NOT);
}

const codings: readonly (readonly [coding: string, encode: (body: Buffer) => Buffer])[] = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
  ['zstd', zstdFrame],
  ['gzip, gzip', (body) => gzipSync(gzipSync(body))],
];

/** One block as it is (RFC 8878, 3.1.1), at most 128 KiB: not every Node since 20 can pack so. */
function zstdFrame(body: Buffer): Buffer {
  const head = Buffer.from('28b52ffda000000000000000', 'hex');
  head.writeUInt32LE(body.length, 5);
  head.writeUIntLE(body.length * 8 + 1, 9, 3);
  return Buffer.concat([head, body]);
}

function packings(at: EndpointUnderTest): Trial[] {
  if (proofKindOf(at) === 'access token') return [];
  const options: RefusalOptions = { also: [400, 415], ...(isSignedBody(at) ? {} : { accepted: 'warned' }) };
  return codings.map(([coding, encode]) =>
    refused(
      `packed with ${coding}`,
      (genuine) => withHeader(withBody(genuine, encode(genuine.body)), 'Content-Encoding', coding),
      options,
    ),
  );
}

/** Not packed at all. */
function called(coding: string): Trial {
  return answered(
    `called ${coding} and not packed`,
    (genuine) => withHeader(genuine, 'Content-Encoding', coding),
    READ_OR_NOT,
  );
}

const uncoded: readonly (readonly [name: string, coding: string])[] = [
  ['identity', 'identity'],
  ['in capitals', 'IDENTITY'],
  ['empty', ''],
];

function unchanged(name: string, coding: string): Trial {
  return answered(name, (genuine) => withHeader(genuine, 'Content-Encoding', coding), ['2xx']);
}

const BOMB_BYTES = 32 * 1024 * 1024;
/** Made when the first is needed, and once: it takes a while. */
const gzippedBomb = once(() => gzipSync(Buffer.alloc(BOMB_BYTES)));
const brotliBomb = once(() => brotliCompressSync(Buffer.alloc(BOMB_BYTES / 8)));

function once(make: () => Buffer): () => Buffer {
  let made: Buffer | undefined;
  return () => (made ??= make());
}

function broken(at: EndpointUnderTest): Trial[] {
  // Where the body itself proves nothing, a broken one may be kept for a human.
  const vouched: Statuses = proofKindOf(at) === 'access token' ? ['2xx'] : [];
  const statuses: Statuses = [400, 401, 429, 413, 415, 422, ...vouched];
  const bodies: readonly (readonly [name: string, coding: string, make: (body: Buffer) => Buffer])[] = [
    ['cut off', 'gzip', (body) => gzipSync(body).subarray(0, -9)],
    [
      'with another magic number',
      'gzip',
      (body) => Buffer.concat([Buffer.from('PK'), gzipSync(body).subarray(2)]),
    ],
    ['nothing', 'gzip', () => Buffer.alloc(0)],
    ['with a wrong checksum', 'gzip', (body) => wrongChecksum(gzipSync(body))],
    ['by another coding than it says', 'br', (body) => gzipSync(body)],
    ['a bomb', 'gzip', gzippedBomb],
    ['a bomb in a bomb', 'gzip, gzip', () => gzipSync(gzippedBomb())],
    ['a bomb of another coding', 'br', brotliBomb],
  ];
  return bodies.map(([name, coding, make]) =>
    answered(
      name,
      (genuine) => withHeader(withBody(genuine, make(genuine.body)), 'Content-Encoding', coding),
      statuses,
    ),
  );
}

function wrongChecksum(packed: Buffer): Buffer {
  const at = packed.length - 8;
  packed.writeUInt8(packed.readUInt8(at) ^ 0xff, at);
  return packed;
}
