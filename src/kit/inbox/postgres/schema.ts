import { PgBoss } from 'pg-boss';
import { InboxUnavailable } from '../inbox.ts';

/** Everything of this inbox is in one schema of its own, created when it is first opened. */
export const SCHEMA = 'inbox';
export const QUEUE = 'entries';
/** pg-boss's table of all jobs without a table of their own: here, the entries. */
export const TABLE = `${SCHEMA}.job_common`;
/** pg-boss's index for it makes a second running job of one key impossible, whatever this program does wrong. */
export const POLICY = 'key_strict_fifo';

/** Grows with each change of what we add; an older database is brought up to it, a newer one refused. */
const VERSION = 1;
/** Any number that nobody else locks in this database. */
const LOCK = 7_215_604_118;
/** Several processes may start at once: each waits for the one before it. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Creates what is not there yet: the schema, tables and queue of pg-boss, and what entries need beyond them.
 * @throws what the database says, or if a newer version of this program has been here
 */
export async function prepareSchema(url: string): Promise<void> {
  // A variable: what pg-boss hands on to pg is not all in its type.
  const settings = {
    connectionString: url,
    schema: SCHEMA,
    application_name: 'advance-receiver-kit',
    ...{ supervise: false, schedule: false, max: 2 },
    connectionTimeoutMillis: 5_000,
    query_timeout: LONGEST_WAIT_MS,
    lock_timeout: LONGEST_WAIT_MS / 2,
  };
  const boss = new PgBoss(settings);
  boss.on('error', () => undefined); // what matters here rejects a call as well
  try {
    await boss.start();
    await boss.createQueue(QUEUE, { policy: POLICY, deleteAfterSeconds: 0 });
    await addToJobs(boss);
  } finally {
    await boss.stop({ graceful: false });
  }
}

/** Only once: to alter a table waits for everybody who reads it, a backup for example, and all others wait behind. */
async function addToJobs(boss: PgBoss): Promise<void> {
  const transaction = await boss.getDb().beginTransaction?.();
  if (!transaction) throw new Error('pg-boss began no transaction');
  const query: typeof transaction.db.executeSql = (text, values) => transaction.db.executeSql(text, values);
  try {
    await query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    await query(`CREATE TABLE IF NOT EXISTS ${SCHEMA}.entry_version (version integer NOT NULL)`);
    const { rows } = await query(`SELECT max(version) AS version FROM ${SCHEMA}.entry_version`);
    const [row] = rows as readonly { readonly version: number | null }[]; // max() is one row
    const found = row?.version ?? 0;
    if (found > VERSION) throw newerVersion(found);
    if (found < VERSION) await query(additions);
    await transaction.commit();
  } finally {
    await transaction.rollback();
  }
}

function newerVersion(found: number): InboxUnavailable {
  return new InboxUnavailable(
    'inbox_unavailable',
    `The database was written by a newer version (schema ${found}, this one knows ${VERSION}): start that version again.`,
  );
}

/**
 * A waiting entry is a job that is `created`, a running one `active`, a done one `completed`, a dead one `cancelled`:
 * one that has `failed` would block its subject. `blocked` says of a waiting entry that another of its subject is before it,
 * so that a claim never looks at it; it is also true of what is finished, until `promoteLines` finds otherwise. `seq`
 * orders a line: all jobs of one statement have one `created_on`. Content lives apart from its row, which is written
 * again with each change of state, and it lives there as it came: compressing it costs more than storing it.
 */
const additions = `
  CREATE SEQUENCE ${SCHEMA}.entry_seq;
  ALTER TABLE ${SCHEMA}.job
    ADD COLUMN seq bigint NOT NULL DEFAULT nextval('${SCHEMA}.entry_seq'),
    ADD COLUMN attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN lease_until timestamptz,
    ADD COLUMN bytes integer NOT NULL DEFAULT 0,
    ADD COLUMN content bytea,
    ADD COLUMN answer bytea;
  ALTER TABLE ${TABLE} ALTER COLUMN content SET STORAGE EXTERNAL;
  ALTER TABLE ${TABLE} SET (toast_tuple_target = 256);
  CREATE UNIQUE INDEX entry_seq_key ON ${TABLE} (seq);
  CREATE INDEX entry_due ON ${TABLE} (start_after, seq) WHERE state = 'created' AND NOT blocked;
  CREATE INDEX entry_line ON ${TABLE} (singleton_key, seq) WHERE state = 'created' AND blocked;
  CREATE INDEX entry_lease ON ${TABLE} (lease_until) WHERE state = 'active';
  CREATE INDEX entry_done ON ${TABLE} (completed_on, seq) WHERE state = 'completed';
  CREATE INDEX entry_unfinished ON ${TABLE} (state, seq) INCLUDE (bytes) WHERE state <> 'completed';
  INSERT INTO ${SCHEMA}.entry_version VALUES (${VERSION});
`;
