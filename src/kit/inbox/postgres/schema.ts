import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { InboxUnavailable } from '../inbox.ts';
import { readServer, unavailable, type Server } from './server.ts';

const folder = join(import.meta.dirname, 'migrations');

/** Files of plain SQL, in their order. The name of each begins with the version that it leads to. */
function migrationsAfter(version: number): readonly string[] {
  const names = readdirSync(folder).filter((name) => Number.parseInt(name, 10) > version);
  return names.sort();
}

function sqlAfter(version: number): string {
  return migrationsAfter(version)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
}

/** Any number that nobody else locks in this database. */
const LOCK = 7_215_604_118;
/** Several processes may start at once: each waits for the one before it. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Looks at a database before it is worked with. Where tables are missing, and unless `owner` is false, it makes them.
 * @throws InboxUnavailable if the server cannot be reached, is read-only, does not let this user work with the tables, or
 *   was written by a newer version
 */
export async function prepareSchema(
  server: Server,
  { owner = true }: { readonly owner?: boolean },
): Promise<void> {
  const needed = Number.parseInt(migrationsAfter(0).at(-1) ?? '', 10);
  await withClient(server, async (client) => {
    await refuseUnfit(client, { toWrite: owner });
    if (owner) await refuseWithoutRights(client);
    const found = await versionOf(client);
    if (found < needed && !owner) {
      throw refused(
        `holds schema ${found}, and this version needs ${needed}: run "npm run inbox -- migrate".`,
      );
    }
    const migrated = found < needed ? await migrate(client) : found;
    if (migrated <= needed) return;
    const versions = `(schema ${migrated}, this one knows ${needed})`;
    throw refused(`was written by a newer version ${versions}: start that version again.`);
  });
}

/** The SQL that an operator may run in place of the program: what this database lacks, as one transaction, or nothing. */
export async function missingMigrations(url: string): Promise<string> {
  const missing = sqlAfter(await withClient(readServer(url), versionOf));
  return missing === '' ? '' : `BEGIN;\n\n${missing}\nCOMMIT;\n`;
}

/** What a query finds, of however many rows. @throws InboxUnavailable */
export async function queryOnce(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const server = readServer(url);
  await prepareSchema(server, { owner: false });
  return withClient(server, async (client) => (await client.query<Record<string, unknown>>(sql)).rows);
}

export async function withClient<Result>(
  { where, settings }: Server,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ ...settings, query_timeout: 0 });
  client.on('error', () => undefined); // what matters here rejects a call as well
  try {
    await client.connect();
    return await work(client);
  } catch (thrown) {
    throw unavailable(where, thrown);
  } finally {
    void client.end();
  }
}

/** @throws InboxUnavailable */
async function refuseUnfit(client: pg.Client, { toWrite }: { readonly toWrite: boolean }): Promise<void> {
  const settings = `SELECT current_setting('server_encoding'), current_setting('transaction_read_only')`;
  const { rows } = await client.query<string[]>({ text: settings, rowMode: 'array' });
  const [[encoding, readOnly] = []] = rows;
  if (encoding !== 'UTF8') {
    throw refused(
      `is in ${encoding}, which cannot hold every character that a sender may write: create it with ` +
        "ENCODING 'UTF8' TEMPLATE template0, and move what is in it with pg_dump.",
    );
  }
  if (toWrite && readOnly === 'on') {
    throw refused('is read-only: does INBOX_URL name a standby? It must name the primary.');
  }
}

/**
 * The statements that give this user what he lacks on what is there. By the catalogue: without USAGE on the schema nobody
 * may ask for a table by its name.
 */
const missingGrants = `
  WITH schema AS (
    SELECT oid FROM pg_namespace WHERE nspname = 'inbox'
  ), needed AS MATERIALIZED (
    SELECT 'SCHEMA inbox' AS object, 'USAGE' AS privilege, has_schema_privilege(oid, 'USAGE') AS given FROM schema
    UNION ALL
    SELECT 'SEQUENCE inbox.' || relname, 'USAGE', has_sequence_privilege(oid, 'USAGE, UPDATE')
    FROM pg_class WHERE relnamespace = (TABLE schema) AND relname = 'entry_seq'
    UNION ALL
    SELECT 'inbox.' || relname, privilege, has_table_privilege(oid, privilege)
    FROM pg_class, unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS privilege
    WHERE relnamespace = (TABLE schema)
      AND (relname IN ('entry', 'key', 'tape', 'fact') OR relname = 'entry_version' AND privilege = 'SELECT')
  )
  SELECT format('GRANT %s ON %s TO %I;', string_agg(privilege, ', ' ORDER BY privilege), object, current_user)
    AS statement
  FROM needed WHERE NOT given GROUP BY object ORDER BY object COLLATE "C"`;

/** Else it would start, and refuse every delivery. @throws InboxUnavailable */
async function refuseWithoutRights(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(missingGrants);
  if (rows.length === 0) return;
  const statements = rows.map(({ statement }) => statement).join(' ');
  throw refused(
    `does not let its user do what a receiver does. As the owner of the tables, run: ${statements}`,
  );
}

function refused(why: string): InboxUnavailable {
  return new InboxUnavailable('inbox_unavailable', `The database of INBOX_URL ${why}`);
}

async function versionOf(client: pg.Client): Promise<number> {
  const found = await client.query("SELECT FROM pg_class WHERE oid = to_regclass('inbox.entry_version')");
  if (found.rowCount === 0) return 0;
  const { rows } = await client.query<{ version: number | null }>(
    'SELECT max(version) AS version FROM inbox.entry_version',
  );
  return rows[0]?.version ?? 0;
}

/** All or nothing, and nothing of what another process did while this one waited. Resolves with the version then. */
async function migrate(client: pg.Client): Promise<number> {
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
  await client.query(`SET LOCAL lock_timeout = ${LONGEST_WAIT_MS}; SET LOCAL client_min_messages = warning`);
  await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
  await client.query(sqlAfter(await versionOf(client)));
  const version = await versionOf(client);
  await client.query('COMMIT');
  return version;
}
