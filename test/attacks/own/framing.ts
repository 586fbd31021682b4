import { withHeader, withHeaders } from '../../../src/lab/conformance/making/edit.ts';
import { chunked, LAST_CHUNK, piecesOf, raw, type Pieces } from '../../../src/lab/conformance/making/raw.ts';
import { smuggling } from '../../../src/lab/conformance/making/smuggling.ts';
import type { Trial } from '../../../src/lab/conformance/rule.ts';
import { answered, refusedAnew } from '../../../src/lab/conformance/trials.ts';
import { accepts, ANY, at, own, refuses, type Own } from './own.ts';

const REFUSED = { passes: [400, 413, 431] };

/** The genuine request in chunks, under these headers; once alone, and once before another one. */
function framed(name: string, headers: (pieces: Pieces) => readonly string[]): Trial {
  return smuggling(
    name,
    (pieces) => raw([...pieces.head, ...headers(pieces)], chunked(pieces.body), LAST_CHUNK),
    REFUSED,
  );
}

function lengthed(name: string, length: (bytes: number) => string): Trial {
  return framed(name, ({ body }) => [`Content-Length: ${length(body.length)}`]);
}

function brokenChunk(name: string, broken: string): Trial {
  return smuggling(
    name,
    ({ head, body }) => raw([...head, 'Transfer-Encoding: chunked'], chunked(body), broken, '\r\n'),
    REFUSED,
  );
}

/** The genuine request in chunks, and nothing wrong with it. */
function inChunks(name: string, framing: string, zeros = ''): Trial {
  return answered(
    `fine: ${name}`,
    async (_genuine, stage) => {
      const { head, body } = await piecesOf(stage);
      return raw([...head, framing, 'Connection: close'], zeros, chunked(body), LAST_CHUNK);
    },
    [200],
  );
}

/** The genuine request under another head. */
function headed(name: string, change: (head: readonly string[]) => readonly string[]): Trial {
  return smuggling(
    name,
    ({ head, body }) => raw([...change(head), `Content-Length: ${body.length}`], body),
    REFUSED,
  );
}

function withLine(name: string, line: string): Trial {
  return headed(name, ([, ...others]) => [line, ...others]);
}

const MUCH = 40_000;

const largeHeads = [
  headed('a header of 40 kB', (head) => [...head, `X: ${'y'.repeat(MUCH)}`]),
  headed('a signature of 40 kB', (head) => [...head, `X-Signature: ${'0'.repeat(MUCH)}`]),
  headed('a name of 40 kB', (head) => [...head, `${'x'.repeat(MUCH)}: y`]),
  headed('8,000 headers', (head) => [...head, ...Array.from({ length: 8_000 }, () => 'X: y')]),
  withLine('a target of 40 kB', `POST /phenixid?${'x'.repeat(MUCH)} HTTP/1.1`),
];

const wrongHeads = [
  headed('a lone line feed', (head) => [...head, 'X: a\nY: b']),
  headed('a lone carriage return', (head) => [...head, 'X: a\rY: b']),
  headed('a name beyond ASCII', (head) => [...head, 'X\u00e9: a']),
  headed('a blank before the method', ([line = '', ...others]) => [` ${line}`, ...others]),
  withLine('a version to come', 'POST /phenixid HTTP/1.2'),
  withLine('HTTP/2 in plain text', 'POST /phenixid HTTP/2.0'),
];

const oddTargets = [
  withLine('an address of its own', 'POST http://localhost/phenixid HTTP/1.1'),
  withLine('an address of another site', 'POST https://evil.example/phenixid HTTP/1.1'),
  withLine('an address without a path', 'POST http://localhost HTTP/1.1'),
  withLine('an address without a host', 'POST http://?x HTTP/1.1'),
  withLine('an address that is broken', 'POST http://[::1 HTTP/1.1'),
  withLine('an address of another kind', 'POST x:// HTTP/1.1'),
  withLine('an asterisk for a path', 'POST * HTTP/1.1'),
  withLine('a path without its slash', 'POST phenixid HTTP/1.1'),
];

/** Group G, as far as one request shows it. */
export const ownFraming: readonly Own[] = [
  own(
    'G1',
    'refuses further opinions on where a body ends',
    { '*: fine: *': 'done', '*': 'request_malformed' },
    at('phenixid', [
      framed('chunks beside a length', ({ body }) => [
        'Transfer-Encoding: chunked',
        `Content-Length: ${body.length}`,
      ]),
      lengthed('the same length twice', (bytes) => `${bytes}\r\nContent-Length: ${bytes}`),
      lengthed('a list of the same length', (bytes) => `${bytes}, ${bytes}`),
      framed('no coding', () => ['Transfer-Encoding: identity']),
      framed('an empty coding', () => ['Transfer-Encoding:']),
      framed('no coding, then chunked', () => ['Transfer-Encoding: identity, chunked']),
      framed('chunked behind a line end', () => ['Transfer-Encoding:\r\n chunked']),
      framed('chunked behind a lone line feed', () => ['X: y\nTransfer-Encoding: chunked']),
      inChunks('chunks by another case', 'tRANSFER-eNCODING: ChunkeD'),
      inChunks('chunks behind a tab', 'Transfer-Encoding:\tchunked '),
      inChunks('chunks with zeros before their size', 'Transfer-Encoding: chunked', '000'),
    ]),
  ),
  own(
    'G2',
    'refuses further broken chunks',
    {
      '*: an extension of 20 kB': 'body_too_large',
      '*: extensions without an end': 'body_too_large',
      '*: trailers of 40 kB': 'headers_too_large',
      '*: more than it reads, byte by byte': 'body_too_large',
      '*': 'request_malformed',
    },
    at('phenixid', [
      brokenChunk('a chunk ended by a line feed', '1\na\n'),
      brokenChunk('a size with a blank before it', ' 1\r\na\r\n'),
      brokenChunk('an extension of 20 kB', `1;${'a'.repeat(20_000)}\r\n`),
      brokenChunk('extensions without an end', '1;a'.repeat(10_000)),
      brokenChunk('trailers of 40 kB', `0\r\n${'X: y\r\n'.repeat(8_000)}`),
      refusedAnew(
        'more than it reads, byte by byte',
        async (stage) => {
          const { head } = await piecesOf(stage);
          return raw(
            [...head, 'Transfer-Encoding: chunked'],
            chunked(Buffer.alloc(30_000, 'x'), 1),
            LAST_CHUNK,
          );
        },
        ANY,
      ),
    ]),
  ),
  own(
    'G5',
    'refuses further heads that are too large or no HTTP',
    {
      '*40 kB': 'headers_too_large',
      '*: 8,000 headers': 'headers_too_large',
      '*: fine: *': 'done',
      '*': 'request_malformed',
    },
    at('phenixid', [
      ...largeHeads,
      ...wrongHeads,
      accepts('fine: a hundred odd headers', (genuine) =>
        withHeaders(
          genuine,
          ...Array.from({ length: 100 }, (_, n) => [`X-${n}`, '\u00e9 "; \\ , =?utf-8?q?'] as const),
        ),
      ),
    ]),
  ),
  own(
    'G6',
    'takes a path for a target, and believes no Host',
    { '*: fine: *': 'done', '*: the expectation *': 'expectation_unknown', '*': 'request_malformed' },
    at('phenixid', [
      ...oddTargets,
      ...['', 'localhost:1', '[::1]'].map((host, index) =>
        accepts(`fine: Host ${index}`, (genuine) => withHeader(genuine, 'Host', host)),
      ),
      ...['100-continued', 'x', ''].map((value, index) =>
        refuses(`the expectation ${index}`, (genuine) => withHeaders(genuine, ['Expect', value])),
      ),
    ]),
  ),
];
