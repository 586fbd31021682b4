import { readFile } from 'node:fs/promises';
import {
  degrees,
  PDFArray,
  PDFDict,
  PDFDocument,
  PDFName,
  PDFStream,
  StandardFonts,
  type PDFFont,
  type PDFPage,
} from 'pdf-lib';
import type { PdfWork } from './pdf.ts';

const A4 = [595.28, 841.89] as const;
const MARGIN = 56;
/** Of a footer, from the left and from below. */
const [LEFT, BELOW] = [36, 18];

/** Runs in a process of its own, which pdf.ts asks for: it imports nothing of the receiver. */
export function run(work: PdfWork): Promise<Uint8Array | undefined> {
  return 'file' in work ? stamped(work.file, work.footer) : coverSheet(work.title, work.lines);
}

async function stamped(path: string, footer: string): Promise<Uint8Array | undefined> {
  const file = await readFile(path);
  // Looked for before it is read: what signs is never packed, and a signed document need not be one that can be changed.
  if (file.includes('/ByteRange')) return undefined;
  const document = await PDFDocument.load(file, { updateMetadata: false });
  if (document.context.enumerateIndirectObjects().some(([, object]) => hasSignature(object)))
    return undefined;
  const font = await document.embedFont(StandardFonts.Helvetica);
  for (const page of document.getPages()) stamp(page, drawable(footer, font), font);
  return document.save();
}

const [BYTE_RANGE, FIELD_TYPE, SIGNATURE] = ['ByteRange', 'FT', 'Sig'].map((name) => PDFName.of(name));

/** A signature, or a field that one is or will be in: https://www.iso.org/standard/75839.html, 12.7.5.5 and 12.8.1 */
function hasSignature(object: unknown): boolean {
  if (object instanceof PDFStream) return hasSignature(object.dict);
  if (object instanceof PDFArray) return object.asArray().some(hasSignature);
  if (!(object instanceof PDFDict)) return false;
  return object
    .entries()
    .some(
      ([name, value]) =>
        name === BYTE_RANGE || (name === FIELD_TYPE && value === SIGNATURE) || hasSignature(value),
    );
}

/** At the foot of the page as it is shown. */
function stamp(page: PDFPage, words: string, font: PDFFont): void {
  const { left, right, bottom, top } = shownBox(page);
  // Clockwise, and inherited where the page does not say. What is no quarter of a turn is none (7.7.3.3).
  const quarters = (((page.getRotation().angle / 90) % 4) + 4) % 4;
  const upright = { x: left + LEFT, y: bottom + BELOW, rotate: degrees(0) };
  const places = [
    upright,
    { x: right - BELOW, y: bottom + LEFT, rotate: degrees(90) },
    { x: right - LEFT, y: top - BELOW, rotate: degrees(180) },
    { x: left + BELOW, y: top - LEFT, rotate: degrees(270) },
  ];
  page.drawText(words, { ...(places[quarters] ?? upright), size: 8, font });
}

/** What is shown of a page: its crop box, as far as it lies on the page. Any two opposite corners may be given. */
function shownBox(page: PDFPage) {
  const [crop, media] = [page.getCropBox(), page.getMediaBox()].map(({ x, y, width, height }) => ({
    left: Math.min(x, x + width),
    right: Math.max(x, x + width),
    bottom: Math.min(y, y + height),
    top: Math.max(y, y + height),
  }));
  if (crop === undefined || media === undefined) throw new Error('a page has no size');
  return {
    left: Math.max(crop.left, media.left),
    right: Math.min(crop.right, media.right),
    bottom: Math.max(crop.bottom, media.bottom),
    top: Math.min(crop.top, media.top),
  };
}

async function coverSheet(title: string, lines: readonly string[]): Promise<Uint8Array> {
  const document = await PDFDocument.create({ updateMetadata: false });
  const font = await document.embedFont(StandardFonts.Helvetica);
  const page = document.addPage([...A4]);
  page.moveTo(MARGIN, A4[1] - 2 * MARGIN);
  page.drawText(drawable(title, font), { font, size: 20 });
  page.moveDown(36);
  page.drawText(lines.map((line) => drawable(line, font)).join('\n'), { font, size: 12, lineHeight: 18 });
  return document.save();
}

/** The fonts that every reader has are Latin; other letters become a question mark. */
function drawable(words: string, font: PDFFont): string {
  const known = new Set(font.getCharacterSet());
  return words.replace(/./gsu, (letter) => (known.has(letter.codePointAt(0) ?? 0) ? letter : '?'));
}
