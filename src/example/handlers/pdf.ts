import type { PDFDocument, PDFFont } from 'pdf-lib';
import { DeadLetter } from '../../kit/index.ts';

const A4 = [595.28, 841.89] as const;
const MARGIN = 56;

/** Loaded with the first document: a receiver that changes none shall not carry its 20 MB. */
const loadPdfLib = () => import('pdf-lib');

/** By its content: what it is called decides nothing. */
export function isPdf(file: Buffer): boolean {
  return file.subarray(0, 5).toString('latin1') === '%PDF-';
}

/** The same PDF with a line at the foot of every page. @throws DeadLetter if it cannot be changed */
export async function withFooter(file: Buffer, words: string): Promise<Buffer> {
  const { PDFDocument } = await loadPdfLib();
  try {
    return await stamped(await PDFDocument.load(file, { updateMetadata: false }), words);
  } catch (cause) {
    throw new DeadLetter('handler_gave_up', 'A PDF cannot be changed: it is broken or encrypted.', { cause });
  }
}

async function stamped(document: PDFDocument, words: string): Promise<Buffer> {
  const { StandardFonts } = await loadPdfLib();
  const font = await document.embedFont(StandardFonts.Helvetica);
  for (const page of document.getPages()) {
    const { x, y } = page.getCropBox();
    page.drawText(drawable(words, font), { x: x + 36, y: y + 18, size: 8, font });
  }
  return Buffer.from(await document.save());
}

/** A page of its own, to lie before documents that cannot be written on. */
export async function coverSheet(title: string, lines: readonly string[]): Promise<Buffer> {
  const { PDFDocument, StandardFonts } = await loadPdfLib();
  const document = await PDFDocument.create({ updateMetadata: false });
  const font = await document.embedFont(StandardFonts.Helvetica);
  const page = document.addPage([...A4]);
  page.moveTo(MARGIN, A4[1] - 2 * MARGIN);
  page.drawText(drawable(title, font), { font, size: 20 });
  page.moveDown(36);
  page.drawText(lines.map((line) => drawable(line, font)).join('\n'), { font, size: 12, lineHeight: 18 });
  return Buffer.from(await document.save());
}

/** The fonts that every reader has are Latin; other letters become a question mark. */
function drawable(words: string, font: PDFFont): string {
  const known = new Set(font.getCharacterSet());
  return words.replace(/./gsu, (letter) => (known.has(letter.codePointAt(0) ?? 0) ? letter : '?'));
}
