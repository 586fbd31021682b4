import { DatabaseSync } from 'node:sqlite';
import { requireInbox } from '../address.ts';
import { sealedByOthers, type Inconsistency } from '../check.ts';
import { uniqueKey } from '../inbox.ts';
import type { InboxKey } from '../sealed/keys.ts';
import { requireSchema } from './schema.ts';
import { isSqliteError, unavailable } from './trouble.ts';

const inLine = `status IN ('waiting', 'running') AND subject IS NOT NULL`;
const known = `status IN ('waiting', 'running', 'done', 'dead')`;

/** Each counts what must not be there. */
const checks: Readonly<Record<string, string>> = {
  'entries of a status that there is not': `SELECT count(*) FROM entries WHERE NOT ${known}`,
  'subjects of which several entries run': `
    SELECT count(*) FROM (SELECT 1 FROM entries WHERE status = 'running' AND ${inLine}
      GROUP BY source, subject HAVING count(*) > 1)`,
  'entries that run without being the first of their subject': `
    SELECT count(*) FROM entries WHERE status = 'running' AND head <> 1`,
  'entries that run without a lease': `
    SELECT count(*) FROM entries WHERE (status = 'running') <> (lease_until IS NOT NULL)`,
  'entries that wait behind none, and would never run': `
    SELECT count(*) FROM entries AS blocked WHERE status = 'waiting' AND head <> 1 AND NOT EXISTS (
      SELECT 1 FROM entries AS first WHERE ${inLine} AND place = 0
        AND first.source = blocked.source AND first.subject = blocked.subject)`,
  'entries without their content': `SELECT count(*) FROM entries WHERE seq NOT IN (SELECT seq FROM bodies)`,
  'contents without their entry': `SELECT count(*) FROM bodies WHERE seq NOT IN (SELECT seq FROM entries)`,
  'counts of entries by status that are wrong': `
    SELECT sum(counted <> (SELECT count(*) FROM entries WHERE status = name)) FROM (
      SELECT 'waiting' AS name, waiting AS counted FROM counts UNION ALL SELECT 'running', running FROM counts
      UNION ALL SELECT 'done', done FROM counts UNION ALL SELECT 'dead', dead FROM counts)`,
  'counts of waiting bytes that are wrong': `
    SELECT count(*) FROM counts WHERE waiting_bytes <> (
      SELECT coalesce(sum(length(content)), 0) FROM entries JOIN bodies USING (seq) WHERE status = 'waiting')`,
  'keys kept as those of a forgotten entry that is still there': `
    SELECT count(*) FROM forgotten WHERE seq IN (SELECT seq FROM entries)`,
};

const heads = `
  SELECT hex(head) AS head, count(*) AS count FROM (
    SELECT substr(content, 1, 9) AS head FROM bodies UNION ALL SELECT substr(answer, 1, 9) FROM bodies)
  WHERE substr(head, 1, 1) = x'C1' GROUP BY 1`;

/** @throws if there is no inbox of this version in the file */
export function checkSqliteInbox(file: string, keys: readonly InboxKey[]): readonly Inconsistency[] {
  requireInbox(file);
  const database = new DatabaseSync(file, { readOnly: true, timeout: 10_000 });
  try {
    const found = atOneMoment(database, file, keys);
    return found.filter(({ count }) => count > 0);
  } catch (thrown) {
    throw isSqliteError(thrown) ? unavailable(file, thrown) : thrown;
  } finally {
    database.close();
  }
}

function atOneMoment(
  database: DatabaseSync,
  file: string,
  keys: readonly InboxKey[],
): readonly Inconsistency[] {
  database.exec('BEGIN');
  const damage = damageIn(database);
  requireSchema(database, file);
  return [
    { what: `damages that SQLite finds in the file, as ${damage[0]}`, count: damage.length },
    ...Object.entries(checks).map(([what, sql]) => ({ what, count: countedBy(database, sql) })),
    { what: 'entries without the key of their event, or with another', count: wrongKeys(database) },
    ...sealedByOthers(
      database
        .prepare(heads)
        .all()
        .map(({ head, count }) => ({ head: String(head), count: Number(count) })),
      keys,
    ),
  ];
}

function countedBy(database: DatabaseSync, sql: string): number {
  return Number(Object.values(database.prepare(sql).get() ?? {})[0] ?? 0);
}

/** By its key a redelivery is known for one. */
function wrongKeys(database: DatabaseSync): number {
  const rows = database.prepare(
    'SELECT endpoint, installation, key, unique_key AS found FROM entries WHERE key IS NOT NULL OR unique_key IS NOT NULL',
  );
  let wrong = 0;
  for (const { endpoint, installation, key, found } of rows.iterate()) {
    const of = { endpoint: String(endpoint), installation: optional(installation), key: optional(key) };
    if (uniqueKey(of) !== optional(found)) wrong += 1;
  }
  return wrong;
}

function optional(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** What SQLite says of a file: nothing of one that is sound. */
export function damageIn(database: DatabaseSync): readonly string[] {
  const rows = database.prepare('PRAGMA integrity_check').all();
  return rows.map((row) => String(row['integrity_check'])).filter((said) => said !== 'ok');
}
