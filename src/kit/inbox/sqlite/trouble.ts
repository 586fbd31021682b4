import { messageOf } from '../../errors.ts';
import { InboxUnavailable } from '../inbox.ts';

/** By SQLite's primary result code (https://sqlite.org/rescode.html): what to look at. */
const advice: Readonly<Record<number, string>> = {
  5: 'Another process holds the file locked: a backup, or a SQLite tool left open in a transaction?',
  8: 'Check that the file and its directory may be written by this user, and that the disk is not mounted read-only.',
  10: 'The disk or its quota refused: check free space, limits and the system log.',
  11: 'The file is damaged: stop the receiver, keep a copy, and restore it with "sqlite3 <file> .recover".',
  13: 'The disk is full: make room, and it goes on by itself.',
  14: 'The file could not be opened: check path and permissions.',
  26: 'The file is not a SQLite database: check INBOX_URL.',
};

interface SqliteError {
  /** Extended result code. */
  readonly errcode: number;
  readonly message: string;
}

/** What a failed read or commit means for the person it wakes at night. */
export function unavailable(file: string, thrown: unknown): InboxUnavailable {
  const message = isSqliteError(thrown) ? thrown.message : messageOf(thrown);
  const words = advice[primaryCode(thrown)] ?? 'Nothing of it was stored.';
  return new InboxUnavailable('inbox_unavailable', `${file}: ${message}. ${words}`, { cause: thrown });
}

export function isBusy(thrown: unknown): boolean {
  return primaryCode(thrown) === 5;
}

/** By its members: node:sqlite makes its errors outside the context that a test runs in, where it is not that Error. */
export function isSqliteError(thrown: unknown): thrown is SqliteError {
  return typeof thrown === 'object' && thrown !== null && 'errcode' in thrown && 'message' in thrown;
}

/** The low byte of an extended result code. */
function primaryCode(thrown: unknown): number {
  return isSqliteError(thrown) ? thrown.errcode & 0xff : 0;
}
