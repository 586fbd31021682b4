import { mkdtemp, open, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Downloaded } from '../../../outgoing/client.ts';
import { syncDirectory } from '../../../outgoing/save.ts';

/**
 * Downloads into a directory and keeps what begins as a PDF does; a proxy may answer a page of its own with 200. What
 * the content type says does not matter.
 */
export async function savePdf(
  download: (directory: string) => Promise<Downloaded>,
  directory: string,
): Promise<Downloaded> {
  const aside = await mkdtemp(join(directory, '.pdf-'));
  try {
    const downloaded = await download(aside);
    await checkPdf(downloaded);
    const file = resolve(directory, downloaded.sha256);
    await rename(downloaded.file, file);
    await syncDirectory(directory);
    return { ...downloaded, file };
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function checkPdf({ file, bytes }: Downloaded): Promise<void> {
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(5), 0, 5, 0);
    if (buffer.toString('latin1') === '%PDF-') return;
  } finally {
    await handle.close();
  }
  throw new Error(`The API answered ${bytes} bytes that are no PDF.`);
}
