import { constants, deflateRawSync, deflateSync } from 'node:zlib';

/** A PDF of one page, with further members of the page and further objects from number 4. */
export function pdfWith(members: string, objects: string | Buffer): Buffer {
  const page = `<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 400]${members}>>`;
  const head =
    '%PDF-1.5\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n' +
    `2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n3 0 obj\n${page}\nendobj\n`;
  const tail = '\ntrailer\n<</Size 9/Root 1 0 R>>\nstartxref\n0\n%%EOF\n';
  return Buffer.concat([head, objects, tail].map((part) => Buffer.from(part)));
}

/** A PDF of some hundred bytes with an object stream of so many megabytes of blanks, packed twice. */
export function pdfThatUnpacksTo(megabytes: number): Buffer {
  const million = deflateBlock(' '.repeat(1_000_000));
  // Blocks that end on a byte can stand behind each other.
  const stream = Buffer.concat([
    Buffer.of(0x78, 0xda),
    deflateBlock('5 0 <</A 1>>'),
    ...Array.from({ length: megabytes }, () => million),
  ]);
  const packed = deflateSync(stream, { level: 9 });
  const dictionary = `<</Type/ObjStm/N 1/First 4/Filter[/FlateDecode/FlateDecode]/Length ${packed.length}>>`;
  const head = Buffer.from(`4 0 obj\n${dictionary}\nstream\n`);
  return pdfWith('', Buffer.concat([head, packed, Buffer.from('\nendstream\nendobj\n')]));
}

function deflateBlock(text: string): Buffer {
  return deflateRawSync(text, { level: 9, finishFlush: constants.Z_FULL_FLUSH });
}
