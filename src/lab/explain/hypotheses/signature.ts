import { createHash, createHmac } from 'node:crypto';
import { pairsOf } from '../../../kit/tape/raw.ts';
import { decoded, secretsIn, variableOf, viewOf, withHeader, type Case, type Row } from '../case.ts';

/** The name of the header that the signature belongs into. */
function headerOf(of: Case): string | undefined {
  return viewOf(of).proof?.header;
}

function valuesOf(of: Case): readonly string[] {
  const header = headerOf(of);
  return pairsOf(of.request).flatMap(([name, value]) => (name.toLowerCase() === header ? [value] : []));
}

/** The signature had another text before `change`. */
function signature(
  id: string,
  means: string,
  change: (value: string) => readonly string[],
  remedy: string,
  twins: readonly string[] = [],
): Row {
  return {
    id: `signature-${id}`,
    applies: 'H',
    means,
    remedy,
    twins,
    *variants(of) {
      const header = headerOf(of);
      if (header === undefined) return;
      for (const value of valuesOf(of))
        for (const other of change(value))
          if (other !== value) yield { request: withHeader(of.request, header, other) };
    },
  };
}

const PROXY = 'Have the proxy hand the header on as it came.';

/** The bytes that a header may hold as a signature, in whichever spelling. */
function signaturesIn(value: string): readonly Buffer[] {
  const pieces = [value, ...value.split(/[,;\s]+/)].flatMap((piece) => [
    piece,
    piece.replace(/^[\w-]{1,16}[=:]/, ''),
  ]);
  return [...new Set(pieces)].flatMap((piece) => {
    const plain = piece.replace(/^["']|["']$/g, '');
    if (/^(?:[0-9a-f]{2}){8,64}$/i.test(plain)) return [Buffer.from(plain, 'hex')];
    return /^[\w+/-]{16,128}={0,2}$/.test(plain) ? [Buffer.from(plain, 'base64')] : [];
  });
}

/** The headers that every client and proxy writes hold no signature. */
const USUAL =
  /^(?:host|user-agent|accept.*|content-(?:length|type|encoding)|connection|date|cookie|referer|origin|x-forwarded-.*|via|forwarded)$/i;

function otherHeaders(of: Case): readonly (readonly [name: string, value: string])[] {
  const header = headerOf(of);
  return pairsOf(of.request).filter(([name]) => name.toLowerCase() !== header && !USUAL.test(name));
}

/** Who signed it so: the name of the secret, and the header that holds the signature. */
function* signedBy(
  of: Case,
  digests: (secret: string) => Iterable<Buffer>,
  fits = (found: Buffer, made: Buffer) => found.equals(made),
): Generator<string> {
  const held = pairsOf(of.request)
    .filter(([name]) => !USUAL.test(name))
    .flatMap(([name, value]) => signaturesIn(value).map((bytes) => [name, bytes] as const));
  if (held.length === 0) return;
  const own = variableOf(of);
  const ownFirst = secretsIn(of.known).toSorted(
    (one, other) => Number(other.name === own) - Number(one.name === own),
  );
  for (const { name, text } of ownFirst) {
    for (const digest of digests(text)) {
      const found = held.find(([, bytes]) => fits(bytes, digest));
      if (found === undefined) continue;
      yield `${name}, in the header ${found[0]}`;
      return;
    }
  }
}

type Message = string | Buffer;
const hmac = (hash: string, secret: Message, message: Message) =>
  createHmac(hash, secret).update(message).digest();

/** It is signed with a known secret, but over `messages`. */
function over(id: string, what: string, messages: (of: Case) => readonly Message[]): Row {
  return named(
    id,
    `The signature is an HMAC-SHA256 over ${what}, not over the body alone (made with the secret of {detail}).`,
    function* (of) {
      const all = messages(of);
      yield* signedBy(of, (secret) => all.map((message) => hmac('sha256', secret, message)));
    },
  );
}

function named(id: string, means: string, sees: (of: Case) => Iterable<string>, remedy = NO_SETTING): Row {
  return { id, applies: 'H', means, remedy, sees };
}

const NO_SETTING =
  'There is no setting for that here. Set the sender to sign the body alone with HMAC-SHA256, see {docs}.';

/** Short values that may be a time or an id: of headers, and what stands in a signature besides. */
function stampsOf(of: Case): readonly string[] {
  const { request } = of;
  const values = pairsOf(request).flatMap(([name, value]) =>
    USUAL.test(name) && !/^date$/i.test(name) ? [] : [value],
  );
  const inside = values.flatMap((value) =>
    [...value.matchAll(/(?:^|[,;\s])t=(\d+)/g)].map(([, time = '']) => time),
  );
  const stamps = [...values, ...inside].filter((value) => value.length <= 64 && /\d/.test(value));
  const pairs = stamps.flatMap((one) =>
    stamps.flatMap((other) => (one === other ? [] : [`${one}.${other}`])),
  );
  return [...stamps, ...pairs.slice(0, 200)];
}

const joined = (parts: readonly Message[], between: string) =>
  Buffer.concat(
    parts.flatMap((part, at) => [...(at === 0 ? [] : [Buffer.from(between)]), Buffer.from(part)]),
  );
const BETWEEN = ['', '.', '\n', ':', '|'];

/** Path, path with query, and whole addresses. */
function addressesOf(of: Case): readonly string[] {
  const { request } = of;
  const { path } = viewOf(of);
  const host = pairsOf(request).find(([name]) => name.toLowerCase() === 'host')?.[1] ?? '';
  const own = [...new Set([path, request.target])];
  return [...own, ...own.flatMap((one) => [`https://${host}${one}`, `http://${host}${one}`])];
}

const bodyOf = (of: Case) => of.request.body;
const each = <Item>(items: readonly Item[], parts: (item: Item) => readonly Message[]) =>
  items.flatMap((item) => BETWEEN.map((between) => joined(parts(item), between)));
const hashOf = (hash: string) =>
  named(
    `signed-${hash}`,
    `The signature is made with HMAC-${hash.toUpperCase()} (and the secret of {detail}).`,
    (of) => signedBy(of, (secret) => [hmac(hash, secret, bodyOf(of))]),
    'Set the sender to SHA-256, see {docs}.',
  );

const MIN_CUT = 6;

export const ofSignature: readonly Row[] = [
  {
    id: 'signature-other-header',
    applies: 'H',
    means: 'the signature stood in its own header, and not in {detail}',
    remedy: 'Set the name of the header at the sender, or have the proxy leave it as it is.',
    *variants(of) {
      const header = headerOf(of);
      if (header === undefined) return;
      for (const [name, value] of otherHeaders(of))
        if (signaturesIn(value).some(({ length }) => length === 32))
          yield { request: withHeader(of.request, header, value), detail: name };
    },
  },
  signature(
    'base64-of-hex',
    'the signature had not been written in base64 a second time',
    (value) => {
      const inner = Buffer.from(value, 'base64').toString('latin1');
      return /^[\w+/=-]{43,64}$/.test(inner) ? [inner] : [];
    },
    'Set the sender to one of the two encodings, see {docs}.',
  ),
  {
    id: 'signature-header-doubled',
    applies: 'H',
    means: 'the header of the signature had come once',
    remedy: PROXY,
    twins: ['signature-header-joined'],
    *variants(of) {
      const header = headerOf(of);
      const values = valuesOf(of);
      if (header === undefined || values.length < 2) return;
      for (const value of new Set(values)) yield { request: withHeader(of.request, header, value) };
    },
  },
  signature(
    'header-joined',
    'the header of the signature held one signature and no list',
    (value) => (value.includes(',') ? value.split(',').map((one) => one.trim()) : []),
    PROXY,
    ['signature-prefix'],
  ),
  signature(
    'quoted',
    'the signature had no quotes around it',
    (value) => [value.replace(/^(\w[\w-]*[=:])?["'](.*)["']$/, '$1$2')],
    'Have the sender write it without.',
  ),
  signature(
    'percent-encoded',
    'the signature were not percent-encoded',
    (value) => [decoded(value) ?? value],
    PROXY,
  ),
  signature(
    'prefix',
    'nothing else stood in the header before the signature',
    (value) => {
      const pieces = value.split(/[,;\s]+/).map((piece) => piece.replace(/^[\w-]{1,16}?[=:,]\s*/, ''));
      return [...pieces, value.replace(/^.*[=:,\s](?=.{43})/, '')].filter((piece) =>
        signaturesIn(piece).some(({ length }) => length === 32),
      );
    },
    'It comes in the form of another product. Set the sender to the bare signature, see {docs}.',
    ['signature-quoted'],
  ),
  signature(
    'reversed',
    'the bytes of the signature had come in their order',
    (value) => (/^[0-9a-f]{64}$/i.test(value) ? [Buffer.from(value, 'hex').reverse().toString('hex')] : []),
    'The sender writes a number in the order of its processor. It is to write the bytes as the hash gives them.',
  ),
  over('signed-path-and-body', 'path or address and body', (of) =>
    each(addressesOf(of), (address) => [address, bodyOf(of)]),
  ),
  over('signed-timestamp-and-body', 'a time or an id from the headers and the body', (of) => [
    ...each(stampsOf(of), (stamp) => [stamp, bodyOf(of)]),
    ...stampsOf(of).map((stamp) => joined(['v0', stamp, bodyOf(of)], ':')),
  ]),
  over('signed-body-and-timestamp', 'the body and a time or an id from the headers', (of) =>
    each(stampsOf(of), (stamp) => [bodyOf(of), stamp]),
  ),
  over('signed-method-path-body', 'method, path and body', (of) =>
    each(addressesOf(of), (address) => [of.request.method, address, bodyOf(of)]),
  ),
  over('signed-base64-of-body', 'the body in base64', (of) => [
    bodyOf(of).toString('base64'),
    bodyOf(of).toString('base64url'),
  ]),
  over('signed-hex-of-hash', 'a hash of the body', (of) => {
    const hash = createHash('sha256').update(bodyOf(of)).digest();
    return [hash, hash.toString('hex'), hash.toString('hex').toUpperCase(), hash.toString('base64')];
  }),
  ...['sha1', 'sha384', 'sha512', 'md5'].map(hashOf),
  named(
    'signed-sha256-alone',
    'The signature is a hash of the body without any secret: everybody can make one, so it proves nothing.',
    function* (of) {
      const hashes = ['sha256', 'sha1', 'sha512', 'md5'].map((hash) =>
        createHash(hash).update(bodyOf(of)).digest(),
      );
      if (
        valuesOf(of)
          .flatMap(signaturesIn)
          .some((found) => hashes.some((hash) => hash.equals(found)))
      )
        yield '';
    },
    'Set a secret at the sender, see {docs}.',
  ),
  named(
    'signature-reversed-key',
    'The signature is an HMAC with body and secret exchanged: the body is the key (secret of {detail}).',
    (of) => signedBy(of, (secret) => [hmac('sha256', bodyOf(of), secret)]),
  ),
  named(
    'signature-cut',
    'The signature is cut off: what came of it is the beginning of the right one (secret of {detail}).',
    (of) =>
      signedBy(
        of,
        (secret) => [hmac('sha256', secret, bodyOf(of))],
        (found, made) =>
          found.length >= MIN_CUT &&
          found.length < made.length &&
          made.subarray(0, found.length).equals(found),
      ),
    'Something on the way, or a column of a database at the sender, is too short for 64 characters.',
  ),
  named(
    'signature-header-dropped',
    'No signature came at all: signing is off at the sender, or a proxy drops the header.',
    function* (of) {
      const [, value = ''] = pairsOf(of.request).find(([name]) => name.toLowerCase() === headerOf(of)) ?? [];
      if (
        value.trim() === '' &&
        !otherHeaders(of).some(([, other]) => signaturesIn(other).some(({ length }) => length >= 16))
      )
        yield '';
    },
    'Look at the sender first: is a secret set there (see {docs})? Then at the proxies in front: do they hand on every header?',
  ),
];
