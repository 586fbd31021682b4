import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { News } from './news.ts';
import { codeOf, STATEMENT_TIMEOUT_MS, unavailable, type Server } from './server.ts';

export type Row = Readonly<Record<string, unknown>>;
export type Query = (text: string, values?: unknown[]) => Promise<readonly Row[]>;
export type Statement = readonly [text: string, values: unknown[]];

/** Connections to the server. All of it rejects with `InboxUnavailable` within seconds, and works again once the server does. */
export interface Database {
  readonly query: Query;
  /**
   * Commits what these do, all of it or nothing, and resolves with the rows of each. Nobody else holds one of these locks
   * meanwhile.
   */
  transaction(
    locks: readonly bigint[],
    statements: readonly Statement[],
  ): Promise<readonly (readonly Row[])[]>;
  readonly news: News;
  /** Ends all connections, each after what it is doing. */
  close(): Promise<void>;
}

/** Numbers where pg has text, and milliseconds since 1970 where it has a Date. */
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, Number);
types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, Date.parse);

const CONNECTIONS = 5;
/** A machine that vanished in the middle of a transaction must not keep the others out of a line. */
const IDLE_TRANSACTION_MS = 10_000;
const TRIES = 5;

/**
 * Each connection begins with this, in one round trip: PgBouncer refuses most of it as start-up parameters. Statements are
 * planned once, by what indexes are for: a plan made on an empty table would read all of a full one. What is promised
 * must be on disk, and a time be a time, whatever the database is set to otherwise.
 */
const session = `
  SET statement_timeout = ${STATEMENT_TIMEOUT_MS}; SET idle_in_transaction_session_timeout = ${IDLE_TRANSACTION_MS};
  SET default_transaction_isolation = 'read committed'; SET datestyle = 'ISO';
  SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = off;
  SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`;

/** Worth another try at once: a deadlock, another process that was first, or what `heed` has seen to. */
const worthAnotherTry = new Set(['40001', '40P01', '23505', '25006', '26000', '42P05']);

/** Connects to a database whose schema is prepared. @throws InboxUnavailable */
export async function openDatabase(server: Server): Promise<Database> {
  const news = new News(server);
  let pool = createPool(server);
  let named = true;

  async function patiently<Result>(step: (used: pg.Pool) => Promise<Result>): Promise<Result> {
    for (let tried = 1; ; tried++) {
      const used = pool;
      try {
        return await step(used);
      } catch (thrown) {
        const code = codeOf(thrown);
        heed(code, used);
        const tries = code === '25006' ? 2 : TRIES; // where new connections are read-only too, the server is
        if (tried >= tries || !worthAnotherTry.has(code)) throw unavailable(server.where, thrown);
        await sleep(20 * tried * Math.random());
      }
    }
  }

  function heed(code: string, used: pg.Pool): void {
    // Between this and the database is something that gives each transaction another connection.
    if (code === '26000' || code === '42P05') named = false;
    if (code !== '25006' || used !== pool) return;
    // The server was the primary when we connected: a new connection leads to the one that is it now.
    pool = createPool(server);
    void retire(used);
    news.renew();
  }

  const prepared = ([text, values]: Statement) => ({ text, values, ...(named && { name: nameOf(text) }) });

  await patiently((used) => used.query('SELECT'));
  return {
    news,
    query: (text, values = []) =>
      patiently(async (used) => rowsOf(await used.query(prepared([text, values])))),
    async transaction(locks, statements) {
      const all = [...(locks.length > 0 ? [lockAll(locks)] : []), ...statements];
      const rows = await patiently((used) => transact(used, all.map(prepared)));
      return rows.slice(all.length - statements.length);
    },
    async close() {
      await news.close();
      await pool.end();
    },
  };
}

function createPool({ settings }: Server): pg.Pool {
  const pool = new pg.Pool({
    ...settings,
    max: CONNECTIONS,
    pipeline: true,
    types,
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the pool waits for it, its type does not say so
    onConnect: (client) => client.query(session),
  });
  pool.on('error', () => undefined); // of a connection that nobody waits for: the next one who needs it hears of it
  return pool;
}

/** Ends its connections, after those who wait for one of them: it would forget them. */
async function retire(pool: pg.Pool): Promise<void> {
  while (pool.waitingCount > 0) await sleep(100, undefined, { ref: false });
  await pool.end();
}

/**
 * In one round trip, whose messages are written at once: where one statement fails the server skips those after it, and
 * what was to commit is rolled back.
 */
async function transact(
  pool: pg.Pool,
  statements: readonly pg.QueryConfig[],
): Promise<readonly (readonly Row[])[]> {
  const client = await pool.connect();
  const ignore = () => undefined; // what matters of it rejects a query as well
  client.on('error', ignore);
  // Each may take its time after those before it.
  const patient = (config: pg.QueryConfig, index: number) => ({
    ...config,
    query_timeout: (index + 1) * STATEMENT_TIMEOUT_MS + 1_000,
  });
  const { stream } = (client as unknown as { readonly connection: pg.Connection }).connection; // its type keeps it back
  stream.cork();
  const asked = [{ text: 'BEGIN ISOLATION LEVEL READ COMMITTED' }, ...statements, { text: 'COMMIT' }].map(
    (config, index) => client.query(patient(config, index)),
  );
  stream.uncork();
  const answers = await Promise.allSettled(asked);
  const failed = answers.find(({ status }) => status === 'rejected');
  client.off('error', ignore).release(failed !== undefined);
  if (failed?.status === 'rejected') throw failed.reason;
  return answers.slice(1, -1).map((answer) => (answer.status === 'fulfilled' ? rowsOf(answer.value) : []));
}

/**
 * In one order for all, so that no two processes wait for each other, and in a statement of its own: one that waited would
 * still see what was before.
 */
function lockAll(locks: readonly bigint[]): Statement {
  return [
    'SELECT count(pg_advisory_xact_lock(lock)) FROM unnest($1::bigint[]) AS lock',
    [locks.toSorted((one, other) => (one < other ? -1 : 1))],
  ];
}

const names = new Map<string, string>();

/** Under this name a connection prepares it once: planning costs as much as running. */
function nameOf(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = createHash('sha256').update(text).digest('base64url').slice(0, 16);
  names.set(text, name);
  return name;
}

function rowsOf(result: { readonly rows: readonly unknown[] }): readonly Row[] {
  return result.rows as readonly Row[]; // pg makes an object of each row
}
