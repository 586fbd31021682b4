import { createHash, randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** A file named after its content. */
export interface Saved {
  /** Absolute path; its last part is `sha256`. */
  readonly file: string;
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
}

/** Writes bytes as they come to a file that has its name only once it is whole and on disk; else nothing is left of it. */
export async function saveByHash(chunks: AsyncIterable<Buffer>, directory: string): Promise<Saved> {
  const temporary = join(directory, `.${randomUUID()}.part`);
  try {
    const { bytes, sha256 } = await write(chunks, temporary);
    const file = resolve(directory, sha256);
    await rename(temporary, file);
    await syncDirectory(directory);
    return { file, bytes, sha256 };
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function write(chunks: AsyncIterable<Buffer>, path: string): Promise<Omit<Saved, 'file'>> {
  const digest = createHash('sha256');
  let bytes = 0;
  const measured = async function* () {
    for await (const chunk of chunks) {
      digest.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  };
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(measured());
    await file.sync();
  } finally {
    await file.close();
  }
  return { bytes, sha256: digest.digest('hex') };
}

/** A new name is on disk only when its directory is; Windows knows no such thing. */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
