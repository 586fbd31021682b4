import { DatabaseSync } from 'node:sqlite';
import { requireInbox } from '../address.ts';
import { createSteadyClock } from '../inbox.ts';
import { CHECKPOINT_PAGES, LOG_BYTES, watchCheckpoints } from './checkpoints.ts';
import { createGroupCommit } from './group-commit.ts';
import { inboxClosed, type Inbox, type Room } from '../inbox.ts';
import { discardEntry, listEntries, pruneEntries, readNextDue, readStats, replayEntry } from './manage.ts';
import { createPrivately, takeOwnership, type Ownership } from './owner.ts';
import { prepareSchema, requireSchema } from './schema.ts';
import { findEntry, openTables, storeEntry, transact } from './store.ts';
import { isSqliteError, unavailable } from './trouble.ts';
import { bringForward, claimEntries, endDead, endDone, giveBackAll, putBack, renewLease } from './work.ts';

export interface SqliteInboxOptions extends Room {
  readonly now?: () => number;
  /**
   * The receiver owns its file: no second one can open it, and what the last one left running waits again. The command
   * line does not: it needs an existing file, and works beside a running receiver. Default true.
   */
  readonly owner?: boolean;
  /** Told how many entries a clock that was set back would have kept waiting; the receiver's only. */
  readonly onBroughtForward?: (entries: number) => void;
}

/** How long a writer waits for the other process. The receiver stands still while it waits, so it gives up sooner. */
const OWNER_WAITS_MS = 1_000;
const GUEST_WAITS_MS = 10_000;

/** How many entries are forgotten in one commit, 30 ms at 200 KB each: the receiver stands still until it is done. */
const PRUNED_AT_ONCE = 50;

/**
 * An inbox in one SQLite file, for one receiver on one machine and a local disk. A promise resolves when the commit,
 * shared by all operations of one turn of the event loop, is on disk.
 * @throws if the file cannot be opened, is not an inbox, or has another receiver
 */
export function openSqliteInbox(file: string, options: SqliteInboxOptions): Inbox {
  try {
    return options.owner === false ? openAsGuest(file, options) : openAsOwner(file, options);
  } catch (thrown) {
    throw isSqliteError(thrown) ? unavailable(file, thrown) : thrown;
  }
}

function openAsGuest(file: string, options: SqliteInboxOptions): Inbox {
  requireInbox(file);
  const database = new DatabaseSync(file, { timeout: GUEST_WAITS_MS });
  return closedOnError(database, () => {
    requireSchema(database, file);
    configure(database);
    return createInbox(file, database, options, undefined);
  });
}

function openAsOwner(file: string, options: SqliteInboxOptions): Inbox {
  createPrivately(file);
  const ownership = takeOwnership(file);
  return closedOnError(ownership, () => {
    const database = new DatabaseSync(file, { timeout: OWNER_WAITS_MS });
    return closedOnError(database, () => {
      prepareSchema(database, file);
      configure(database);
      return createInbox(file, database, options, ownership);
    });
  });
}

/**
 * After the check of the schema: another program's file is left as it is. What is forgotten is overwritten in the file
 * with `secure_delete`; the log beside it may have it until it is written again. Storing and completing cost the same
 * with it, forgetting large content four to ten times as much. The log is copied into the file after
 * 4,000 pages instead of 1,000: the pages that every commit changes are copied less often.
 */
function configure(database: DatabaseSync): void {
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA cache_size = -16000;
    PRAGMA journal_size_limit = ${LOG_BYTES};
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
  `);
}

function closedOnError<Result>(resource: { close(): void }, step: () => Result): Result {
  try {
    return step();
  } catch (thrown) {
    resource.close();
    throw thrown;
  }
}

function createInbox(
  file: string,
  database: DatabaseSync,
  { now = createSteadyClock(), onBroughtForward, ...room }: SqliteInboxOptions,
  ownership: Ownership | undefined,
): Inbox {
  const listeners: (() => void)[] = [];
  let ready = false;
  const tables = openTables(database, { room, now, onReady: () => (ready = true) });
  const group = createGroupCommit({
    transact: (work) => transact(tables, work),
    failure: (thrown) => unavailable(file, thrown),
    committed() {
      if (!ready) return;
      ready = false;
      for (const listener of listeners) listener();
    },
  });
  const write = async <Outcome>(operation: () => Outcome): Promise<Outcome> => {
    if (!database.isOpen) throw inboxClosed();
    return group.run(operation);
  };
  const read = async <Outcome>(query: () => Outcome) => readNow(file, database, query);
  const checkpoints = ownership && watchCheckpoints(file, database);
  if (ownership) {
    transact(tables, giveBackAll.bind(undefined, tables));
    const forward = transact(tables, bringForward.bind(undefined, tables));
    if (forward > 0) onBroughtForward?.(forward);
  }

  return {
    store: (entry, claiming) => write(() => storeEntry(tables, entry, claiming?.claimForMs)),
    claim: ({ limit, leaseMs }) => write(() => claimEntries(tables, limit, leaseMs)),
    renew: (claimed, leaseMs) => write(() => renewLease(tables, claimed, leaseMs)),
    done: (claimed, result = {}) => write(endDone.bind(undefined, tables, claimed, result)),
    retry: (claimed, note, dueAt) => write(putBack.bind(undefined, tables, claimed, { note, dueAt })),
    bury: (claimed, reason) => write(endDead.bind(undefined, tables, claimed, reason)),
    release: (claimed) => write(putBack.bind(undefined, tables, claimed, { attempts: claimed.attempts - 1 })),
    replay: (seq) => write(() => replayEntry(tables, seq)),
    discard: (seq, reason) => write(() => discardEntry(tables, seq, reason)),
    prune: (options) =>
      pruneInSteps(options.limit, (limit) => write(() => pruneEntries(tables, { ...options, limit }))),
    find: (seq) => read(() => findEntry(tables, seq) ?? null),
    list: (filter) => read(() => listEntries(tables, filter)),
    stats: () => read(() => readStats(tables)),
    nextDue: () => read(() => readNextDue(tables)),
    onReady(listener) {
      listeners.push(listener);
    },
    async close() {
      if (!database.isOpen) return;
      group.flush();
      checkpoints?.[Symbol.dispose]();
      database.close();
      ownership?.close();
    },
  };
}

/** Sees only what is committed: operations queued in this turn are not there yet. */
function readNow<Outcome>(file: string, database: DatabaseSync, query: () => Outcome): Outcome {
  if (!database.isOpen) throw inboxClosed();
  try {
    return query();
  } catch (thrown) {
    throw unavailable(file, thrown);
  }
}

async function pruneInSteps(limit: number, prune: (limit: number) => Promise<number>): Promise<number> {
  let pruned = 0;
  while (pruned < limit) {
    const step = Math.min(limit - pruned, PRUNED_AT_ONCE);
    const forgotten = await prune(step);
    pruned += forgotten;
    if (forgotten < step) break;
  }
  return pruned;
}
