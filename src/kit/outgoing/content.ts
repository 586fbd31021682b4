import { extname } from 'node:path';
import { textIn } from '../reading/text.ts';
import { CallFailed, nameOf } from './errors.ts';
import type { Ends } from './save.ts';
import type { OutgoingCall, Reply } from './send.ts';

/** What a document is said to be before it comes: by the event that names it, or by its API. */
export interface Announced {
  readonly fileName?: string | undefined;
  /** A MIME type. */
  readonly contentType?: string | undefined;
}

/** A kind of document that can be told by its bytes. */
interface Kind {
  readonly name: string;
  readonly types: RegExp;
  readonly extensions: RegExp;
  readonly begins: (first: Buffer) => boolean;
  /** `exactly`: nothing may stand behind the end, since it could be the beginning of more. Left out: no end can be told. */
  readonly ends?: (last: Buffer, exactly: boolean) => boolean;
}

const kinds: readonly Kind[] = [
  {
    name: 'Office or other zip file',
    // Many say the types of before 2007 of newer files, too.
    types:
      /^application\/(zip|msword|vnd\.(openxmlformats-officedocument|oasis\.opendocument|ms-[a-z]+)\S*)$/,
    extensions: /^\.(zip|do[ct][xm]|xl[st][xm]|p[op][ts][xm]|od[tspg])$/,
    begins: (first) => startsWith(first, 'PK\x03\x04'),
    ends: endsAsZip,
  },
  {
    // The compound file of [MS-CFB], 2.2: what Office wrote before 2007.
    name: 'Word, Excel or PowerPoint file of before 2007',
    types: /^application\/((x-)?ms-?(word|excel|powerpoint)|vnd\.ms-(word|excel|powerpoint|outlook))$/,
    extensions: /^\.(do[ct]|xl[st]|p[op][ts]|msg)$/,
    begins: (first) => startsWith(first, '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'),
  },
  {
    name: 'PNG image',
    types: /^image\/(x-)?png$/,
    extensions: /^\.png$/,
    begins: (first) => startsWith(first, '\x89PNG\r\n\x1a\n'),
    ends: (last, exactly) => endsWith(last, 'IEND\xae\x42\x60\x82', exactly),
  },
  {
    name: 'JPEG image',
    types: /^image\/p?jpe?g$/,
    extensions: /^\.(jpe?g|jfif)$/,
    begins: (first) => startsWith(first, '\xff\xd8\xff'),
    ends: (last, exactly) => endsWith(last, '\xff\xd9', exactly),
  },
  {
    name: 'RTF document',
    // Word opens it under the name of its own form, and much software writes it so.
    types: /^((application|text)\/(x-)?rtf|application\/msword)$/,
    extensions: /^\.(rtf|doc)$/,
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
  if (headers['content-range'] !== undefined) {
    throw fail('content', 'that are a part of something, by their Content-Range');
  }
  const saidType = typeOf(headers['content-type']);
  const byEvent = kindsOf(announced);
  const said = byEvent.length > 0 ? byEvent : kindsOf({ contentType: saidType });
  const kind = kinds.find(({ begins }) => begins(first));
  if (said.length > 0 && (kind === undefined || !said.includes(kind))) {
    const names = said.map(({ name }) => name).join(' and no ');
    throw fail('content', `that are no ${names}, though one was announced`);
  }
  if (bytes === 0) throw fail('content', 'where a document was to come');
  if (kind === undefined) {
    const isMessage = MESSAGE_TYPE.test(saidType) || beginsAsMessage(first);
    if (isMessage && !isAnnounced(announced, MESSAGE_TYPE, MESSAGE_EXTENSION)) {
      throw fail('content', 'that are a page or a message (perhaps to sign in), and no document');
    }
    if (!isMessage && isText(first) && !isAnnounced(announced, TEXT_TYPE, TEXT_EXTENSION)) {
      throw fail('content', 'of text (perhaps a message), though no text was announced');
    }
  }

  const isFramed = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  if (kind?.ends === undefined ? isFramed : kind.ends(last, !isFramed)) return;
  const missing =
    kind?.ends === undefined
      ? 'and no length, so nobody can tell whether'
      : `of a ${kind.name} that has no end:`;
  throw fail(isFramed ? 'content' : 'truncated', `${missing} part of it is missing`);
}

function kindsOf(announced: Announced): readonly Kind[] {
  return kinds.filter(({ types, extensions }) => isAnnounced(announced, types, extensions));
}

/** Blanks around a name are no part of it, and a type without a slash is read as an extension. */
function isAnnounced({ fileName = '', contentType }: Announced, types: RegExp, extensions: RegExp): boolean {
  const type = typeOf(contentType);
  const named = [
    extname(fileName.trim()).toLowerCase(),
    type.includes('/') ? '' : `.${type.replace(/^\./, '')}`,
  ];
  return types.test(type) || named.some((extension) => extensions.test(extension));
}

/** Without parameters, in lower case. */
function typeOf(header: string | string[] | undefined): string {
  const [type = ''] = [header ?? ''].flat().join(',').split(/[;,]/);
  return type.trim().toLowerCase();
}

/** What pages and errors come as. */
const MESSAGE_TYPE = /^(text\/html|(application|text|image)\/(\S+\+)?(xml|json))$/;
/** `.anx`: the answers of HotDocs. */
const MESSAGE_EXTENSION = /^\.(x?html?|json|xml|svg|anx)$/;
const TEXT_TYPE = /^(text\/\S+|message\/\S+|application\/(postscript|(\S+[-+])?(xml|json|yaml)))$/;
const TEXT_EXTENSION = /^\.(te?xt|csv|tsv|md|log|ics|vcf|eml|e?ps|ya?ml|x?html?|json|xml|svg|anx)$/;

/** HTML or XML in any encoding: without its mark, and without the zeros of UTF-16. */
function beginsAsMessage(first: Buffer): boolean {
  const start = first
    .toString('latin1')
    .replace(/^(\xef\xbb\xbf|\xff\xfe|\xfe\xff)/, '')
    .replaceAll('\0', '');
  return /^(\s|<!--[^]*?-->)*<(\?xml|!doctype|[a-z][\w.:-]*[\s/>])/i.test(start);
}

/** Without control characters but white space; zeros are of UTF-16 only where there are many. */
function isText(first: Buffer): boolean {
  const zeros = first.filter((byte) => byte === 0).length;
  if (zeros > 0 && zeros < first.length / 4) return false;
  return !/[^\P{Cc}\s]/u.test(textIn(first));
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

function startsWith(first: Buffer, start: string): boolean {
  return first.subarray(0, start.length).equals(Buffer.from(start, 'latin1'));
}

function endsWith(last: Buffer, end: string, exactly: boolean): boolean {
  return (exactly ? last.subarray(-end.length) : last).includes(end, 0, 'latin1');
}

function withoutPadding(last: Buffer): Buffer {
  let end = last.length;
  while (end > 0 && (last[end - 1] ?? 0) <= 0x20) end -= 1;
  return last.subarray(0, end);
}
