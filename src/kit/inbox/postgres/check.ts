import { sealedByOthers, type Inconsistency } from '../check.ts';
import type { InboxKey } from '../sealed/keys.ts';
import { KEYS, TABLE } from './entries.ts';
import { prepareSchema, withClient } from './schema.ts';
import { readServer } from './server.ts';

/** Each counts what must not be there. */
const checks: Readonly<Record<string, string>> = {
  'entries of a status that there is not': `
    SELECT count(*) FROM ${TABLE} WHERE status NOT IN ('waiting', 'running', 'done', 'dead')`,
  'subjects of which several entries run': `
    SELECT count(*) FROM (SELECT FROM ${TABLE} WHERE status = 'running' AND subject IS NOT NULL
      GROUP BY source, subject HAVING count(*) > 1) AS several`,
  'entries in no line though they have a subject, or the reverse': `
    SELECT count(*) FROM ${TABLE} WHERE (line IS NULL) <> (subject IS NULL)`,
  'entries that run without a lease': `
    SELECT count(*) FROM ${TABLE} WHERE (status = 'running') <> (lease_until IS NOT NULL)`,
  'entries that wait behind none, and would never run': `
    SELECT count(*) FROM ${TABLE} AS behind WHERE status = 'waiting' AND blocked AND NOT EXISTS (
      SELECT FROM ${TABLE} AS first WHERE first.line = behind.line
        AND (first.status = 'running' OR first.status = 'waiting' AND NOT first.blocked))`,
  'entries whose count of bytes is wrong': `
    SELECT count(*) FROM ${TABLE} WHERE bytes <> octet_length(content)`,
  'entries without the key of their event': `
    SELECT count(*) FROM ${TABLE} AS entry WHERE key IS NOT NULL AND NOT EXISTS (
      SELECT FROM ${KEYS} AS key WHERE key.seq = entry.seq)`,
  'keys without their entry': `
    SELECT count(*) FROM ${KEYS} AS key WHERE done_at IS NULL AND NOT EXISTS (
      SELECT FROM ${TABLE} AS entry WHERE entry.seq = key.seq)`,
  'keys kept as those of a forgotten entry that is still there': `
    SELECT count(*) FROM ${KEYS} AS key WHERE done_at IS NOT NULL AND EXISTS (
      SELECT FROM ${TABLE} AS entry WHERE entry.seq = key.seq)`,
};

const heads = `
  SELECT encode(head, 'hex') AS head, count(*) AS count FROM (
    SELECT substr(content, 1, 9) AS head FROM ${TABLE} UNION ALL SELECT substr(answer, 1, 9) FROM ${TABLE}) AS heads
  WHERE substr(head, 1, 1) = '\\xc1' GROUP BY 1`;

/** @throws InboxUnavailable */
export async function checkPostgresInbox(
  url: string,
  keys: readonly InboxKey[],
): Promise<readonly Inconsistency[]> {
  const server = readServer(url);
  await prepareSchema(server, { owner: false });
  return withClient(server, async (client) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const found: Inconsistency[] = [];
    for (const [what, sql] of Object.entries(checks)) {
      const { rows } = await client.query<{ count: string }>(sql);
      found.push({ what, count: Number(rows[0]?.count) });
    }
    const { rows } = await client.query<{ head: string; count: string }>(heads);
    const sealed = rows.map(({ head, count }) => ({ head, count: Number(count) }));
    return [...found.filter(({ count }) => count > 0), ...sealedByOthers(sealed, keys)];
  });
}
