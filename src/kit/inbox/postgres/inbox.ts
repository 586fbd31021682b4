import { inboxClosed, type Entry, type Inbox, type Room } from '../inbox.ts';
import { discardEntry, pruneEntries, replayEntry } from './change.ts';
import { claimEntries, renewLease } from './claim.ts';
import type { Context } from './context.ts';
import { openDatabase, type Database } from './database.ts';
import { insertBytes } from './insert.ts';
import { jobIdOf } from './keys.ts';
import { countWaiting, findEntry, listEntries, readNextDue, readStats } from './read.ts';
import { createWaitingRoom } from './room.ts';
import { prepareSchema } from './schema.ts';
import { settleAll, settlementBytes, type Settlement } from './settle.ts';
import { storeAll } from './store.ts';
import { createTurns } from './turns.ts';
import { unavailable, whereOf } from './trouble.ts';

export interface PostgresInboxOptions extends Room {
  /** For tests. By default times are the server's, on which several machines agree. */
  readonly now?: () => number;
}

/**
 * An inbox in a PostgreSQL database, for any number of receivers and workers on any number of machines. Its entries are
 * jobs of pg-boss, in a schema named inbox that is created when it is first opened. A promise resolves when the server
 * has committed.
 * @throws InboxUnavailable if the server cannot be reached, or refuses the login
 */
export async function openPostgresInbox(url: string, options: PostgresInboxOptions): Promise<Inbox> {
  const where = whereOf(url);
  try {
    await prepareSchema(url);
  } catch (thrown) {
    throw unavailable(where, thrown);
  }
  return createInbox(await openDatabase(url), options);
}

async function createInbox(database: Database, options: PostgresInboxOptions): Promise<Inbox> {
  const { now } = options;
  const listeners: (() => void)[] = [];
  let closing: Promise<void> | undefined;

  function ready(): void {
    for (const listener of listeners) listener();
  }

  const context: Context = {
    database,
    room: createWaitingRoom(options, () => countWaiting(database.query)),
    at: () => now && new Date(now()),
    now: now ?? Date.now,
    onReady() {
      database.notify();
      ready();
    },
  };
  const stores = createTurns(storeAll.bind(undefined, context), insertBytes);
  const settlements = createTurns(settleAll.bind(undefined, context), settlementBytes);

  async function open<Result>(step: () => Promise<Result>): Promise<Result> {
    if (closing) throw inboxClosed();
    return step();
  }

  async function settle(...as: Parameters<typeof settlementOf>): Promise<void> {
    await open(() => settlements.take(settlementOf(...as)));
  }

  async function close(): Promise<void> {
    await Promise.all([stores.drained(), settlements.drained()]);
    await database.close();
  }

  await database.listen(ready);
  return {
    store: (fresh, claiming) =>
      open(() => stores.take({ id: jobIdOf(fresh), fresh, claimForMs: claiming?.claimForMs })),
    claim: ({ limit, leaseMs }) => open(() => claimEntries(context, limit, leaseMs)),
    renew: (claimed, leaseMs) => open(() => renewLease(context, claimed, leaseMs)),
    done: (claimed, result) => settle(claimed, 'done', { note: undefined, ...result }),
    retry: (claimed, reason, dueAt) => settle(claimed, 'waiting', { note: reason, dueAt }),
    bury: (claimed, reason) => settle(claimed, 'dead', { note: reason }),
    release: (claimed) => settle(claimed, 'waiting', { attempts: claimed.attempts - 1 }),
    replay: (seq) => open(() => replayEntry(context, seq)),
    discard: (seq, reason) => open(() => discardEntry(context, seq, reason)),
    prune: ({ finishedBefore, limit }) => open(() => pruneEntries(context, finishedBefore, limit)),
    find: (seq) => open(() => findEntry(context, seq)),
    list: (filter) => open(() => listEntries(context, filter)),
    stats: () => open(() => readStats(context)),
    nextDue: () => open(() => readNextDue(context)),
    onReady(listener) {
      listeners.push(listener);
    },
    close: () => (closing ??= close()),
  };
}

/** What the claim had, with what the attempt has changed. */
function settlementOf(
  claimed: Entry,
  status: Settlement['status'],
  changed: Partial<Settlement>,
): Settlement {
  const { attempts, dueAt, note } = claimed;
  return { claimed, status, attempts, dueAt, note, answer: undefined, followUps: [], ...changed };
}
