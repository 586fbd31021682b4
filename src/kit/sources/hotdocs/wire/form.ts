import { headerValues, type Delivery } from '../../../delivery.ts';
import type { OutgoingRequest } from '../../../source.ts';

/** A named text of a form or a query, in order and with repeats. */
export type Field = readonly [name: string, value: string];

/** More than any form of Advance's has; enough to keep a flood of fields from costing time. */
const MAX_FIELDS = 1000;

/** `undefined` when there are too many. */
export function urlencodedFields(text: string): readonly Field[] | undefined {
  if (text === '') return [];
  if (countOf(text, '&') >= MAX_FIELDS) return undefined;
  // URLSearchParams drops a leading question mark, and an empty pair in front of it does no harm.
  return [...new URLSearchParams(`&${text}`)];
}

function countOf(text: string, separator: string): number {
  let count = 0;
  for (let at = text.indexOf(separator); at !== -1; at = text.indexOf(separator, at + 1)) count += 1;
  return count;
}

/** A multipart body starts with its boundary, whose spelling only the header tells for certain. */
export function multipartType({ headers, body }: Delivery): string | undefined {
  if (body[0] !== DASH || body[1] !== DASH) return undefined;
  const [type, ...others] = headerValues({ headers }, 'content-type');
  return type !== undefined && others.length === 0 && /^multipart\/form-data\s*;/i.test(type)
    ? type
    : undefined;
}

const DASH = 0x2d;

/** Files are no fields. `undefined` when it is no multipart form after all, or has too many parts. */
export async function multipartFields(body: Buffer, type: string): Promise<readonly Field[] | undefined> {
  if (countOf(body.toString('latin1'), '\r\n--') > MAX_FIELDS) return undefined;
  const form = await formData(body, type);
  return (
    form && [...form].flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : []))
  );
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
