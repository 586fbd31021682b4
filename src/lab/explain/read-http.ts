import { headerValues } from '../../kit/delivery.ts';
import { UsageError } from '../usage.ts';
import type { RawRequest } from '../raw-request.ts';
import { readTrace, sentByCurl } from './read-trace.ts';

/**
 * The request in a file, as people have one: an HTTP message whose lines end with CR LF or LF, with or without the response
 * behind it (mitmproxy, "Follow HTTP stream" of Wireshark), what curl prints with --trace, --trace-ascii or -v, or the
 * lower-case lines of HTTP/2 that browsers show.
 * @throws UsageError in one sentence
 */
export function readRawHttp(file: Buffer): RawRequest {
  const written = inBytes(file);
  if (written.toString('latin1').trim() === '') throw new UsageError('The file is empty.');
  refuseOthers(written);
  const trace = readTrace(written);
  if (trace !== undefined) return message(trace.bytes, trace.answer, trace.doubts);
  const verbose = sentByCurl(written);
  if (verbose === undefined) return message(written, written.toString('latin1'), []);
  const request = message(verbose.bytes, verbose.answer, []);
  const announced = Number(headerValues(request, 'content-length')[0] ?? 0);
  if (announced === 0) return request;
  return { ...request, body: Buffer.alloc(0), doubts: [NO_BODY] };
}

const NO_BODY = 'curl -v does not print the body: write the request down with --trace instead.';

/** Without a byte order mark; what PowerShell has redirected is UTF-16. */
function inBytes(file: Buffer): Buffer {
  if (file[0] === 0xff && file[1] === 0xfe) return Buffer.from(file.toString('utf16le', 2));
  return file[0] === 0xef && file[1] === 0xbb && file[2] === 0xbf ? file.subarray(3) : file;
}

/** What is often taken for a request: by how it begins, and what to do instead. */
const OTHERS: readonly (readonly [beginning: RegExp, words: string])[] = [
  [/^HTTP\/\d/, 'The file begins with a response; the request before it is wanted.'],
  [/^[{[]/, 'The file holds JSON, no HTTP message: if it is a HAR file, read it with --har.'],
  [/^\$? *curl /, 'The file holds a curl command; add --trace request.http to it and take what it writes.'],
  [/^<[!?a-z]/i, 'The file holds HTML or XML, no HTTP message.'],
  [
    /^(?:\xd4\xc3\xb2\xa1|\xa1\xb2\xc3\xd4|\n\r\r\n)/,
    'The file is a packet capture; in Wireshark choose Follow, HTTP Stream, and save that.',
  ],
];

function refuseOthers(written: Buffer): void {
  const beginning = written.toString('latin1', 0, 100);
  const found = OTHERS.find(([shape]) => shape.test(beginning) || shape.test(beginning.trimStart()));
  if (found !== undefined) throw new UsageError(found[1]);
}

function message(bytes: Buffer, answer: string, doubts: readonly string[]): RawRequest {
  const { head, behind } = split(bytes);
  const lines = unfolded(head.split(/\r?\n/));
  const [first = '', ...rest] = lines;
  const request = first.startsWith(':') ? pseudo(lines) : withRequestLine(first, rest);
  const { body, doubt } = bodyOf(behind, request);
  const all = doubt === undefined ? doubts : [...doubts, doubt];
  const at = answeredAt(answer);
  return {
    ...request,
    body,
    ...(at !== undefined && { at }),
    ...(all.length > 0 && { doubts: all }),
  };
}

/** When a receiver answered, by its own clock: the Date of the response, and not that of the request. */
function answeredAt(answer: string): number | undefined {
  const [, date = ''] =
    /HTTP\/[12](?:\.[01])? \d{3}[^\n]*\n(?:[^\n:]+:[^\n]*\n)*?date:([^\r\n]+)/i.exec(answer) ?? [];
  const at = Date.parse(date);
  return Number.isNaN(at) ? undefined : at;
}

/** Up to the first line that is empty; what is behind it. */
function split(bytes: Buffer): { head: string; behind: Buffer } {
  const text = bytes.toString('latin1'); // one character a byte
  const start = /^[\r\n]*/.exec(text)?.[0].length ?? 0;
  const end = /\r?\n\r?\n/.exec(text.slice(start));
  if (end === null) return { head: text.slice(start).trimEnd(), behind: Buffer.alloc(0) };
  const at = start + end.index;
  return { head: text.slice(start, at), behind: bytes.subarray(at + end[0].length) };
}

/** A line that begins with a blank goes on with the one before. */
function unfolded(lines: readonly string[]): string[] {
  const whole: string[] = [];
  for (const line of lines) {
    const before = whole.at(-1);
    if (before !== undefined && /^[ \t]/.test(line)) whole[whole.length - 1] = `${before} ${line.trim()}`;
    else whole.push(line);
  }
  return whole;
}

type Head = Omit<RawRequest, 'body'>;

function withRequestLine(first: string, lines: readonly string[]): Head {
  const [, method, target, version] = /^([A-Z]+) (\S+) HTTP\/([\d.]+)$/i.exec(first.trimEnd()) ?? [];
  if (method === undefined || target === undefined || version === undefined) {
    throw new UsageError(
      'The file does not begin with a line like "POST /hotdocs/InterviewLoadEvent HTTP/1.1", so it is no HTTP message.',
    );
  }
  const headers = lines.flatMap((line, at) => header(line, at + 2));
  return { method, target: withoutOrigin(target), httpVersion: spoken(version), headers };
}

function header(line: string, number: number): [name: string, value: string] {
  const [, name, value] = /^([^:\s]+)[ \t]*:[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
  if (name !== undefined && value !== undefined) return [name, value];
  throw new UsageError(`Line ${number} of the head is no header: a name, a colon and a value are expected.`);
}

/** `:method: POST` in the place of a request line. */
function pseudo(lines: readonly string[]): Head {
  const fields = lines.map((line): [string, string] => {
    const [, name, value] = /^(:?[^:\s]+)[ \t]*:[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) return [name, value];
    throw new UsageError(
      'The file begins as HTTP/2 does, but not all of its lines are a name, a colon and a value.',
    );
  });
  return plainHead(fields, '2');
}

/**
 * The head that has these fields, the pseudo headers of HTTP/2 put where HTTP/1.1 has them: a receiver behind a proxy gets
 * HTTP/1.1, whatever the proxy was spoken to in.
 */
export function plainHead(fields: readonly (readonly [string, string])[], version: string): Head {
  const special = new Map(fields.filter(([name]) => name.startsWith(':')));
  const method = special.get(':method');
  const target = special.get(':path');
  if (method === undefined || target === undefined) {
    throw new UsageError('The request has no :method or no :path.');
  }
  const plain = fields.filter(([name]) => !name.startsWith(':'));
  const host = special.get(':authority');
  const isNamed = plain.some(([name]) => name.toLowerCase() === 'host');
  const headers = [...(host === undefined || isNamed ? [] : ['Host', host]), ...plain.flat()];
  return { method, target: withoutOrigin(target), httpVersion: spoken(version), headers };
}

function spoken(version: string): string {
  return version === '1.0' ? version : '1.1';
}

/** Path and query as written; a request to a proxy has the whole address. */
export function withoutOrigin(target: string): string {
  const [, path] = /^https?:\/\/[^/?#]*([^#]*)/i.exec(target) ?? [];
  if (path === undefined) return target;
  return path.startsWith('/') ? path : `/${path}`;
}

interface Body {
  readonly body: Buffer;
  readonly doubt?: string;
}

function bodyOf(written: Buffer, head: Pick<RawRequest, 'headers'>): Body {
  const behind = withoutContinue(written);
  const isChunked = headerValues(head, 'transfer-encoding').some((value) => /\bchunked\b/i.test(value));
  const whole = isChunked ? dechunked(behind) : undefined;
  if (whole !== undefined) return { body: whole };
  const [length] = headerValues(head, 'content-length');
  if (isChunked || length === undefined) return { body: withoutResponse(behind) };
  return measured(behind, Number(length));
}

/** A sender that expects "100 Continue" gets it before it sends the body. */
function withoutContinue(behind: Buffer): Buffer {
  const interim = /^\s*HTTP\/1\.1 100[^\n]*\n(?:[^\r\n]+\r?\n)*\r?\n/.exec(
    behind.toString('latin1', 0, 4096),
  );
  return interim === null ? behind : behind.subarray(interim[0].length);
}

/** The bytes that Content-Length announces, unless something else shows that it is not to be believed. */
function measured(behind: Buffer, length: number): Body {
  if (!Number.isSafeInteger(length) || length < 0) {
    return {
      body: withoutResponse(behind),
      doubt: 'Content-Length is no number; all that is there was taken.',
    };
  }
  const rest = behind.subarray(length);
  if (behind.length >= length && /^\s*($|HTTP\/\d)/.test(rest.toString('latin1', 0, 1024))) {
    return { body: behind.subarray(0, length) };
  }
  const body = withoutResponse(behind);
  if (body.length === length) return { body };
  const doubt =
    `Content-Length says ${length} bytes, and ${body.length} stand behind the head: ` +
    `the body was ${body.length < length ? 'cut, or its line ends were changed' : 'changed'}, on its way or in this file.`;
  return { body, doubt };
}

/** Where no length tells it, a response begins with its status line. */
function withoutResponse(behind: Buffer): Buffer {
  const response = /(?:^|\r?\n(?:\r?\n)?)HTTP\/\d(?:\.\d)? \d{3}[ \r\n]/.exec(behind.toString('latin1'));
  return response === null ? behind : behind.subarray(0, response.index);
}

/** `undefined` where no chunks are: most tools have taken them apart. */
function dechunked(behind: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const line = /^([0-9a-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n/i.exec(behind.toString('latin1', at, at + 1024));
    if (line === null) return undefined;
    at += line[0].length;
    const size = Number.parseInt(line[1] ?? '', 16);
    if (size === 0) return Buffer.concat(parts);
    if (at + size > behind.length) return undefined;
    parts.push(behind.subarray(at, at + size));
    at += size;
    at += /^\r?\n/.exec(behind.toString('latin1', at, at + 2))?.[0].length ?? 0;
  }
}
