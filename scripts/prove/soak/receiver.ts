import { join } from 'node:path';
import { startContestant, type Contestant } from '../bench/contestant.ts';

export interface ReceiverOptions {
  /** For all its files. */
  readonly directory: string;
  readonly inboxUrl: string;
  /** So long an entry is kept after it was handled. Default: for ever. */
  readonly retentionMs?: number;
}

const DAY_MS = 86_400_000;
/** It looks for what is old so many times in its retention; in production a thousand times in seven days. */
const LOOKS = 10;
const SHORTEST_PAUSE_MS = 100;

/** Starts the real program with the handlers of child-main.ts. */
export function startReceiver({
  directory,
  inboxUrl,
  retentionMs = 0,
}: ReceiverOptions): Promise<Contestant> {
  return startContestant('the receiver', '../soak/child-main.ts', {
    INBOX_URL: inboxUrl,
    LOG_LEVEL: 'error',
    RETENTION_DAYS: (retentionMs / DAY_MS).toFixed(9),
    LONG_PAUSE_MS: String(Math.max(SHORTEST_PAUSE_MS, retentionMs / LOOKS)),
    HANDLED: handledFile(directory),
  });
}

/** What its handlers leave behind. */
export function handledFile(directory: string): string {
  return join(directory, 'handled');
}
