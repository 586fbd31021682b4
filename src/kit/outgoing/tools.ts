import { createOutgoing, type Outgoing, type OutgoingOptions } from './client.ts';
import { sleepUnlessAborted } from './retry.ts';

/** What the client of an API is given and does not take itself: the way out, time and chance. */
export interface ApiTools {
  readonly createOutgoing: (options: OutgoingOptions) => Outgoing;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

export const realTools: ApiTools = {
  createOutgoing,
  now: () => performance.now(),
  random: Math.random,
  sleep: sleepUnlessAborted,
};
