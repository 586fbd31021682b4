import { open } from 'node:fs/promises';
import { beginsAsPdf, runApart } from '../../kit/index.ts';

const WORK = new URL('child-pdf.ts', import.meta.url);
const MEBIBYTE = 1024 * 1024;

/** What is to be done with PDFs, in a process of its own: see child-pdf.ts. */
export type PdfWork =
  | { readonly footer: string; readonly file: string }
  | { readonly title: string; readonly lines: readonly string[] };

/** By its content: what it is called decides nothing. */
export async function isPdf(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1024), 0, 1024, 0);
    return beginsAsPdf(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

/**
 * The PDF of a file with a line at the foot of every page. Nothing if it is signed: a change would break the signature.
 * @throws DeadLetter if it cannot be changed
 */
export async function withFooter(
  { file, bytes }: { readonly file: string; readonly bytes: number },
  footer: string,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const stamped = await runPdfWork('Stamping a PDF', { footer, file }, bytes, signal);
  return stamped.length === 0 ? undefined : stamped;
}

/** A page of its own, to lie before documents that are not written on. */
export async function coverSheet(
  title: string,
  lines: readonly string[],
  signal: AbortSignal,
): Promise<Buffer> {
  return runPdfWork('Making a cover sheet', { title, lines }, 0, signal);
}

/** In a process of its own: what one has of a PDF does not tell what it unpacks to, nor how long that takes. */
function runPdfWork(what: string, work: PdfWork, bytes: number, signal: AbortSignal): Promise<Buffer> {
  return runApart(WORK, work, {
    what,
    maxCpuMs: 20_000,
    // Measured: 104 MB for one page, 313 MB for 5,000 pages in a file of 1.5 MB, 220 MB for a file of 51 MB.
    maxMemoryBytes: Math.min(256 * MEBIBYTE + 64 * bytes, 1024 * MEBIBYTE),
    maxResultBytes: 16 * MEBIBYTE + 4 * bytes,
    signal,
  });
}
