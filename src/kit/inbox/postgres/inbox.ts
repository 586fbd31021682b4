import { createSteadyClock, inboxClosed, type Entry, type Inbox, type Room } from '../inbox.ts';
import { createWaitingRoom, type WaitingRoom } from '../waiting-room.ts';
import { openDatabase, type Database } from './database.ts';
import { hashOf } from './entries.ts';
import * as manage from './manage.ts';
import { prepareSchema } from './schema.ts';
import { isAboutItsValues, readServer } from './server.ts';
import { insertBytes, storeAll } from './store.ts';
import { createTurns } from '../turns.ts';
import {
  bringForward,
  claimEntries,
  renewLease,
  settleAll,
  settlementBytes,
  type Place,
  type Settlement,
} from './work.ts';

export interface PostgresInboxOptions extends Room {
  /** For tests. By default times are the server's, on which several machines agree. */
  readonly now?: () => number;
  /** The receiver makes the tables that are missing. The command line does not. Default true. */
  readonly owner?: boolean;
  /** Told how many entries the clock of the server, which was set back, would have kept waiting; the receiver's only. */
  readonly onBroughtForward?: (entries: number) => void;
}

/** What every operation of an inbox works with. */
export interface Context {
  readonly database: Database;
  readonly room: WaitingRoom;
  /** The time of a statement; undefined is the server's own, on which all machines agree. */
  readonly at: () => Date | undefined;
  /** This machine's time, in milliseconds since 1970: only for how far off something is. */
  readonly now: () => number;
  /** Moves with each claim. */
  readonly place: Place;
  /** Called after an entry became claimable. */
  readonly onReady: () => void;
}

/** What a statement needs. */
export type Asking = Pick<Context, 'database' | 'at'>;

/**
 * An inbox in a PostgreSQL database, for any number of receivers and workers on any number of machines, in a schema named
 * inbox. A promise resolves when the server has committed.
 * @throws InboxUnavailable if the server cannot be reached, or the database cannot hold an inbox
 */
export async function openPostgresInbox(url: string, options: PostgresInboxOptions): Promise<Inbox> {
  const server = readServer(url);
  await prepareSchema(server, options);
  const database = await openDatabase(server);
  const { now, owner = true, onBroughtForward } = options;
  const at = () => now && new Date(now());
  const forward = owner ? await bringForward({ database, at }) : 0;
  if (forward > 0) onBroughtForward?.(forward);
  return createInbox({ database, at }, options);
}

async function createInbox({ database, at }: Asking, options: PostgresInboxOptions): Promise<Inbox> {
  const listeners: (() => void)[] = [];
  let closing: Promise<void> | undefined;

  function ready(): void {
    for (const listener of listeners) listener();
  }

  const context: Context = {
    database,
    room: createWaitingRoom(options, () => manage.countWaiting(database.query)),
    at,
    place: { dueAt: 0, until: 0 },
    now: options.now ?? createSteadyClock(), // the worker's, too: what is due in a minute stays so
    onReady() {
      database.news.notify();
      ready();
    },
  };
  const stores = createTurns(storeAll.bind(undefined, context), insertBytes, isAboutItsValues);
  const settlements = createTurns(settleAll.bind(undefined, context), settlementBytes, isAboutItsValues);

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

  await database.news.listen(ready);
  return {
    store: (fresh, claiming) =>
      open(() => stores.take({ hash: hashOf(fresh), fresh, claimForMs: claiming?.claimForMs })),
    claim: ({ limit, leaseMs }) => open(() => claimEntries(context, limit, leaseMs)),
    renew: (claimed, leaseMs) => open(() => renewLease(context, claimed, leaseMs)),
    done: (claimed, result) => settle(claimed, 'done', { note: undefined, ...result }),
    retry: (claimed, reason, dueAt) => settle(claimed, 'waiting', { note: reason, dueAt }),
    bury: (claimed, reason) => settle(claimed, 'dead', { note: reason }),
    release: (claimed) => settle(claimed, 'waiting', { attempts: claimed.attempts - 1 }),
    replay: (seq) => open(() => manage.replayEntry(context, seq)),
    discard: (seq, reason) => open(() => manage.discardEntry(context, seq, reason)),
    prune: (options) => open(() => manage.pruneEntries(context, options)),
    find: (seq) => open(() => manage.findEntry(context, seq)),
    list: (filter) => open(() => manage.listEntries(context, filter)),
    stats: () => open(() => manage.readStats(context)),
    nextDue: () => open(() => manage.readNextDue(context)),
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
  return { claimed, status, attempts, dueAt, note, ...changed };
}
