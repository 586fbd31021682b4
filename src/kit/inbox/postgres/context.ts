import type { Database } from './database.ts';
import type { WaitingRoom } from './room.ts';

/**
 * The time of a statement whose $1 is `Context.at()`. Not now(): that is when the transaction began, and it may have waited
 * for a line since.
 */
export const AT = 'coalesce($1::timestamptz, statement_timestamp())';

/** What every operation of an inbox works with. */
export interface Context {
  readonly database: Database;
  readonly room: WaitingRoom;
  /** The time of a statement; undefined is the server's own, on which all machines agree. */
  readonly at: () => Date | undefined;
  /** This machine's time, in milliseconds since 1970: only for how far off something is. */
  readonly now: () => number;
  /** Called after an entry became claimable. */
  readonly onReady: () => void;
}
