import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { KEYS, TABLE } from '../../../src/kit/inbox/postgres/entries.ts';
import { startPostgres } from '../../../src/lab/rig/postgres.ts';
import type { EngineName } from '../../../src/lab/rig/inboxes.ts';

/** Where inboxes are kept. */
export interface Engine {
  readonly name: EngineName;
  /** The INBOX_URL of an empty inbox for a run; that of the run before is gone then. */
  newInbox(folder: string): Promise<string>;
  /** Resolves when nothing of a process that died is on its way into the inbox any more. */
  quiet(inboxUrl: string): Promise<void>;
  /** Lets the time pass that the dead still hold entries for. The next owner of a SQLite inbox needs none. */
  lapseLeases(inboxUrl: string): Promise<void>;
  close(): Promise<void>;
}

export async function startEngine(name: EngineName): Promise<Engine> {
  return name === 'sqlite' ? sqlite : startPostgresEngine();
}

const sqlite: Engine = {
  name: 'sqlite',
  newInbox: async (folder) => `sqlite:${join(folder, 'inbox.db')}`,
  quiet: async () => undefined,
  lapseLeases: async () => undefined,
  close: async () => undefined,
};

async function startPostgresEngine(): Promise<Engine> {
  const server = await startPostgres();
  let database: string | undefined;
  return {
    name: 'postgres',
    async newInbox() {
      // To create all tables anew would take longer than a run.
      if (database !== undefined) await query(database, `TRUNCATE ${TABLE}, ${KEYS}`);
      return (database ??= await server.newDatabase());
    },
    quiet: untilAlone,
    async lapseLeases(inboxUrl) {
      await query(inboxUrl, `UPDATE ${TABLE} SET lease_until = now() WHERE status = 'running'`);
    },
    close: () => server.remove(),
  };
}

const OTHERS = `
  SELECT 1 FROM pg_stat_activity
  WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`;
const POLL_MS = 5;

/** The server ends what it was told before it notices that nobody is there any more. */
async function untilAlone(inboxUrl: string): Promise<void> {
  while ((await query(inboxUrl, OTHERS)) > 0) await pause(POLL_MS);
}

/** Resolves with the number of rows. */
async function query(inboxUrl: string, text: string): Promise<number> {
  const client = new pg.Client({ connectionString: inboxUrl });
  await client.connect();
  try {
    return (await client.query(text)).rowCount ?? 0;
  } finally {
    await client.end();
  }
}
