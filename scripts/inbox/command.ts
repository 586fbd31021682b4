import type { Filter, Inbox } from '../../src/kit/inbox/inbox.ts';
import type { InboxKey } from '../../src/kit/inbox/sealed/keys.ts';

/** What the options of the command line say. */
export interface Chosen {
  readonly filter: Omit<Filter, 'limit' | 'before'>;
  readonly limit: number | undefined;
  readonly dead: boolean;
  readonly content: boolean;
  readonly reason: string | undefined;
  /** What cannot be undone is meant. */
  readonly yes: boolean;
  readonly days: number | undefined;
  /** For so long a redelivery is known for one. */
  readonly replayDays: number;
  readonly json: boolean;
  readonly print: boolean;
}

/** One thing to do with an inbox, or at its address before there is one. */
export type Command = Usage & (OnInbox | AtAddress | WithKeys);

interface Usage {
  /** Whether it takes a file, in the place of numbers of entries. */
  readonly takesFile?: true;
  /** The options it takes beside those that all take; another one could be meant to spare what it does not spare. */
  readonly options: readonly string[];
  /** What to say when the command does not fit. */
  readonly expects: string;
  readonly fits: (seqs: readonly number[], chosen: Chosen) => boolean;
}

interface OnInbox {
  /** Resolves with the exit code. */
  readonly run: (inbox: Inbox, seqs: readonly number[], chosen: Chosen) => Promise<number>;
}

interface AtAddress {
  /** Resolves with the exit code. @throws if the inbox cannot be reached */
  readonly runAt: (url: string, chosen: Chosen, files: readonly string[]) => Promise<number>;
}

interface WithKeys {
  /** Resolves with the exit code. @throws if the inbox cannot be reached */
  readonly runWithKeys: (url: string, chosen: Chosen, keys: readonly InboxKey[]) => Promise<number>;
}

/** Entries are read and changed so many at a time, so that the receiver never waits long for the store. */
export const PAGE = 100;
