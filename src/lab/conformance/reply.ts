import type { Header } from './wire.ts';

/** A reply as far as it can be told from the bytes of a connection. */
export interface ParsedReply {
  /** 0 when no reply came, or none that is HTTP. */
  readonly status: number;
  /** Names in lower case. */
  readonly headers: readonly Header[];
  readonly body: Buffer;
  /** It came to its end. */
  readonly whole: boolean;
  /** What came behind it on the same connection. */
  readonly rest: Buffer;
}

const NOTHING: ParsedReply = {
  status: 0,
  headers: [],
  body: Buffer.alloc(0),
  whole: false,
  rest: Buffer.alloc(0),
};

// More than this no receiver has a use for: what goes on for ever must end here.
const MOST_INTERIM = 100;
const MOST_HEAD_BYTES = 256 * 1024;
const MOST_CHUNKS = 100_000;

/** The first reply that is not interim (100, 103). `closed`: no more bytes will come. */
export function parseReply(bytes: Buffer, closed: boolean, method = 'POST'): ParsedReply {
  let at = 0;
  for (let replies = 0; replies <= MOST_INTERIM; replies += 1) {
    const rest = bytes.subarray(at);
    const headEnd = rest.subarray(0, MOST_HEAD_BYTES).indexOf('\r\n\r\n');
    if (headEnd < 0) return { ...NOTHING, body: rest };
    const [statusLine = '', ...lines] = rest.toString('latin1', 0, headEnd).split('\r\n');
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine)?.[1] ?? 0);
    if (status === 0) return { ...NOTHING, body: rest };
    at += headEnd + 4;
    if (status >= 200 || status === 101) {
      const headers = lines.map(headerOfLine);
      return { status, headers, ...bodyOf(bytes.subarray(at), { status, headers }, method, closed) };
    }
  }
  return { ...NOTHING, body: bytes };
}

/** All values of one header, in order; `name` is in lower case. */
export function valuesOf({ headers }: Pick<ParsedReply, 'headers'>, name: string): string[] {
  return headers.filter(([candidate]) => candidate === name).map(([, value]) => value);
}

function headerOfLine(line: string): Header {
  const colon = line.indexOf(':');
  return [line.slice(0, Math.max(colon, 0)).toLowerCase(), line.slice(colon + 1).trim()];
}

type Framed = Pick<ParsedReply, 'body' | 'whole' | 'rest'>;

/** https://www.rfc-editor.org/rfc/rfc9112#section-6.3 */
function bodyOf(
  after: Buffer,
  head: Pick<ParsedReply, 'status' | 'headers'>,
  method: string,
  closed: boolean,
): Framed {
  if (method === 'HEAD' || head.status === 204 || head.status === 304) return cut(after, 0);
  if (/\bchunked$/i.test(valuesOf(head, 'transfer-encoding').at(-1) ?? '')) return chunked(after);
  const [length] = valuesOf(head, 'content-length');
  if (length !== undefined) return cut(after, Number(length));
  return { body: after, whole: closed, rest: Buffer.alloc(0) };
}

function cut(bytes: Buffer, length: number): Framed {
  return { body: bytes.subarray(0, length), whole: bytes.length >= length, rest: bytes.subarray(length) };
}

function chunked(bytes: Buffer): Framed {
  const chunks: Buffer[] = [];
  let at = 0;
  while (chunks.length < MOST_CHUNKS) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const line = lineEnd < 0 ? '' : bytes.toString('latin1', at, Math.min(lineEnd, at + 32));
    const size = parseInt(/^[ \t]{0,8}[0-9a-f]{1,8}/i.exec(line)?.[0] ?? '', 16);
    const start = lineEnd + 2;
    if (Number.isNaN(size) || start + size + 2 > bytes.length) return partOf(chunks);
    if (size === 0) {
      const end = bytes.indexOf('\r\n', start);
      if (end < 0) return partOf(chunks);
      return { body: Buffer.concat(chunks), whole: true, rest: bytes.subarray(end + 2) };
    }
    chunks.push(bytes.subarray(start, start + size));
    at = start + size + 2;
  }
  return partOf(chunks);
}

function partOf(chunks: readonly Buffer[]): Framed {
  return { body: Buffer.concat(chunks), whole: false, rest: Buffer.alloc(0) };
}
