import type { DatabaseSync } from 'node:sqlite';

/**
 * Creates the tables in a new file, and brings those of an older version up to date.
 * @throws if the file is another program's, or of a newer version of this one
 */
export function prepareSchema(database: DatabaseSync, file: string): void {
  const found = versionOf(database);
  if (found === SCHEMA) return;
  refuseNewer(found, file);
  if (found === 0 && hasTables(database)) {
    throw new Error(`${file} is a SQLite database, but not an inbox: INBOX_URL must name a file of its own.`);
  }
  if (found === 0) database.exec('PRAGMA page_size = 8192'); // of a new file only; measured: 8 KB cost less CPU than 4
  const missing = versions.slice(found).join('');
  database.exec(`BEGIN IMMEDIATE; ${missing} PRAGMA user_version = ${SCHEMA}; COMMIT`);
}

/** Of a file that a receiver may still bring up to date. @throws if it is no inbox, or one of a newer version */
export function requireInbox(database: DatabaseSync, file: string): void {
  const found = versionOf(database);
  if (found === 0) throw new Error(`${file} is no inbox.`);
  refuseNewer(found, file);
}

function refuseNewer(found: number, file: string): void {
  if (found <= SCHEMA) return;
  throw new Error(
    `${file} was written by a newer version (schema ${found}, this one knows ${SCHEMA}): start that version again.`,
  );
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
 * `place` orders the line of a subject, its head first, and the index `lines` makes a second head impossible. Bytes live
 * in a table of their own, so that a change of status does not write them again. `counts` is one row, brought up to
 * date at the end of each transaction: a trigger for each change of a row would cost more than the change. Most entries
 * of a grown inbox are done: every index of this version but `keys` leaves them out.
 */
const version1 = `
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
    place INTEGER AS (iif(head = 1, 0, seq)),
    attempts INTEGER NOT NULL,
    claims INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    lease_until INTEGER,
    finished_at INTEGER,
    note TEXT
  ) STRICT;

  CREATE TABLE bodies (seq INTEGER PRIMARY KEY, content BLOB NOT NULL, answer BLOB) STRICT;

  CREATE UNIQUE INDEX keys ON entries (unique_key) WHERE unique_key IS NOT NULL;
  CREATE UNIQUE INDEX lines ON entries (source, subject, place)
    WHERE status IN ('waiting', 'running') AND subject IS NOT NULL;
  CREATE INDEX claimable ON entries (due_at, seq) WHERE status = 'waiting' AND head = 1;
  CREATE INDEX unfinished ON entries (status, seq) WHERE status <> 'done';

  CREATE TABLE counts (
    waiting INTEGER NOT NULL, running INTEGER NOT NULL, done INTEGER NOT NULL, dead INTEGER NOT NULL
  ) STRICT;
  INSERT INTO counts VALUES (0, 0, 0, 0);
  CREATE TRIGGER counts_delete AFTER DELETE ON entries BEGIN
    UPDATE counts SET
      waiting = waiting - (OLD.status = 'waiting'), running = running - (OLD.status = 'running'),
      done = done - (OLD.status = 'done'), dead = dead - (OLD.status = 'dead');
  END;
`;

/**
 * `finished` is what old entries are found by: each completion appends to it, at about 1 µs of the 30 µs that an entry
 * takes from store to done. A row that is deleted, by `prune` or by hand, takes its bytes and its part of the counts with it.
 */
const version2 = `
  CREATE INDEX finished ON entries (finished_at) WHERE status = 'done';

  ALTER TABLE counts ADD COLUMN waiting_bytes INTEGER NOT NULL DEFAULT 0;
  UPDATE counts SET waiting_bytes = (
    SELECT coalesce(sum(length(content)), 0) FROM entries INDEXED BY unfinished JOIN bodies USING (seq)
    WHERE status = 'waiting' AND status <> 'done');
  DROP TRIGGER counts_delete;
  CREATE TRIGGER entries_delete AFTER DELETE ON entries BEGIN
    UPDATE counts SET
      waiting = waiting - (OLD.status = 'waiting'), running = running - (OLD.status = 'running'),
      done = done - (OLD.status = 'done'), dead = dead - (OLD.status = 'dead'),
      waiting_bytes = waiting_bytes -
        iif(OLD.status = 'waiting', (SELECT length(content) FROM bodies WHERE seq = OLD.seq), 0);
    DELETE FROM bodies WHERE seq = OLD.seq;
  END;
`;

/** What a handler said with `unchanged`. */
const version3 = `
  ALTER TABLE entries ADD COLUMN unchanged INTEGER NOT NULL DEFAULT 0;
`;

/** Of entries that are forgotten: by the hash of its key a redelivery is known for longer than the entry is kept. */
const version4 = `
  CREATE TABLE forgotten (
    hash BLOB PRIMARY KEY, seq INTEGER NOT NULL, finished_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX forgotten_at ON forgotten (finished_at);
`;

/** By what a reply and log lines call a delivery, and where in a trace it was stored. */
const version5 = `
  ALTER TABLE entries ADD COLUMN request TEXT;
  ALTER TABLE entries ADD COLUMN trace TEXT;
`;

/** Each one builds on the version before it; a new file begins with the first. */
const versions = [version1, version2, version3, version4, version5];

/** A file of an older one is brought up to it by its receiver, a newer one is refused. */
const SCHEMA = versions.length;
