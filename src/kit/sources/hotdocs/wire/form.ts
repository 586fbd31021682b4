import { headerValues, type Delivery } from '../../../delivery.ts';
import type { OutgoingRequest } from '../../../source.ts';

/** A named text of a form or a query, in order and with repeats. */
export type Field = readonly [name: string, value: string];

/** More than any form of Advance's has; enough to keep a flood of fields from costing time. */
const MAX_FIELDS = 1000;

/** `undefined` when there are too many. */
export function urlencodedFields(text: string): readonly Field[] | undefined {
  if (text === '') return [];
  if (hasMore(text, '&', MAX_FIELDS - 1)) return undefined;
  // URLSearchParams drops a leading question mark, and an empty pair in front of it does no harm.
  return [...new URLSearchParams(`&${text}`)];
}

/**
 * The values of the fields whose name, as written or percent-encoded, fits the pattern. What else is in the text is passed over:
 * nobody has proven anything yet, and decoding a megabyte takes time. `undefined` when there are too many fields.
 */
export function urlencodedValues(text: string, name: RegExp, longest: number): string[] | undefined {
  if (hasMore(text, '&', MAX_FIELDS - 1)) return undefined;
  return text.split('&').flatMap((pair) => {
    const equals = pair.indexOf('=');
    const written = equals === -1 ? pair : pair.slice(0, equals);
    // Three characters for each one, at most.
    if (written.length > 3 * longest || !name.test(decoded(written))) return [];
    return [equals === -1 ? '' : decoded(pair.slice(equals + 1))];
  });
}

/** A plus stays one: no name and no value that is looked for has a blank in it. */
function decoded(text: string): string {
  if (!text.includes('%') || text.includes('+')) return text;
  return new URLSearchParams(`x=${text}`).get('x') ?? '';
}

function hasMore(text: string, separator: string, most: number): boolean {
  let at = -1;
  for (let count = 0; count <= most; count += 1) {
    at = text.indexOf(separator, at + 1);
    if (at === -1) return false;
  }
  return true;
}

/** A form in parts, from its first boundary on. */
export interface Multipart {
  readonly body: Buffer;
  /** Its Content-Type. */
  readonly type: string;
}

/**
 * The multipart form of a delivery, if it is one: only the header tells the boundary for certain. What stands before the
 * first one means nothing (RFC 2046, 5.1.1) and is passed over.
 */
export function multipartOf({ headers, body }: Delivery): Multipart | undefined {
  const [type, ...others] = headerValues({ headers }, 'content-type');
  if (type === undefined || others.length > 0 || !/^multipart\/form-data\s*;/i.test(type)) return undefined;
  if (body[0] === DASH && body[1] === DASH) return { body, type };
  const boundary = boundaryIn(type);
  const preambleEnds = boundary === undefined ? -1 : body.indexOf(`${LINE_END}--${boundary}`);
  if (preambleEnds === -1) return undefined;
  return { body: body.subarray(preambleEnds + LINE_END.length), type };
}

const DASH = 0x2d;
const LINE_END = '\r\n';

function boundaryIn(type: string): string | undefined {
  const [, quoted, plain] = /boundary=(?:"([^"]{1,70})"|([^";,\s]{1,70}))/i.exec(type) ?? [];
  return quoted ?? plain;
}

/** Files are no fields. `undefined` when it is no multipart form after all, or has too many parts. */
export async function multipartFields({ body, type }: Multipart): Promise<readonly Field[] | undefined> {
  const text = body.toString('latin1');
  if (hasMore(text, '\r\n--', MAX_FIELDS) || !hasSmallHeads(text, type)) return undefined;
  const form = await formData(body, type);
  return (
    form && [...form].flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : []))
  );
}

/** The headers of a part of Advance's have a hundred bytes; reading a megabyte of them takes time. */
const MAX_HEAD = 2_048;

/** Whether there are parts at all, and none with more before its value than that. */
function hasSmallHeads(body: string, type: string): boolean {
  const boundary = boundaryIn(type);
  if (boundary === undefined) return false;
  const text = `\r\n${body}`;
  const delimiter = `\r\n--${boundary}`;
  let at = text.indexOf(delimiter);
  if (at === -1) return false;
  for (; at !== -1; at = text.indexOf(delimiter, at + 1)) {
    const head = text.slice(at, at + MAX_HEAD);
    if (head.length === MAX_HEAD && !head.includes('\r\n\r\n')) return false;
  }
  return true;
}

async function formData(body: Buffer, type: string): Promise<FormData | undefined> {
  try {
    // Deprecated for bodies of any size from anybody; this one is in memory and its parts are counted.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    return await new Response(Uint8Array.from(body), { headers: { 'content-type': type } }).formData();
  } catch {
    return undefined; // its own message may quote the body
  }
}

/** Where a request goes, before anything is put into it. */
export interface Blank {
  readonly method: string;
  readonly path: string;
}

/** The sender's half. */
export function placeFields(
  fields: readonly Field[],
  { method, path }: Blank,
  place: 'form' | 'query' | 'multipart',
): OutgoingRequest {
  switch (place) {
    case 'form':
      return {
        method,
        target: path,
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: Buffer.from(urlencoded(fields)),
      };
    case 'query':
      return { method, target: `${path}?${urlencoded(fields)}`, headers: {}, body: Buffer.alloc(0) };
    case 'multipart':
      return {
        method,
        target: path,
        headers: { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` },
        body: Buffer.from(multipart(fields)),
      };
  }
}

function urlencoded(fields: readonly Field[]): string {
  return new URLSearchParams(fields.map(([name, value]): [string, string] => [name, value])).toString();
}

const BOUNDARY = 'hotdocs-advance-form-boundary';

function multipart(fields: readonly Field[]): string {
  const parts = fields.map(
    ([name, value]) =>
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${quoted(name)}"\r\n\r\n${value}\r\n`,
  );
  return `${parts.join('')}--${BOUNDARY}--\r\n`;
}

/** https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data */
function quoted(name: string): string {
  return name.replace(/\n/g, '%0A').replace(/\r/g, '%0D').replace(/"/g, '%22');
}
