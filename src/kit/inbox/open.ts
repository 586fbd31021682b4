import { setTimeout as sleep } from 'node:timers/promises';
import { readAddress } from './address.ts';
import type { Inbox, Room } from './inbox.ts';
import { createMemoryInbox } from './memory/inbox.ts';
import { openSqliteInbox } from './sqlite/inbox.ts';
import { InboxTaken } from './sqlite/owner.ts';

export interface OpenInboxOptions extends Room {
  readonly now?: () => number;
  /** Whether this process is a receiver, which makes what is missing (see openSqliteInbox, openPostgresInbox). */
  readonly owner?: boolean;
  /** See openSqliteInbox, openPostgresInbox. */
  readonly onBroughtForward?: (entries: number) => void;
  /** Waits where another receiver has the file, which is about to end. */
  readonly handOver?: HandOver;
}

export interface HandOver {
  readonly withinMs: number;
  /** Called once, where there is something to wait for. */
  readonly onWait: () => void;
}

const forms =
  'sqlite:data/inbox.db (a file, relative or absolute), postgres://user@host/database (for several machines) or ' +
  'memory: (nothing survives a restart)';

/** Opens the inbox that INBOX_URL names. @throws if it cannot be opened, or the form is none we know */
export async function openInbox(url: string, options: OpenInboxOptions): Promise<Inbox> {
  const address = readAddress(url);
  switch (address?.engine) {
    case 'memory':
      return createMemoryInbox(options);
    case 'sqlite':
      return whenFree(() => openSqliteInbox(address.file, options), options.handOver);
    case 'postgres':
      return openPostgres(url, options);
    case undefined:
      throw unknownForm(url);
  }
}

const LOOK_AGAIN_MS = 20;

async function whenFree(
  open: () => Inbox,
  handOver: HandOver = { withinMs: 0, onWait: () => undefined },
): Promise<Inbox> {
  const end = performance.now() + handOver.withinMs;
  for (let waiting = false; ; waiting = true) {
    try {
      return open();
    } catch (error) {
      if (!(error instanceof InboxTaken) || performance.now() >= end) throw error;
    }
    if (!waiting) handOver.onWait();
    await sleep(LOOK_AGAIN_MS);
  }
}

/** Loaded only when it is asked for: it takes time and memory that a receiver on one file does not need. */
async function openPostgres(url: string, options: OpenInboxOptions): Promise<Inbox> {
  const { openPostgresInbox } = await import('./postgres/inbox.ts');
  return openPostgresInbox(url, options);
}

/** Names only the scheme: the rest may hold a password. */
function unknownForm(url: string): Error {
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? 'something without a scheme';
  return new Error(`INBOX_URL is ${scheme}, in a form this receiver does not know. Write ${forms}.`);
}
