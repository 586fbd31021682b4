import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { isUtf8 } from 'node:buffer';
import { tryJson, isObject } from '../../../kit/reading/json.ts';
import { pairsOf } from '../../../kit/tape/raw.ts';
import { decoded, unescapedHtml, viewOf, withBody, withHeader, type Case, type Row } from '../case.ts';
import {
  compact,
  indented,
  isNumber,
  isText,
  layoutOf,
  marksOf,
  oneLine,
  reordered,
  written,
  type Layout,
  type Marks,
} from '../../json-text.ts';

/** Several are made one by one: of a large body each takes time. */
type Bodies = Buffer | string | Iterable<Buffer | string> | undefined;

const RAW =
  'Whatever stands between the sender and here must hand the body on byte for byte: switch its parsing and rewriting off for {path}.';

/** The body is the sender's, but for what `original` undoes. */
function body(
  id: string,
  applies: string,
  means: string,
  original: (bytes: Buffer, of: Case) => Bodies,
  remedy = RAW,
  twins: readonly string[] = [],
): Row {
  return {
    id: `body-${id}`,
    applies,
    means,
    remedy,
    twins,
    *variants(of) {
      const { request } = of;
      if (request.body.length === 0) return;
      for (const other of eachOf(original(request.body, of))) {
        if (other.length > 0 && !Buffer.from(other).equals(request.body)) yield withBody(of, other);
      }
    },
  };
}

function eachOf(bodies: Bodies): Iterable<Buffer | string> {
  if (bodies === undefined) return [];
  return typeof bodies === 'string' || Buffer.isBuffer(bodies) ? [bodies] : bodies;
}

/** For bodies that are text: what is done to the text, in UTF-8 and back. */
const text =
  (change: (text: string, of: Case) => Bodies) =>
  (bytes: Buffer, of: Case): Bodies =>
    isUtf8(bytes) ? change(bytes.toString('utf8'), of) : undefined;

interface JsonText {
  readonly whole: string;
  readonly marks: Marks;
  readonly layout: Layout;
}

const texts = new WeakMap<Buffer, JsonText | undefined>();

function jsonIn(bytes: Buffer): JsonText | undefined {
  if (texts.has(bytes)) return texts.get(bytes);
  const whole = bytes.toString('utf8');
  const marks = isUtf8(bytes) ? marksOf(whole) : undefined;
  const found = marks && { whole, marks, layout: layoutOf(whole.trim(), marks) ?? compact };
  texts.set(bytes, found);
  return found;
}

/** For bodies that are JSON: other marks in the same layout, or in any where it has none of these. */
const json = (change: (marks: Marks, of: Case) => Iterable<Marks>) =>
  function* (bytes: Buffer, of: Case) {
    const found = jsonIn(bytes);
    if (found === undefined) return;
    for (const changed of change(found.marks, of)) yield around(found.whole, written(changed, found.layout));
  };

/** What stands around JSON stays there: that is another mistake. */
function around(whole: string, inner: string): string {
  const start = whole.length - whole.trimStart().length;
  return whole.slice(0, start) + inner + whole.slice(whole.trimEnd().length);
}

/** For the texts in JSON: each of them changed, in one of several ways. */
const jsonTexts = (...changes: readonly ((text: string) => string)[]) =>
  json((marks) => changes.map((change) => marks.map((mark) => (isText(mark) ? change(mark) : mark))));

const escaped = (text: string, hex: (code: string) => string) =>
  text.replace(/[^\0-\x7f]/g, (unit) => `\\u${hex(unit.charCodeAt(0).toString(16).padStart(4, '0'))}`);
const unescaped = (text: string) =>
  text.replace(/\\(?:u([0-9a-f]{4})|.)/gi, (whole, code: string | undefined) => {
    const unit = code === undefined ? 0 : parseInt(code, 16);
    return unit < 0x80 ? whole : String.fromCharCode(unit);
  });

/** What bytes that were read in a Windows code page and written in UTF-8 were before. */
const CP1252 = new TextDecoder('windows-1252');
const CODE_PAGE = new Map(
  Array.from({ length: 256 }, (_, byte) => [CP1252.decode(Uint8Array.of(byte)), byte]),
);
function inCodePage(text: string): Buffer | undefined {
  const bytes = Array.from(text, (letter) => CODE_PAGE.get(letter) ?? letter.charCodeAt(0));
  return bytes.every((byte) => byte < 256) ? Buffer.from(bytes) : undefined;
}

const MOST_UNPACKED = 16 * 1_048_576;
/** Undoes a packing; the header that tells of it goes with it. */
function unpacked(
  id: string,
  means: string,
  ...undo: readonly ((bytes: Buffer, options: { maxOutputLength: number }) => Buffer)[]
): Row {
  return {
    id: `body-${id}`,
    means,
    remedy:
      'Signatures are over plain bytes. Switch the packing of requests off at the sender, or have the proxy unpack them.',
    *variants(of) {
      for (const one of undo) {
        const plain = attempted(() => one(of.request.body, { maxOutputLength: MOST_UNPACKED }));
        if (plain !== undefined && plain.length > 0)
          yield { request: { ...withHeader(of.request, 'content-encoding', undefined), body: plain } };
      }
    },
  };
}

function attempted<Value>(make: () => Value): Value | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

/** The pieces of a chunked body that nobody has put together. */
function dechunked(bytes: Buffer): Buffer | undefined {
  const pieces: Buffer[] = [];
  let rest = bytes;
  for (;;) {
    const [head, digits = ''] =
      /^([0-9a-f]{1,8})[^\r\n]{0,256}\r?\n/i.exec(rest.toString('latin1', 0, 300)) ?? [];
    if (head === undefined) return undefined;
    const size = parseInt(digits, 16);
    if (size === 0) return Buffer.concat(pieces);
    if (rest.length < head.length + size) return undefined;
    pieces.push(rest.subarray(head.length, head.length + size));
    rest = rest.subarray(head.length + size);
    rest = rest.subarray(rest[0] === 0x0d ? 2 : 1);
  }
}

function ofBase64(whole: string): Buffer | undefined {
  const plain = whole.replace(/\s+/g, '');
  return /^[\w+/-]{16,}={0,2}$/.test(plain) ? Buffer.from(plain, 'base64') : undefined;
}

/** What gateways and functions wrap around a body. */
function inside(whole: string): Bodies {
  const wrapper = tryJson(whole);
  if (!isObject(wrapper)) return undefined;
  const texts = Object.entries(wrapper).filter(
    (member): member is [string, string | object] =>
      ['string', 'object'].includes(typeof member[1]) && member[1] !== null,
  );
  return texts.flatMap(([, value]): readonly (string | Buffer)[] => {
    if (typeof value === 'object') return [JSON.stringify(value)];
    return wrapper['isBase64Encoded'] === true ? [Buffer.from(value, 'base64')] : [value];
  });
}

function ofForm(whole: string): Bodies {
  const values = whole.split('&').map((pair) => pair.slice(pair.indexOf('=') + 1));
  const names = whole.split('&').map((pair) => pair.replace(/=$/, ''));
  return [whole, ...values, ...names].flatMap((part) =>
    [decoded(part.replaceAll('+', ' ')) ?? [], decoded(part) ?? []].flat(),
  );
}

/** All orders of the members of a small object, the order of the catalogue's examples, and that of the alphabet. */
function* orders(marks: Marks, of: Case): Generator<Marks> {
  const { config } = viewOf(of);
  const examples = Object.values(config?.source.events ?? {}).map(({ example }) => namesIn(example));
  const known = new Map(examples.map((names) => [names.join(), names])).values();
  yield reordered(marks, (names) => [...names].sort());
  for (const order of known)
    yield reordered(marks, (names) => [...names].sort((a, b) => place(order, a) - place(order, b)));
  for (const order of reorderings(marks))
    yield reordered(marks, (names) =>
      names.length === order.length && names.every((name) => order.includes(name)) ? order : names,
    );
}

function place(known: readonly string[], name: string): number {
  const at = known.indexOf(name);
  return at === -1 ? known.length : at;
}

/** The names of all members, outer ones first, as JSON writes them. */
function namesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (!isObject(value)) return [];
  return [
    ...Object.keys(value).map((name) => JSON.stringify(name)),
    ...Object.values(value).flatMap(namesIn),
  ];
}

const MOST_REORDERED = 5;
function reorderings(marks: Marks): readonly (readonly string[])[] {
  const names: string[] = [];
  reordered(marks, (found) => {
    if (names.length === 0) names.push(...found);
    return found;
  });
  return names.length > MOST_REORDERED ? [] : permutations(names);
}

function permutations(names: readonly string[]): readonly (readonly string[])[] {
  if (names.length < 2) return [names];
  return names.flatMap((first) =>
    permutations(names.filter((name) => name !== first)).map((rest) => [first, ...rest]),
  );
}

/** Each blank of a text may have been a plus; with many of them, only all and those of each word are tried. */
const MOST_BLANKS = 8;
function plusses(whole: string): Bodies {
  const parts = whole.split(' ');
  const count = parts.length - 1;
  if (count === 0) return undefined;
  if (count > MOST_BLANKS)
    return [parts.join('+'), whole.replace(/(?<=\w) (?=\w)/g, '+'), whole.replace(/(?<=\d) (?=\d)/g, '+')];
  return Array.from({ length: 2 ** count - 1 }, (_, choice) =>
    parts.reduce((line, part, at) => `${line}${((choice + 1) >> (at - 1)) & 1 ? '+' : ' '}${part}`),
  );
}

/** Every number in another spelling, all at once and one at a time. */
const numberSpellings: readonly ((text: string) => string)[] = [
  (text) => (/^-?\d+$/.test(text) ? `${text}.0` : text),
  (text) => (/^-?\d+$/.test(text) ? `${text}.00` : text),
  (text) => text.replace(/\.0+$/, ''),
  (text) => text.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, ''),
  (text) => text.replace(/(\.\d)$/, '$10'),
  (text) => (/[eE]/.test(text) ? String(Number(text)) : text),
  (text) => (/[eE]/.test(text) ? `${Number(text)}.0` : text),
  (text) => Number(text).toExponential().replace('e+', 'e'),
  (text) => Number(text).toExponential().replace('e', 'E'),
];
const MOST_NUMBERS = 12;
function* numbers(marks: Marks): Generator<Marks> {
  const places = marks.flatMap((mark, at) => (isNumber(mark) ? [at] : []));
  const each = places.length > 1 && places.length <= MOST_NUMBERS ? places.map((place) => [place]) : [];
  for (const chosen of [places, ...each]) {
    const isChosen = new Set(chosen);
    for (const respell of numberSpellings)
      yield marks.map((mark, at) => (isChosen.has(at) ? respell(mark) : mark));
  }
}

const layouts = (choices: typeof oneLine) =>
  function* (bytes: Buffer) {
    const found = jsonIn(bytes);
    if (found !== undefined)
      for (const layout of choices) yield around(found.whole, written(found.marks, layout));
  };

const json_ = 'The body was parsed and written again on its way. ' + RAW;
const recoded = 'Something read the body in another character set and wrote it again. ' + RAW;

export const ofBody: readonly Row[] = [
  body(
    'indented',
    'H',
    'the body had come on one line as it was signed, and not indented',
    layouts(oneLine),
    json_,
    ['body-compacted'],
  ),
  body(
    'compacted',
    'H',
    'the body had come with the lines or blanks that it was signed with',
    layouts([...indented, ...oneLine.slice(1)]),
    json_,
    ['body-line-ends'],
  ),
  body(
    'sorted',
    'H',
    'the members of the body had come in the order in which they were signed',
    json(orders),
    json_,
  ),
  body(
    'ascii-escapes',
    'H',
    'letters of the body that are not ASCII had come as they were signed, escaped or not',
    jsonTexts(
      unescaped,
      (one) => escaped(one, (code) => code),
      (one) => escaped(one, (code) => code.toUpperCase()),
    ),
    json_,
  ),
  body(
    'slashes',
    'H',
    'slashes in the body had come as they were signed, escaped or not',
    jsonTexts(
      (one) => one.replaceAll('\\/', '/'),
      (one) => one.replaceAll('\\/', '/').replaceAll('/', '\\/'),
    ),
    json_,
  ),
  body(
    'numbers',
    'H',
    'numbers in the body had come as they were signed (1.0 is not 1)',
    json(numbers),
    json_,
  ),
  body(
    'line-ends',
    'HW',
    'the line ends in the body had come as they were signed',
    text((whole) => [whole.replaceAll('\r\n', '\n'), whole.replace(/\r?\n/g, '\r\n')]),
    RAW,
    ['body-line-end-behind', 'body-blanks-around'],
  ),
  body(
    'line-end-behind',
    'HW',
    'no line end had been put behind the body, or taken away there',
    text((whole) => {
      const bare = whole.replace(/(?<![\r\n])[\r\n]+$/, '');
      return [bare, `${bare}\n`, `${bare}\r\n`];
    }),
    RAW,
    ['body-blanks-around'],
  ),
  body(
    'blanks-around',
    'HW',
    'no blanks had been put around the body',
    text((whole) => [whole.trim(), whole.trimStart(), whole.trimEnd(), `${whole} `, ` ${whole}`]),
    RAW,
    ['body-bom'],
  ),
  body(
    'bom',
    'HW',
    'the byte order mark before the body had not been put there, or taken away',
    text((whole) => (whole.startsWith('\ufeff') ? whole.slice(1) : `\ufeff${whole}`)),
    'In .NET write with new UTF8Encoding(false). ' + RAW,
  ),
  body(
    'latin1',
    'HJ',
    'the body had not been recoded to or from Latin-1',
    (bytes) =>
      isUtf8(bytes)
        ? (inCodePage(bytes.toString('utf8')) ?? [])
        : [bytes.toString('latin1'), CP1252.decode(bytes)],
    recoded,
    ['body-mojibake'],
  ),
  body(
    'utf16',
    'HJW',
    'the body had come in UTF-8 and not in UTF-16',
    (bytes) => {
      const even = bytes.subarray(0, bytes.length & ~1);
      const pair = [even.toString('utf16le'), Buffer.from(even).swap16().toString('utf16le')];
      return bytes.includes(0) ? pair.flatMap((one) => [one.replace(/^\ufeff/, ''), one]) : undefined;
    },
    recoded,
  ),
  body(
    'mojibake',
    'H',
    'the body had not been read in another character set and written in UTF-8 again',
    text((whole) => {
      const before = inCodePage(whole);
      return before !== undefined && isUtf8(before) ? before : undefined;
    }),
    recoded,
  ),
  unpacked('gzip', 'the body had not been packed with gzip', gunzipSync),
  unpacked('deflate', 'the body had not been packed with deflate', inflateSync, inflateRawSync),
  unpacked('brotli', 'the body had not been packed with Brotli', brotliDecompressSync),
  unpacked('zstd', 'the body had not been packed with Zstandard', zstdDecompressSync),
  body(
    'chunks',
    'HJWT',
    'the framing of chunks had been taken out of the body',
    dechunked,
    'A proxy or a function has handed on the body with the lengths of its chunks in it. ' + RAW,
  ),
  body(
    'base64',
    'HJWT',
    'the body had not been written in base64',
    text(ofBase64),
    'API gateways do so to bodies that they take for binary. Decode it before it is handed on. ' + RAW,
  ),
  body(
    'quoted',
    'HJW',
    'the body had not been written as one JSON text in quotes',
    text((whole) => {
      const read = tryJson(whole);
      return typeof read === 'string' ? read : undefined;
    }),
    RAW,
    ['token-quoted'],
  ),
  body(
    'form',
    'HW',
    'the body had not been written as a form',
    text(ofForm),
    'Something posts it as a form field or percent-encodes it. ' + RAW,
    ['token-form', 'token-percent-encoded', 'body-plus'],
  ),
  body(
    'wrapped',
    'HJW',
    'the body had not been wrapped in JSON, as functions and queues do',
    text(inside),
    'Hand on what is inside, decoded where isBase64Encoded says so. ' + RAW,
    ['token-json', 'body-form-json'],
  ),
  body(
    'plus',
    'H',
    'no plus signs of the body had become blanks',
    text(plusses),
    'Something decodes the body as a form. ' + RAW,
  ),
  body(
    'html-escaped',
    'H',
    'the signs of the body had not been replaced by HTML escapes',
    text(unescapedHtml),
  ),
  body('null-behind', 'HW', 'there were no NUL behind the body', (bytes) => {
    let end = bytes.length;
    while (end > 0 && bytes[end - 1] === 0) end -= 1;
    return bytes.subarray(0, end);
  }),
  body(
    'doubled',
    'HJW',
    'the body had come once and not twice in a row',
    (bytes) =>
      ['', '\n', '\r\n', ' ', ','].flatMap((between) => {
        const half = bytes.subarray(0, (bytes.length - between.length) / 2);
        return bytes.equals(Buffer.concat([half, Buffer.from(between), half])) ? [half] : [];
      }),
    RAW,
    ['token-twice'],
  ),
  {
    id: 'body-encoding-header',
    means: 'it had come without its Content-Encoding header, which is not true',
    remedy: 'The body is not packed, though the header says so. Take the header out where it is put in.',
    *variants(of) {
      if (pairsOf(of.request).some(([name]) => name.toLowerCase() === 'content-encoding'))
        yield { request: withHeader(of.request, 'content-encoding', undefined) };
    },
  },
];
