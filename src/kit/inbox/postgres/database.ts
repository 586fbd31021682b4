import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { PgBoss } from 'pg-boss';
import { SCHEMA } from './schema.ts';
import { isWorthAnotherTry, unavailable, whereOf } from './trouble.ts';

export type Row = Readonly<Record<string, unknown>>;
export type Query = (text: string, values?: unknown[]) => Promise<readonly Row[]>;

/** Connections to the server. All of it rejects with `InboxUnavailable` within seconds, and works again once the server does. */
export interface Database {
  readonly query: Query;
  /**
   * Commits what the steps did, or undoes it and rejects. Steps that met another process are taken again: they must do
   * nothing but ask the database.
   */
  transaction<Result>(steps: (query: Query) => Promise<Result>): Promise<Result>;
  /** Tells the other processes, soon. Never rejects: all of them look by themselves, too. */
  notify(): void;
  /** Calls back when another process notified, or may have. Without such a connection the others are not heard. */
  listen(onNotified: () => void): Promise<void>;
  /** Ends all connections, each after what it is doing. */
  close(): Promise<void>;
}

const CONNECTIONS = 5;
const CONNECT_TIMEOUT_MS = 3_000;
/** The server gives a statement up first; when it does not answer at all, the connection is dropped a second later. */
const STATEMENT_TIMEOUT_MS = 5_000;
/** A machine that vanished in the middle of a transaction must not keep the others out of a line. */
const IDLE_TRANSACTION_MS = 10_000;
const TRIES = 5;
/** Commits that notify wait for each other, on the whole server: one notification is for all entries of this time. */
const NOTIFY_EVERY_MS = 50;
const CHANNEL = 'inbox_ready';

/** Connects to a database whose schema is prepared. @throws InboxUnavailable */
export async function openDatabase(url: string): Promise<Database> {
  const where = whereOf(url);
  const self = randomUUID();
  const boss = createBoss(url);
  const db = boss.getDb();
  let notifying: Promise<void> | undefined;
  let news = false;
  let listening: { close(): Promise<void> } | undefined;

  async function patiently<Result>(step: () => Promise<Result>): Promise<Result> {
    for (let tried = 1; ; tried++) {
      try {
        return await step();
      } catch (thrown) {
        if (tried === TRIES || !isWorthAnotherTry(thrown)) throw unavailable(where, thrown);
        await sleep(20 * tried * Math.random());
      }
    }
  }

  async function notifyAll(): Promise<void> {
    while (news) {
      news = false;
      await db.executeSql('SELECT pg_notify($1, $2)', [CHANNEL, self]).catch(() => undefined);
      await sleep(NOTIFY_EVERY_MS, undefined, { ref: false });
    }
    notifying = undefined;
  }

  await patiently(() => boss.start());
  return {
    query: (text, values) => patiently(async () => rowsOf(await db.executeSql(text, values))),
    transaction: (steps) => patiently(() => transact(db, steps)),
    notify() {
      news = true;
      notifying ??= notifyAll();
    },
    async listen(onNotified) {
      const heard = (from: string) => {
        if (from !== self) onNotified();
      };
      listening = await db.listen?.(CHANNEL, heard, onNotified).catch(() => undefined);
    },
    async close() {
      news = false;
      await listening?.close();
      await boss.stop({ graceful: false });
    },
  };
}

type Db = ReturnType<PgBoss['getDb']>;

async function transact<Result>(db: Db, steps: (query: Query) => Promise<Result>): Promise<Result> {
  const transaction = await db.beginTransaction?.();
  if (!transaction) throw new Error('pg-boss began no transaction');
  try {
    const result = await steps(async (text, values) => rowsOf(await transaction.db.executeSql(text, values)));
    await transaction.commit();
    return result;
  } catch (thrown) {
    void transaction.rollback(); // never rejects; on a dead connection it takes its time
    throw thrown;
  }
}

function createBoss(connectionString: string): PgBoss {
  // A variable: what pg-boss hands on to pg is not all in its type.
  const settings = {
    connectionString,
    schema: SCHEMA,
    application_name: 'advance-receiver-kit',
    ...{ migrate: false, supervise: false, schedule: false },
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS + 1_000,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_MS,
  };
  const boss = new PgBoss(settings);
  boss.on('error', () => undefined); // of a connection that nobody waits for: the next one who needs it hears of it
  return boss;
}

function rowsOf(result: { readonly rows: readonly unknown[] }): readonly Row[] {
  return result.rows as readonly Row[]; // pg makes an object of each row
}
