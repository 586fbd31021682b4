import { DatabaseSync } from 'node:sqlite';
import { isBusy } from './trouble.ts';

/** Ends with `close`, or with the process, however that ends. */
export interface Ownership {
  close(): void;
}

/**
 * Makes this process the one receiver of an inbox file. The lock is on a file beside it, so that the command line can
 * still read and replay, and it is SQLite's own, so that no process id can go stale.
 * @throws if another receiver has it
 */
export function takeOwnership(file: string): Ownership {
  const lock = new DatabaseSync(`${file}.lock`, { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (thrown) {
    lock.close();
    if (!isBusy(thrown)) throw thrown;
    throw new Error(
      `Another receiver is running on ${file}. Stop it, or give this one another INBOX_URL: two on one file would handle events twice.`,
      { cause: thrown },
    );
  }
  return lock;
}
