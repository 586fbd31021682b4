import { readdir } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import { createOutgoing } from '../../../src/kit/outgoing/client.ts';
import type { Announced } from '../../../src/kit/outgoing/content.ts';
import { createDocx, createPdf } from '../../../src/lab/mock/platforms/documents.ts';
import { errorOf, outcomeOf, startOtherSide } from './other-side.ts';
import { later, newFolder } from '../../support/fixtures.ts';

const pdf = createPdf(['a lease']);
const docx = createDocx(['a lease']);
const rtf = Buffer.from('{\\rtf1 a lease}\r\n');
const latin1 = (text: string) => Buffer.from(text, 'latin1');
const doc = latin1('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0 a lease');
const png = latin1('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0IEND\xae\x42\x60\x82');
const jpeg = latin1('\xff\xd8\xff\xe0\0\x10JFIF\0\xff\xd9');
const gif = latin1('GIF89a\x01\0\x01\0;');
const unavailable = Buffer.from('Service temporarily unavailable');
const xml = Buffer.from('<Error><Code>AccessDenied</Code></Error>');
const page = Buffer.from('<!DOCTYPE html><title>Sign in</title>');
const behind = (start: string, document: Buffer) => Buffer.concat([Buffer.from(start, 'latin1'), document]);

interface Reply {
  readonly body: Buffer;
  readonly type?: string | undefined;
  /** The connection's end is the reply's. */
  readonly unframed?: boolean;
  readonly headers?: readonly string[];
}

async function download({ body, type, unframed = false, headers = [] }: Reply, announced: Announced = {}) {
  const head = [
    'HTTP/1.1 200 OK',
    ...headers,
    ...(type === undefined ? [] : [`Content-Type: ${type}`]),
    ...(unframed ? ['Connection: close'] : [`Content-Length: ${body.length}`]),
  ];
  const side = await startOtherSide(({ socket }) => socket.end(behind(`${head.join('\r\n')}\r\n\r\n`, body)));
  const outgoing = createOutgoing({ hosts: [side.origin] });
  later(side.stop, () => outgoing.close());
  const directory = newFolder();
  const downloaded = outgoing.download({ method: 'GET', url: new URL(side.origin) }, directory, announced);
  return { downloaded, directory };
}

it.each<[string, Reply, Announced]>([
  ['a PDF', { body: pdf }, { fileName: 'Lease.PDF' }],
  ['a PDF behind a line end', { body: behind('\r\n', pdf) }, { contentType: 'application/pdf' }],
  [
    'a PDF behind a byte order mark',
    { body: behind('\xef\xbb\xbf', pdf) },
    { contentType: 'application/pdf' },
  ],
  ['a PDF behind a hundred bytes', { body: behind('x'.repeat(100), pdf) }, { fileName: 'a.pdf' }],
  [
    'a PDF with bytes behind it',
    { body: Buffer.concat([pdf, Buffer.from('garbage')]) },
    { fileName: 'a.pdf' },
  ],
  ['a PDF that ends with its connection', { body: pdf, unframed: true }, { fileName: 'a.pdf' }],
  ['a PDF of any type that the reply says', { body: pdf, type: 'text/html' }, { fileName: 'a.pdf' }],
  ['a PDF of which nothing is said', { body: pdf, type: 'application/octet-stream' }, {}],
  ['a Word document', { body: docx }, { fileName: 'Lease Agreement.docx' }],
  ['a Word document that ends with its connection', { body: docx, unframed: true }, { fileName: 'a.docx' }],
  [
    'what fits one of two announcements',
    { body: pdf },
    { fileName: 'a.docx', contentType: 'application/pdf' },
  ],
  ['a type with odd parameters', { body: pdf, type: 'Application/PDF ; name="a;b" ;; q=1' }, {}],
  ['an RTF document', { body: rtf, unframed: true }, { contentType: 'application/rtf; charset=x' }],
  ['a Word document of before 2007', { body: doc }, { fileName: 'Lease.doc' }],
  ['an RTF document under the name of Word', { body: rtf }, { contentType: 'application/msword' }],
  ['a newer document of an older type', { body: docx, type: 'application/msword' }, {}],
  ['a PNG image', { body: png, type: 'image/png', unframed: true }, { fileName: 'Plan.png' }],
  ['a JPEG image', { body: jpeg, type: 'image/jpeg', unframed: true }, { contentType: 'image/jpg' }],
  ['an image of a kind that is not known', { body: gif }, { contentType: 'image/gif' }],
  ['bytes of which nothing is said', { body: gif, type: 'application/octet-stream' }, {}],
  ['a PDF with blanks around its name', { body: pdf }, { fileName: ' Lease.pdf ' }],
  ['answers that are announced', { body: xml, type: 'application/xml' }, { fileName: 'Answers.anx' }],
  ['a text of an announced type', { body: unavailable }, { contentType: 'text/csv; charset=utf-8' }],
  ['a text', { body: Buffer.from('a lease'), type: 'text/plain' }, { fileName: 'Lease.txt' }],
  ['a page that is announced', { body: page, type: 'text/html' }, { fileName: 'Lease.html' }],
])('takes %s for the document', async (_what, reply, announced) => {
  const { downloaded } = await download(reply, announced);
  expect(await downloaded).toMatchObject({ bytes: reply.body.length });
});

it.each<[string, string, Reply, Announced]>([
  ['nothing', 'content', { body: Buffer.of(), type: 'application/pdf' }, {}],
  ['nothing at all', 'content', { body: Buffer.of() }, {}],
  ['a page to sign in', 'content', { body: page, type: 'text/html' }, { fileName: 'Lease.pdf' }],
  ['a page to sign in of which nothing is said', 'content', { body: page }, {}],
  ['a page in UTF-16', 'content', { body: Buffer.from(`\ufeff${String(page)}`, 'utf16le') }, {}],
  ['a page for a text', 'content', { body: behind('\n<!-- a -->', page) }, { fileName: 'Lease.txt' }],
  ['a page for a PDF, by its own type', 'content', { body: page, type: 'application/pdf' }, {}],
  ...[
    { fileName: 'a.doc' },
    { fileName: 'a.xls ' },
    { contentType: 'application/msword' },
    { contentType: 'image/png' },
    { contentType: 'image/jpeg' },
    { contentType: 'image/gif' },
    { contentType: 'pdf' },
    { fileName: 'Lease.pdf ' },
    { fileName: 'Lease.xyz' },
    {},
  ].flatMap((announced): [string, string, Reply, Announced][] => [
    [
      `a text for ${JSON.stringify(announced)}`,
      'content',
      { body: unavailable, type: 'text/plain' },
      announced,
    ],
    [`XML for ${JSON.stringify(announced)}`, 'content', { body: xml, type: 'application/xml' }, announced],
  ]),
  ['a text in UTF-16', 'content', { body: Buffer.from('\ufeffno', 'utf16le') }, {}],
  ['XML for a text', 'content', { body: xml }, { fileName: 'Lease.txt' }],
  ['a PNG image for a JPEG image', 'content', { body: png }, { fileName: 'a.jpg' }],
  ['a PNG image that is cut', 'truncated', { body: png.subarray(0, -1), unframed: true }, {}],
  ['a Word document that may be cut', 'truncated', { body: doc, unframed: true }, { fileName: 'a.doc' }],
  ['a part', 'content', { body: pdf, headers: ['Content-Range: bytes 0-99/200'] }, { fileName: 'a.pdf' }],
  ['a message in JSON', 'content', { body: Buffer.from('{}'), type: 'application/problem+json' }, {}],
  ['a PDF for a Word document', 'content', { body: pdf }, { fileName: 'Lease.docx' }],
  ['a Word document for a PDF', 'content', { body: docx }, { contentType: 'application/pdf' }],
  ['a PDF of which the end is missing', 'content', { body: pdf.subarray(0, 300) }, {}],
  ['a PDF that is cut', 'truncated', { body: pdf.subarray(0, 300), unframed: true }, {}],
  [
    'a PDF that is cut in a later part',
    'truncated',
    { body: behind(pdf.toString('latin1'), Buffer.from('9 0 obj')), unframed: true },
    {},
  ],
  [
    'a PDF whose header is too far behind',
    'content',
    { body: behind('x'.repeat(1020), pdf) },
    { fileName: 'a.pdf' },
  ],
  ['a Word document of which the end is missing', 'content', { body: docx.subarray(0, -30) }, {}],
  ['a Word document that is cut', 'truncated', { body: docx.subarray(0, -1), unframed: true }, {}],
  ['an RTF document that is cut', 'truncated', { body: rtf.subarray(0, 10), unframed: true }, {}],
  [
    'a text that may be cut',
    'truncated',
    { body: Buffer.from('a lea'), unframed: true },
    { fileName: 'a.txt' },
  ],
])('does not take %s for the document', async (_what, code, reply, announced) => {
  const { downloaded, directory } = await download(reply, announced);
  expect(await outcomeOf(downloaded)).toBe(`failed ${code}`);
  expect(await readdir(directory)).toEqual([]);
});

it('says what came in the place of what', async () => {
  const { downloaded } = await download({ body: page }, { fileName: 'Lease.pdf' });
  const { message } = await errorOf(downloaded);
  expect(message).toMatch(
    /^GET http:\/\/127\.0\.0\.1:\d+\/ was answered with 37 bytes that are no PDF, though one was announced\.$/,
  );
});

it.each([201, 202, 203, 204, 205, 206])('takes no document out of a reply %d', async (status) => {
  const side = await startOtherSide((_, response) =>
    response.writeHead(status).end(status === 204 ? undefined : pdf),
  );
  const outgoing = createOutgoing({ hosts: [side.origin] });
  later(side.stop, () => outgoing.close());
  const error = await errorOf(outgoing.download({ method: 'GET', url: new URL(side.origin) }, newFolder()));
  expect(error).toMatchObject({ code: 'status', status });
  expect(error.message).toContain(`was answered ${status}, and only 200 has what was asked for`);
});
