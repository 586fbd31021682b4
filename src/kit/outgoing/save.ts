import { createHash, randomUUID } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** A file named after its content. */
export interface Saved {
  /** Absolute path; its last part is `sha256`. */
  readonly file: string;
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
}

/** The bytes at both ends of a file, which overlap where it is small. */
export interface Ends {
  readonly first: Buffer;
  readonly last: Buffer;
  /** Of the whole file. */
  readonly bytes: number;
}

/** Readers accept the header of a PDF within so many bytes. */
const FIRST_BYTES = 1024;
/** The end of a zip file: 22 bytes and a comment. */
const LAST_BYTES = 22 + 65_535;

/**
 * Writes bytes as they come to a file that has its name only once it is whole, on disk and found right by `check`; else
 * nothing is left of it.
 */
export async function saveByHash(
  chunks: AsyncIterable<Buffer>,
  directory: string,
  check: (ends: Ends) => void,
): Promise<Saved> {
  const temporary = join(directory, `.${randomUUID()}.part`);
  try {
    const { bytes, sha256 } = await write(chunks, temporary, check);
    const file = resolve(directory, sha256);
    await rename(temporary, file);
    await syncDirectory(directory);
    return { file, bytes, sha256 };
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function write(
  chunks: AsyncIterable<Buffer>,
  path: string,
  check: (ends: Ends) => void,
): Promise<Omit<Saved, 'file'>> {
  const digest = createHash('sha256');
  let bytes = 0;
  const measured = async function* () {
    for await (const chunk of chunks) {
      digest.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  };
  const file = await open(path, 'wx+', 0o600);
  try {
    await file.writeFile(measured());
    check(await endsOf(file, bytes));
    await file.sync();
  } finally {
    await file.close();
  }
  return { bytes, sha256: digest.digest('hex') };
}

async function endsOf(file: FileHandle, bytes: number): Promise<Ends> {
  const part = async (start: number, end: number) =>
    (await file.read(Buffer.alloc(end - start), 0, end - start, start)).buffer;
  return {
    first: await part(0, Math.min(FIRST_BYTES, bytes)),
    last: await part(Math.max(0, bytes - LAST_BYTES), bytes),
    bytes,
  };
}

/** A new name is on disk only when its directory is; Windows knows no such thing. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
