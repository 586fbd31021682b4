import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { statuses, type Status } from '../inbox.ts';
import { damageIn } from './check.ts';
import { takeOwnership } from './owner.ts';
import { requireInbox } from './schema.ts';
import { isBusy, isSqliteError, unavailable } from './trouble.ts';

/** What a copy holds, counted in the copy. */
export interface Holds extends Readonly<Record<Status, number>> {
  /** Milliseconds since 1970 at which its newest entry was received. */
  readonly newest: number | undefined;
}

/** Another process may be bringing the log into the file. */
const PATIENCE_MS = 10_000;

/**
 * Copies an inbox as it is at one moment, beside its receiver, which goes on meanwhile. The copy appears under its name
 * only when it is whole, on disk and checked.
 * @throws if the file is there already, or the copy is not sound
 */
export function backUp(file: string, to: string): Holds {
  refuseExisting(to);
  return copied(file, to, () => refuseExisting(to));
}

/**
 * Puts a copy in the place of an inbox. What was there is put aside beside it; at every moment the name leads to one of
 * the two, whole.
 * @throws if a receiver owns the inbox, or the copy is not sound
 */
export function restore(from: string, file: string): { readonly holds: Holds; readonly aside?: string } {
  const ownership = takeOwnership(file);
  try {
    let aside: string | undefined;
    copied(from, file, () => (aside = putAside(file)));
    return { holds: checked(file), ...(aside !== undefined && { aside }) };
  } finally {
    ownership.close();
  }
}

function copied(from: string, to: string, beforeIts: () => void): Holds {
  if (!existsSync(from)) throw new Error(`There is no file ${from}.`);
  const begun = `${to}.${randomUUID().slice(0, 8)}.begun`;
  try {
    mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
    closeSync(openSync(begun, 'wx', 0o600));
    opened(from, (database) => {
      requireInbox(database, from);
      database.prepare('VACUUM INTO ?').run(begun);
    });
    chmodSync(begun, 0o600);
    sync(begun); // SQLite leaves that to whoever asks for a copy: https://sqlite.org/lang_vacuum.html
    const holds = checked(begun);
    beforeIts();
    renameSync(begun, to);
    sync(dirname(to));
    return holds;
  } catch (thrown) {
    throw isSqliteError(thrown) ? unavailable(from, thrown) : thrown;
  } finally {
    for (const end of ['', '-journal']) rmSync(begun + end, { force: true });
  }
}

/** @throws if the file is no inbox, or damaged */
function checked(file: string): Holds {
  return opened(file, (database) => {
    requireInbox(database, file);
    const [damage] = damageIn(database);
    if (damage !== undefined) throw new Error(`${file} is damaged: ${damage}`);
    const counted = database.prepare('SELECT status, count(*) AS count FROM entries GROUP BY status').all();
    const of = (status: Status) => Number(counted.find((row) => row['status'] === status)?.['count'] ?? 0);
    const newest = database.prepare('SELECT received_at AS at FROM entries ORDER BY seq DESC LIMIT 1').get();
    const counts = Object.fromEntries(statuses.map((status) => [status, of(status)]));
    return { ...(counts as Record<Status, number>), newest: newest && Number(newest['at']) }; // one for each status
  });
}

function opened<Result>(file: string, work: (database: DatabaseSync) => Result): Result {
  const database = new DatabaseSync(file, { readOnly: true, timeout: PATIENCE_MS });
  try {
    return work(database);
  } finally {
    database.close();
  }
}

function putAside(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  const aside = `${file}.before-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
  bringInLog(file);
  linkSync(file, aside);
  // Of a file whose log could not be brought in: beside another file it would be taken for that one's.
  for (const end of ['-wal', '-shm']) if (existsSync(file + end)) renameSync(file + end, aside + end);
  return aside;
}

/** So that the file is whole by itself. One that is damaged stays as it is, with its log. */
function bringInLog(file: string): void {
  try {
    const database = new DatabaseSync(file, { timeout: PATIENCE_MS });
    try {
      const result = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
      if (result?.['busy'] === 1) throw inUse(file);
    } finally {
      database.close();
    }
  } catch (thrown) {
    if (isBusy(thrown)) throw inUse(file);
    if (!isSqliteError(thrown)) throw thrown;
  }
}

function inUse(file: string): Error {
  return new Error(`${file} is open in another program: end that first.`);
}

function refuseExisting(file: string): void {
  if (existsSync(file)) throw new Error(`${file} is there already, and is left as it is: name another file.`);
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
