import { expect, it } from '@jest/globals';
import { decodePDFRawStream, PDFArray, PDFDocument, PDFRawStream } from 'pdf-lib';
import { run } from '../../../src/example/handlers/child-pdf.ts';
import { isPdf, withFooter } from '../../../src/example/handlers/pdf.ts';
import { fileWith } from '../../support/fixtures.ts';
import { pdfWith } from '../../support/pdfs.ts';

async function stamped(pdf: Buffer): Promise<Buffer | undefined> {
  const { signal } = new AbortController();
  return withFooter({ file: fileWith(pdf), bytes: pdf.length }, 'Lease', signal);
}

/** The same in this process, for what does it no harm. */
async function stampedHere(pdf: Buffer): Promise<Buffer | undefined> {
  const bytes = await run({ file: fileWith(pdf), footer: 'Lease' });
  return bytes && Buffer.from(bytes);
}

/** Where the words stand on the page and which way they run: the text matrix of the last ones. */
async function placeIn(pdf: Buffer | undefined): Promise<readonly number[]> {
  const document = await PDFDocument.load(pdf ?? Buffer.of());
  const [page] = document.getPages();
  const contents = page?.node.Contents();
  const streams =
    contents instanceof PDFArray ? contents.asArray().map((ref) => document.context.lookup(ref)) : [];
  const text = streams
    .filter((stream) => stream instanceof PDFRawStream)
    .map((stream) => Buffer.from(decodePDFRawStream(stream).decode()).toString('latin1'))
    .join('\n');
  const [, matrix = ''] = /([-\d. e]+) Tm/.exec(text) ?? [];
  return matrix
    .trim()
    .split(' ')
    .map((number) => Math.round(Number(number)) + 0);
}

it('stamps a page in a process of its own', async () => {
  expect(await placeIn(await stamped(pdfWith('', '')))).toEqual([1, 0, 0, 1, 36, 18]);
});

// Of a page of 200 by 400: 36 from the left and 18 from below, as it is shown.
it.each([
  ['', [1, 0, 0, 1, 36, 18]],
  ['/Rotate 0', [1, 0, 0, 1, 36, 18]],
  ['/Rotate 90', [0, 1, -1, 0, 182, 36]],
  ['/Rotate 180', [-1, 0, 0, -1, 164, 382]],
  ['/Rotate 270', [0, -1, 1, 0, 18, 364]],
  ['/Rotate -90', [0, -1, 1, 0, 18, 364]],
  ['/Rotate 45', [1, 0, 0, 1, 36, 18]],
  ['/Rotate 4 0 R', [1, 0, 0, 1, 36, 18]],
  ['/Rotate 450', [0, 1, -1, 0, 182, 36]],
  ['/CropBox[20 20 100 100]', [1, 0, 0, 1, 56, 38]],
  ['/CropBox[100 100 20 20]', [1, 0, 0, 1, 56, 38]],
  ['/CropBox[-50 -50 500 500]', [1, 0, 0, 1, 36, 18]],
  ['/CropBox[20 20 100 100]/Rotate 90', [0, 1, -1, 0, 82, 56]],
])('stamps a page with %j at its foot, as it is shown', async (members, place) => {
  expect(await placeIn(await stampedHere(pdfWith(members, '')))).toEqual(place);
});

it.each([
  [
    'a signature',
    '',
    '4 0 obj\n<</Type/Sig/Filter/Adobe.PPKLite/ByteRange [0 1 2 3]/Contents<00>>>\nendobj\n',
  ],
  ['a signature whose name is written otherwise', '', '4 0 obj\n<</Byte#52ange[0 1 2 3]>>\nendobj\n'],
  ['a field for one', '/Annots[4 0 R]', '4 0 obj\n<</Type/Annot/Subtype/Widget/FT/Sig/T(a)>>\nendobj\n'],
  ['a field for one within another', '', '4 0 obj\n<</Fields[<</T(a)/Kids[<</FT /Sig>>]>>]>>\nendobj\n'],
  ['a signature that cannot be read otherwise', '', '4 0 obj\n<</Type/Sig/ByteRange[0'],
])('leaves a document with %s alone', async (_what, members, objects) => {
  expect(await stampedHere(pdfWith(members, objects))).toBeUndefined();
});

it('gives nothing back of a signed document', async () => {
  expect(await stamped(pdfWith('', '4 0 obj\n<</Type/Sig/ByteRange[0'))).toBeUndefined();
});

it('stamps a form that nobody signs', async () => {
  const form = pdfWith('/Annots[4 0 R]', '4 0 obj\n<</Type/Annot/Subtype/Widget/FT/Tx/T(a)>>\nendobj\n');
  expect(await placeIn(await stampedHere(form))).toHaveLength(6);
});

it.each([
  ['', true],
  ['\r\n', true],
  ['\ufeff', true],
  ['x'.repeat(1000), true],
  ['x'.repeat(1020), false],
])('knows a PDF behind %j: %s', async (before, known) => {
  const pdf = Buffer.concat([Buffer.from(before), pdfWith('', '')]);
  expect(await isPdf(fileWith(pdf))).toBe(known);
  if (known) expect(await placeIn(await stampedHere(pdf))).toEqual([1, 0, 0, 1, 36, 18]);
});

it.each([
  ['is broken', Buffer.from('%PDF-1.7 and no more\n%%EOF\n')],
  [
    'is encrypted',
    Buffer.from(pdfWith('', '').toString().replace('/Root', '/Encrypt<</Filter/Standard>>/Root')),
  ],
])('gives up on a PDF that %s', async (_what, pdf) => {
  await expect(stamped(pdf)).rejects.toMatchObject({ name: 'DeadLetter', reason: 'handler_gave_up' });
});
