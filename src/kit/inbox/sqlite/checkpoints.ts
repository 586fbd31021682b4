import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

/** Pages of the log after which it is copied into the file. */
export const CHECKPOINT_PAGES = 4_000;
/** What remains of the log, in bytes, once it has been copied. */
export const LOG_BYTES = 67_108_864;

const LOOK_MS = 1_000;

/**
 * While somebody reads an old state of the file, as a backup does, the log cannot be copied in whole, and SQLite would sort
 * all of it with every commit to find that out. Looked at once a second: it is tried again when the log has grown by another
 * part, and as usual once it is free.
 */
export function watchCheckpoints(file: string, database: DatabaseSync): Disposable {
  const every = (pages: number) => database.exec(`PRAGMA wal_autocheckpoint = ${pages}`);
  const timer = setInterval(() => {
    if ((statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) <= LOG_BYTES) return;
    const found = database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get() ?? {};
    const [pages, copied] = [Number(found['log']), Number(found['checkpointed'])];
    every(copied < pages ? pages + CHECKPOINT_PAGES : CHECKPOINT_PAGES);
  }, LOOK_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
