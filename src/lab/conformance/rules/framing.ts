import type { Rule, Trial } from '../rule.ts';
import { oneOf, type Answers } from '../making/answers.ts';
import { hasBody } from '../making/edit.ts';
import { chunked, LAST_CHUNK, piecesOf, raw, RFC_9112, STRICT_PARSER, type Pieces } from '../making/raw.ts';
import { smuggling } from '../making/smuggling.ts';

/** Group G, first part: where a body ends. */
export const framingRules: readonly Rule[] = [
  {
    id: 'G1-body-length',
    group: 'G',
    title: 'refuses requests with two opinions on where their body ends',
    severity: 'critical',
    grade: 'hardened',
    level: 1,
    oncePerSource: true,
    why: 'Where a proxy and the receiver disagree on the end of a request, the rest of it becomes a request of its own, past every filter.',
    fix: STRICT_PARSER,
    source: `${RFC_9112}6.3`,
    trials: () => [...wrongLengths, ...wrongCodings, lengthBesideChunks, compressedChunks],
  },
  {
    id: 'G2-chunks',
    group: 'G',
    title: 'reads chunks, and refuses broken ones',
    severity: 'high',
    grade: 'hardened',
    level: 1,
    oncePerSource: true,
    why: 'Proxies send bodies in chunks though the sender did not. Guessing at a broken one lets requests be hidden in it.',
    fix: STRICT_PARSER,
    source: `${RFC_9112}7.1`,
    // What has no body has no chunk for an extension.
    trials: (at) => [...rightChunks, ...wrongChunks, ...(hasBody(at) ? largeChunks : [])],
  },
];

const REFUSED: Answers = { passes: [400, 411, 413, 501, 0] };

/** The genuine request in chunks, under these headers. */
function framed(name: string, headers: (pieces: Pieces) => readonly string[], answers = REFUSED): Trial {
  return smuggling(
    name,
    (pieces) => raw([...pieces.head, ...headers(pieces)], chunked(pieces.body), LAST_CHUNK),
    answers,
  );
}

function lengthed(name: string, length: (bytes: number) => string): Trial {
  return smuggling(
    name,
    ({ head, body }) => raw([...head, `Content-Length: ${length(body.length)}`], body),
    REFUSED,
  );
}

const wrongLengths: readonly Trial[] = [
  lengthed('two lengths', (bytes) => `${bytes}\r\nContent-Length: ${bytes + 5}`),
  lengthed('two lengths, the larger one first', (bytes) => `${bytes + 5}\r\nContent-Length: ${bytes}`),
  lengthed('a list of two lengths', (bytes) => `${bytes}, ${bytes + 5}`),
  lengthed('a negative length', (bytes) => `-${bytes + 1}`),
  lengthed('a length with a sign', (bytes) => `+${bytes}`),
  lengthed('a hexadecimal length', (bytes) => `0x${bytes.toString(16)}`),
  lengthed('a length with a fraction', (bytes) => `${bytes}.0`),
  lengthed('a length with an exponent', () => '1e2'),
  lengthed('a length with a blank inside', () => '1 4'),
  lengthed('a length with a letter behind', (bytes) => `${bytes}x`),
  lengthed('a length that is none', () => 'many'),
  lengthed('an empty length', () => ''),
  lengthed('a length beyond all numbers', () => '9'.repeat(40)),
  smuggling(
    'a length with a blank before its colon',
    ({ head, body }) => raw([...head, `Content-Length : ${body.length}`], body),
    REFUSED,
  ),
];

const wrongCodings: readonly Trial[] = [
  framed('another coding', () => ['Transfer-Encoding: xchunked']),
  framed('a coding in quotes', () => ['Transfer-Encoding: "chunked"']),
  framed('chunked twice', () => ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']),
  framed('chunked twice in one line', () => ['Transfer-Encoding: chunked, chunked']),
  framed('chunked, but not at last', () => ['Transfer-Encoding: chunked, identity']),
  framed('chunked behind a vertical tab', () => ['Transfer-Encoding: \vchunked']),
  framed('chunked before a blank and a colon', () => ['Transfer-Encoding : chunked']),
];

/** The chunks may win, if nothing is read behind them. */
const lengthBesideChunks = framed(
  'a length beside chunks',
  ({ body, hidden }) => [
    `Content-Length: ${chunked(body).length + LAST_CHUNK.length + hidden.length}`,
    'Transfer-Encoding: chunked',
  ],
  { ...REFUSED, warns: ['2xx'] },
);

/** Chunks are last, so that there is one meaning: unpacking it or not, a receiver may go on. */
const compressedChunks = oneOf(
  'compressed, then chunked',
  async (stage) => {
    const { head, body } = await piecesOf(stage);
    return raw([...head, 'Transfer-Encoding: gzip, chunked', 'Connection: close'], chunked(body), LAST_CHUNK);
  },
  { passes: [...REFUSED.passes, '2xx', 401, 415] },
);

function inChunks(name: string, write: (body: Buffer) => Buffer): Trial {
  return oneOf(
    name,
    async (stage) => {
      const { head, body } = await piecesOf(stage);
      return raw([...head, 'Transfer-Encoding: chunked', 'Connection: close'], write(body), LAST_CHUNK);
    },
    { passes: ['2xx', 411] },
  );
}

const rightChunks: readonly Trial[] = [
  inChunks('one chunk', (body) => chunked(body)),
  inChunks('chunks of a hundred bytes', (body) => chunked(body, 100)),
  inChunks('chunks of one byte', (body) => chunked(body, 1)),
  inChunks('chunks with small extensions', (body) => chunked(body, 50, ';a=b;c="d"')),
];

function brokenChunk(name: string, chunk: string): Trial {
  return smuggling(
    name,
    ({ head, body }) => raw([...head, 'Transfer-Encoding: chunked'], chunked(body), chunk, LAST_CHUNK),
    REFUSED,
  );
}

const wrongChunks: readonly Trial[] = [
  brokenChunk('a size that is no number', 'zz\r\n'),
  brokenChunk('a negative size', '-1\r\n'),
  brokenChunk('a size with 0x', '0x5\r\n'),
  brokenChunk('an empty size', '\r\n'),
  brokenChunk('a size that overflows', `${'f'.repeat(17)}\r\n`),
  brokenChunk('a chunk larger than its size', '1\r\nabc\r\n'),
];

const largeChunks: readonly Trial[] = [
  smuggling(
    'an extension of 200 kB',
    ({ head, body }) =>
      raw(
        [...head, 'Transfer-Encoding: chunked'],
        chunked(body, undefined, `;${'a'.repeat(200_000)}`),
        LAST_CHUNK,
      ),
    { passes: [400, 411, 413, 431, 0], warns: ['2xx', 401, 429] },
  ),
  smuggling(
    'trailers of 2 MB',
    ({ head, body }) =>
      raw([...head, 'Transfer-Encoding: chunked'], chunked(body), `0\r\n${'X: y\r\n'.repeat(300_000)}\r\n`),
    { passes: [400, 411, 413, 431, 0], warns: ['2xx', 401, 429] },
  ),
];
