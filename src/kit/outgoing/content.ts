import { extname } from 'node:path';
import { CallFailed, nameOf } from './errors.ts';
import type { Ends } from './save.ts';
import type { OutgoingCall, Reply } from './send.ts';

/** What a document is said to be before it comes: by the event that names it, or by its API. */
export interface Announced {
  readonly fileName?: string | undefined;
  /** A MIME type. */
  readonly contentType?: string | undefined;
}

/** A kind of document of which one can tell whether it is whole. */
interface Kind {
  readonly name: string;
  readonly types: RegExp;
  readonly extensions: RegExp;
  readonly begins: (first: Buffer) => boolean;
  /** `exactly`: nothing may stand behind the end, since it could be the beginning of more. */
  readonly ends: (last: Buffer, exactly: boolean) => boolean;
}

const kinds: readonly Kind[] = [
  {
    name: 'Office or other zip file',
    types: /^application\/(zip|vnd\.(openxmlformats-officedocument|oasis\.opendocument|ms-[a-z]+\.)\S*)$/,
    extensions: /^\.(zip|do[ct][xm]|xl[st][xm]|p[op][ts][xm]|od[tspg])$/,
    begins: (first) => first.subarray(0, 4).equals(Buffer.from('PK\x03\x04')),
    ends: endsAsZip,
  },
  {
    name: 'RTF document',
    types: /^(application|text)\/(x-)?rtf$/,
    extensions: /^\.rtf$/,
    begins: (first) => first.toString('latin1').trimStart().startsWith('{\\rtf'),
    ends: (last) => withoutPadding(last).at(-1) === 0x7d, // }
  },
  // The last, since it may begin behind other bytes.
  {
    name: 'PDF',
    types: /^application\/(x-)?pdf$/,
    extensions: /^\.pdf$/,
    begins: beginsAsPdf,
    ends: endsAsPdf,
  },
];

/** Some bytes may stand before the header of a PDF: all readers find it within the first 1,024. */
export function beginsAsPdf(file: Buffer): boolean {
  return file.subarray(0, 1024).includes('%PDF-');
}

/**
 * Refuses what is not the document: nothing, a part of it, a page to sign in, a message in JSON.
 * @throws CallFailed `content`, or `truncated` where the connection may have been cut
 */
export function checkContent(
  call: OutgoingCall,
  { statusCode: status, headers }: Reply,
  announced: Announced,
  { first, last, bytes }: Ends,
): void {
  const fail = (code: 'content' | 'truncated', what: string) =>
    new CallFailed(code, `${nameOf(call)} was answered with ${bytes} bytes ${what}.`, { status });
  const saidType = typeOf(headers['content-type']);
  const byEvent = kindsOf(announced);
  const said = byEvent.length > 0 ? byEvent : kindsOf({ contentType: saidType });
  const kind = kinds.find(({ begins }) => begins(first));
  if (said.length > 0 && (kind === undefined || !said.includes(kind))) {
    const names = said.map(({ name }) => name).join(' and no ');
    throw fail('content', `that are no ${names}, though one was announced`);
  }
  if (bytes === 0) throw fail('content', 'where a document was to come');
  const isPage = kind === undefined && (beginsAsPage(first) || isMessage(saidType));
  if (isPage && !mayBePage(announced)) {
    throw fail('content', 'that are a page or a message (perhaps to sign in), and no document');
  }

  const isFramed = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  if (kind === undefined ? isFramed : kind.ends(last, !isFramed)) return;
  const missing =
    kind === undefined ? 'and no length, so nobody can tell whether' : `of a ${kind.name} that has no end:`;
  throw fail(isFramed ? 'content' : 'truncated', `${missing} part of it is missing`);
}

function kindsOf({ fileName = '', contentType }: Announced): readonly Kind[] {
  const [extension, type] = [extname(fileName).toLowerCase(), typeOf(contentType)];
  return kinds.filter(({ types, extensions }) => types.test(type) || extensions.test(extension));
}

/** Without parameters, in lower case. */
function typeOf(header: string | string[] | undefined): string {
  const [type = ''] = [header ?? ''].flat().join(',').split(/[;,]/);
  return type.trim().toLowerCase();
}

function isMessage(type: string): boolean {
  return /^(text\/html|application\/xhtml\+xml|(application|text)\/(\S+\+)?json)$/.test(type);
}

function mayBePage({ fileName = '', contentType }: Announced): boolean {
  return isMessage(typeOf(contentType)) || /^\.(x?html?|json)$/i.test(extname(fileName));
}

/** In any encoding: without its mark, and without the zeros of UTF-16. */
function beginsAsPage(first: Buffer): boolean {
  const start = first
    .toString('latin1')
    .replace(/^(\xef\xbb\xbf|\xff\xfe|\xfe\xff)/, '')
    .replaceAll('\0', '');
  return /^(\s|<\?xml[^>]*>|<!--[^]*?-->)*<(!doctype\s+html|html|head|body|title|script|meta)\b/i.test(start);
}

/** `%%EOF` is the last of a PDF, but for bytes that readers forgive. */
function endsAsPdf(last: Buffer, exactly: boolean): boolean {
  const end = withoutPadding(last);
  return end.subarray(exactly ? -5 : -1024).includes('%%EOF');
}

/** The end of the central directory, which is 22 bytes and a comment: https://pkware.com/appnote, 4.3.16 */
function endsAsZip(last: Buffer, exactly: boolean): boolean {
  const at = last.lastIndexOf('PK\x05\x06');
  if (at < 0 || at + 22 > last.length) return false;
  const end = at + 22 + last.readUInt16LE(at + 20);
  return exactly ? end === last.length : end <= last.length;
}

function withoutPadding(last: Buffer): Buffer {
  let end = last.length;
  while (end > 0 && (last[end - 1] ?? 0) <= 0x20) end -= 1;
  return last.subarray(0, end);
}
