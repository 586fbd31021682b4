import { DatabaseSync } from 'node:sqlite';

const LONGEST_WAIT_MS = 10_000;
const PAUSE_MS = 20;

/**
 * Opens an SQLite file that several processes may open at the same moment. They wait for each other's transactions, and
 * for the switch to WAL, for which SQLite itself waits for nobody. @throws if others hold the file for 10 s
 */
export function openSharedFile(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: LONGEST_WAIT_MS });
  const giveUpAt = performance.now() + LONGEST_WAIT_MS;
  while (!inWal(database, giveUpAt)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  return database;
}

function inWal(database: DatabaseSync, giveUpAt: number): boolean {
  try {
    database.exec('PRAGMA journal_mode = WAL');
    return true;
  } catch (error) {
    if (isBusy(error) && performance.now() < giveUpAt) return false;
    database.close();
    throw error;
  }
}

/** SQLITE_BUSY and SQLITE_LOCKED, whatever the extended code. */
function isBusy(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error)) return false;
  const code = Number(error.errcode) & 0xff;
  return code === 5 || code === 6;
}
