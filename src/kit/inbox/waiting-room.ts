import { refusal, type InboxUnavailable, type Room, type Stats } from './inbox.ts';

type Waiting = Pick<Stats, 'waiting' | 'waitingBytes'>;

/**
 * Knows how much waits: exactly what this process did, and what others did since the last count not yet. Several machines
 * together may go beyond the limit by what they store between two counts.
 */
export interface WaitingRoom {
  /** For each of these contents, in bytes: undefined if there is room for it, else the refusal. */
  refusalsOf(sizes: readonly number[]): Promise<readonly (InboxUnavailable | undefined)[]>;
  /** Entries began to wait; if negative, stopped waiting. */
  changed(entries: number, bytes: number): void;
}

/** Counting may take a twentieth of the time, and is done once a second at most. */
const REST_MS = 1_000;
const REST_PER_COUNT = 20;

export function createWaitingRoom(limits: Room, count: () => Promise<Waiting>): WaitingRoom {
  let known: Waiting = { waiting: 0, waitingBytes: 0 };
  let countAgainAt = -Infinity;

  async function countWhenDue(): Promise<void> {
    const startedAt = performance.now();
    if (startedAt < countAgainAt) return;
    known = await count();
    const endedAt = performance.now();
    countAgainAt = endedAt + Math.max(REST_MS, REST_PER_COUNT * (endedAt - startedAt));
  }

  return {
    async refusalsOf(sizes) {
      await countWhenDue();
      let filled = known;
      return sizes.map((bytes) => {
        const full = refusal(limits, filled, bytes);
        if (full) return full;
        filled = { waiting: filled.waiting + 1, waitingBytes: filled.waitingBytes + bytes };
        return undefined;
      });
    },
    changed(entries, bytes) {
      known = { waiting: known.waiting + entries, waitingBytes: known.waitingBytes + bytes };
    },
  };
}
