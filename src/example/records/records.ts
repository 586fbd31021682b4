import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Sealing } from '../../kit/index.ts';
import { openSharedFile } from './shared-file.ts';

/** The kinds of things the reference handlers keep. */
export type Kind = 'person' | 'work item' | 'document' | 'task' | 'profile' | 'booking' | 'transition';

/** What a record holds: JSON, in the shape of its kind. */
export type Value = Readonly<Record<string, unknown>>;

/** The records of one installation: the same id in another is another thing. */
export interface OwnRecords {
  find(kind: Kind, id: string): Value | undefined;
  put(kind: Kind, id: string, value: Value): void;
  /** Keeps `value` unless a higher revision is there already; tells whether it did. Events may come out of order. */
  putIfNewer(kind: Kind, id: string, revision: number, value: Value): boolean;
}

/**
 * A stand-in for your own system: what the reference handlers read from and write to. Replace it with yours. By itself the
 * records of what names no installation.
 */
export interface Records extends OwnRecords {
  of(installation: string | undefined): OwnRecords;
  /** Those of all installations. */
  list(kind: Kind): readonly { readonly id: string; readonly value: Value }[];
  close(): void;
}

/**
 * Opens the records in an SQLite file; `:memory:` keeps them as long as the process lives. Their values are sealed where there
 * are keys, and read as they are where they were written before. Their ids stay plain: they are looked for.
 */
export function openRecords(file: string, sealing?: Sealing): Records {
  if (file !== ':memory:') createPrivately(file);
  const database = openSharedFile(file);
  database.exec(`
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS records (
      kind TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL, value TEXT NOT NULL,
      PRIMARY KEY (kind, id)
    ) STRICT, WITHOUT ROWID;
  `);
  const select = database.prepare('SELECT value FROM records WHERE kind = ? AND id = ?');
  const selectAll = database.prepare(
    `SELECT id, value FROM records WHERE kind = :kind OR kind LIKE :kind || '@%' ORDER BY id, kind`,
  );
  const upsert = database.prepare(`
    INSERT INTO records (kind, id, revision, value) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET revision = excluded.revision, value = excluded.value
    WHERE excluded.revision >= revision
  `);

  function written(id: string, value: Value): string {
    const json = JSON.stringify(value);
    if (sealing?.isOn() !== true) return json;
    return sealing.seal(Buffer.from(json), `record ${id}`).toString('base64');
  }

  function valueOf(id: string, text: unknown): Value | undefined {
    if (typeof text !== 'string') return undefined;
    const isPlain = text.startsWith('{'); // base64 has no such sign
    if (!isPlain && sealing === undefined) throw new Error('The records are sealed, and there are no keys.');
    const json = isPlain ? text : sealing?.open(Buffer.from(text, 'base64'), `record ${id}`).toString();
    // Only `putIfNewer` writes this column, and it writes the JSON of a Value.
    return JSON.parse(json ?? '') as Value;
  }

  function of(installation: string | undefined): OwnRecords {
    // A kind has no such sign in it, and neither has what is encoded.
    const behind = installation === undefined ? '' : `@${encodeURIComponent(installation)}`;
    const putIfNewer = (kind: Kind, id: string, revision: number, value: Value) =>
      upsert.run(kind + behind, id, revision, written(id, value)).changes === 1;
    return {
      find: (kind, id) => valueOf(id, select.get(kind + behind, id)?.['value']),
      put: (kind, id, value) => void putIfNewer(kind, id, 0, value),
      putIfNewer,
    };
  }

  return {
    ...of(undefined),
    of,
    list: (kind) =>
      selectAll
        .all({ kind })
        .map(({ id, value }) => ({ id: String(id), value: valueOf(String(id), value) ?? {} })),
    close: () => {
      database.close();
    },
  };
}

/** SQLite gives the files beside it the same permissions. */
function createPrivately(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', 0o600));
}
