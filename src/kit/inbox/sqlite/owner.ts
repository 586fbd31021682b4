import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isBusy } from './trouble.ts';

/** Ends with `close`, or with the process, however that ends. */
export interface Ownership {
  close(): void;
}

/** Another receiver has the file. */
export class InboxTaken extends Error {
  override readonly name = 'InboxTaken';
}

/** Entries are personal data: only this user may read them. SQLite gives the files beside it the same permissions. */
export function createPrivately(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', 0o600));
}

/**
 * Makes this process the one receiver of an inbox file. The lock is on a file beside it, so that the command line can
 * still read and replay, and it is SQLite's own, so that no process id can go stale.
 * @throws InboxTaken
 */
export function takeOwnership(file: string): Ownership {
  // Of this user only: another one who could take the lock would keep the receiver from starting.
  createPrivately(`${file}.lock`);
  const lock = new DatabaseSync(`${file}.lock`, { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (thrown) {
    lock.close();
    if (!isBusy(thrown)) throw thrown;
    throw new InboxTaken(
      `Another receiver is running on ${file}. Stop it, or give this one another INBOX_URL: two on one file would handle events twice.`,
      { cause: thrown },
    );
  }
  return lock;
}
