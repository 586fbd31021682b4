import type { Workplace } from '../bench/workplace.ts';
import type { Finding } from './finding.ts';
import type { Replies, Survived } from './survivor.ts';

export interface HardTimesOptions extends Workplace {
  readonly deliveries: number;
  /** Entries in the full inbox. */
  readonly waiting: number;
  /** How long the database is away. */
  readonly secondsAway: number;
}

/** What came of one; of what could not be tried there is only the reason. */
export interface HardTime {
  readonly name: string;
  readonly replies?: Replies;
  /** Milliseconds from the end of the trouble until a delivery is accepted. */
  readonly acceptsAgainMs?: number;
  /** The same until everything is sent and handled. */
  readonly handledMs?: number;
  readonly survived?: Survived;
  readonly findings: readonly Finding[];
}

/** What must hold whatever happens. */
export function promisesKept({ promised, lost, twice, drained }: Survived): Finding {
  return {
    text: `everything promised is handled, and once: ${promised} promised, ${lost} lost, ${twice} handled twice`,
    kept: lost === 0 && twice === 0 && drained,
  };
}

/** Nothing but a 2xx for what is stored, and 503 for what is not. */
export function onlyAcceptedOr503(replies: Replies): Finding {
  const others = replies.keys().filter((status) => status !== 200 && status !== 503);
  return {
    text: 'every delivery is answered, with 200 or 503',
    kept: [...others].length === 0,
  };
}

export function within(what: string, ms: number, longestMs: number): Finding {
  return {
    text: `${what} within ${longestMs / 1000} s: ${(ms / 1000).toFixed(1)} s`,
    kept: ms <= longestMs,
    isTarget: true,
  };
}
