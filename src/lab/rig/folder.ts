import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that is gone when it is removed, or else when this process ends, however it ends. */
export interface Folder {
  readonly path: string;
  readonly remove: () => void;
}

export function newFolder(name: string, parent = tmpdir()): Folder {
  mkdirSync(parent, { recursive: true });
  const path = mkdtempSync(join(parent, `${name}-`));
  const clean = () => rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', clean);
  return {
    path,
    remove: () => {
      process.removeListener('exit', clean);
      clean();
    },
  };
}

/** Works in a new folder that is gone afterwards. */
export async function inNewFolder<Result>(
  name: string,
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = newFolder(name);
  try {
    return await work(folder.path);
  } finally {
    folder.remove();
  }
}
