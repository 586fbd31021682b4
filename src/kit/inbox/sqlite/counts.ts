import type { Stats, Status } from '../inbox.ts';
import type { Statements } from './statements.ts';

export type Counted = Omit<Stats, 'oldestWaitingAt'>;

/** The row that says how many entries are in which status, kept in step by the transaction that changes them. */
export interface Counts {
  /** As committed. */
  read(): Counted;
  /** Takes them up as a transaction begins: another process may have changed them. */
  begin(): void;
  /** As they are within the transaction. */
  now(): Counted;
  /** An entry with content of this size changes its status, or begins with one. */
  move(from: Status | undefined, to: Status, bytes: number): void;
  forget(from: Status, entries: number): void;
  /** Writes them down, if anything changed, as the transaction ends. */
  keep(): void;
}

export function createCounts(statements: Statements): Counts {
  let counts: Changing = { waiting: 0, running: 0, done: 0, dead: 0, waitingBytes: 0 };
  let changed = false;

  function read(): Changing {
    const row = statements.counts.get();
    const number = (member: keyof Counted) => Number(row?.[member]);
    return {
      waiting: number('waiting'),
      running: number('running'),
      done: number('done'),
      dead: number('dead'),
      waitingBytes: number('waitingBytes'),
    };
  }

  return {
    read,
    begin() {
      counts = read();
      changed = false;
    },
    now: () => counts,
    move(from, to, bytes) {
      if (from !== undefined) counts[from] -= 1;
      counts[to] += 1;
      if (from === 'waiting') counts.waitingBytes -= bytes;
      if (to === 'waiting') counts.waitingBytes += bytes;
      changed = true;
    },
    forget(from, entries) {
      counts[from] -= entries;
      changed = true;
    },
    keep() {
      if (changed) statements.putCounts.run(counts);
    },
  };
}

type Changing = { -readonly [Member in keyof Counted]: number };
