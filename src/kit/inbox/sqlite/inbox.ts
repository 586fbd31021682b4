import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createGroupCommit } from './group-commit.ts';
import { InboxUnavailable, type Entry, type Filter, type Inbox, type Room } from '../inbox.ts';
import { createSqliteEntries } from './entries.ts';
import { takeOwnership, type Ownership } from './owner.ts';
import { prepareSchema, requireSchema } from './schema.ts';
import { isSqliteError, unavailable } from './trouble.ts';

export interface SqliteInboxOptions extends Room {
  readonly now?: () => number;
  /**
   * The receiver owns its file: no second one can open it, and what the last one left running waits again. The command
   * line does not: it needs an existing file, and works beside a running receiver. Default true.
   */
  readonly owner?: boolean;
}

/** How long a writer waits for the other process. The receiver stands still meanwhile, so it gives up sooner. */
const OWNER_WAITS_MS = 1_000;
const GUEST_WAITS_MS = 10_000;

/** So many entries are forgotten in one commit, 30 ms at 200 KB each: the receiver stands still meanwhile. */
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
  if (!existsSync(file))
    throw new Error(`There is no inbox at ${file}: a receiver creates it when it starts. Check INBOX_URL.`);
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

/** Entries are personal data: only this user may read them. SQLite gives the files beside it the same permissions. */
function createPrivately(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', 0o600));
}

/**
 * After the check of the schema: another program's file is left as it is. What is forgotten is overwritten in the file
 * with `secure_delete`; the log beside it may have it until it is written anew. Storing and completing cost the same
 * with it, forgetting large content four to ten times as much.
 */
function configure(database: DatabaseSync): void {
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA cache_size = -16000;
    PRAGMA journal_size_limit = 67108864;
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
  { now = Date.now, ...room }: SqliteInboxOptions,
  ownership: Ownership | undefined,
): Inbox {
  const listeners: (() => void)[] = [];
  let ready = false;
  let closed = false;

  const entries = createSqliteEntries(database, {
    room,
    now,
    onReady() {
      ready = true;
    },
  });
  const { transact } = entries;
  const group = createGroupCommit({
    transact,
    failure: (thrown) => unavailable(file, thrown),
    committed,
  });

  function committed(): void {
    if (!ready) return;
    ready = false;
    for (const listener of listeners) listener();
  }

  async function write<Result>(operation: () => Result): Promise<Result> {
    if (closed) throw inboxClosed();
    return group.run(operation);
  }

  /** Sees only what is committed: operations queued in this turn are not there yet. */
  async function read<Result>(query: () => Result): Promise<Result> {
    if (closed) throw inboxClosed();
    try {
      return query();
    } catch (thrown) {
      throw unavailable(file, thrown);
    }
  }

  async function prune(finishedBefore: number, limit: number): Promise<number> {
    let pruned = 0;
    while (pruned < limit) {
      const step = Math.min(limit - pruned, PRUNED_AT_ONCE);
      const forgotten = await write(() => entries.prune(finishedBefore, step));
      pruned += forgotten;
      if (forgotten < step) break;
    }
    return pruned;
  }

  if (ownership) transact(entries.giveBackAll);

  return {
    store: (entry, claiming) => write(() => entries.store(entry, claiming?.claimForMs)),
    claim: ({ limit, leaseMs }) => write(() => entries.claim(limit, leaseMs)),
    renew: (claimed, leaseMs) => write(() => entries.renew(claimed, leaseMs)),
    done: (claimed, result) => write(entries.done.bind(undefined, claimed, result ?? {})),
    retry: (claimed, reason, dueAt) => write(entries.retry.bind(undefined, claimed, reason, dueAt)),
    bury: (claimed, reason) => write(entries.bury.bind(undefined, claimed, reason)),
    release: (claimed) => write(entries.release.bind(undefined, claimed)),
    replay: (seq) => write(() => entries.replay(seq)),
    discard: (seq, reason) => write(() => entries.discard(seq, reason)),
    prune: ({ finishedBefore, limit }) => prune(finishedBefore, limit),
    find: (seq) => read((): Entry | null => entries.find(seq) ?? null),
    list: (filter: Filter) => read(() => entries.list(filter)),
    stats: () => read(() => entries.stats()),
    nextDue: () => read(() => entries.nextDue()),
    onReady(listener) {
      listeners.push(listener);
    },
    async close() {
      if (closed) return;
      group.flush();
      closed = true;
      database.close();
      ownership?.close();
    },
  };
}

function inboxClosed(): InboxUnavailable {
  return new InboxUnavailable('inbox_unavailable', 'The inbox is closed: the process is shutting down.');
}
