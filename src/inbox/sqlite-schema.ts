import type { DatabaseSync } from 'node:sqlite';

/** Grows with each change of the tables; an older file is brought up to it at open, a newer one refused. */
const SCHEMA = 1;

/** Creates the tables in a new file. @throws if the file is another program's, or of a newer version of this one */
export function prepareSchema(database: DatabaseSync, file: string): void {
  const found = versionOf(database);
  if (found === SCHEMA) return;
  if (found > SCHEMA) {
    throw new Error(
      `${file} was written by a newer version (schema ${found}, this one knows ${SCHEMA}): start that version again.`,
    );
  }
  if (hasTables(database)) {
    throw new Error(`${file} is a SQLite database, but not an inbox: INBOX_URL must name a file of its own.`);
  }
  database.exec(`BEGIN IMMEDIATE; ${tables} PRAGMA user_version = ${SCHEMA}; COMMIT`);
}

/** @throws if the file does not hold an inbox of exactly this version */
export function requireSchema(database: DatabaseSync, file: string): void {
  const found = versionOf(database);
  if (found === SCHEMA) return;
  throw new Error(
    `${file} holds schema ${found}, and this version needs ${SCHEMA}: start its receiver once.`,
  );
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
}

function hasTables(database: DatabaseSync): boolean {
  return database.prepare('SELECT 1 FROM sqlite_master LIMIT 1').get() !== undefined;
}

/**
 * `head` is 1 for the one entry of a subject that may run next or is running; entries without a subject lead themselves.
 * The index `heads` makes a second head of a subject impossible. Bytes live in a table of their own, so that a change of
 * status does not write them again. Most entries of a grown inbox are done: every index but `keys` leaves them out.
 */
const tables = `
  CREATE TABLE entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    installation TEXT,
    type TEXT NOT NULL,
    event_id TEXT,
    key TEXT,
    unique_key TEXT,
    subject TEXT,
    secret INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('waiting', 'running', 'done', 'dead')),
    head INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    claims INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    lease_until INTEGER,
    finished_at INTEGER,
    note TEXT
  ) STRICT;

  CREATE TABLE bodies (seq INTEGER PRIMARY KEY, content BLOB NOT NULL, answer BLOB) STRICT;

  CREATE UNIQUE INDEX keys ON entries (unique_key) WHERE unique_key IS NOT NULL;
  CREATE UNIQUE INDEX heads ON entries (source, subject) WHERE head = 1 AND subject IS NOT NULL;
  CREATE INDEX lines ON entries (source, subject, seq) WHERE status IN ('waiting', 'running') AND subject IS NOT NULL;
  CREATE INDEX claimable ON entries (due_at, seq) WHERE status = 'waiting' AND head = 1;
  CREATE INDEX unfinished ON entries (status, seq) WHERE status <> 'done';

  CREATE TABLE counts (status TEXT PRIMARY KEY, entries INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO counts VALUES ('waiting', 0), ('running', 0), ('done', 0), ('dead', 0);
  CREATE TRIGGER counts_insert AFTER INSERT ON entries BEGIN
    UPDATE counts SET entries = entries + 1 WHERE status = NEW.status;
  END;
  CREATE TRIGGER counts_update AFTER UPDATE OF status ON entries WHEN OLD.status <> NEW.status BEGIN
    UPDATE counts SET entries = entries - 1 WHERE status = OLD.status;
    UPDATE counts SET entries = entries + 1 WHERE status = NEW.status;
  END;
  CREATE TRIGGER counts_delete AFTER DELETE ON entries BEGIN
    UPDATE counts SET entries = entries - 1 WHERE status = OLD.status;
  END;
`;
