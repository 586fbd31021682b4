import type { Inbox, Room } from '../inbox/inbox.ts';
import { openInbox, type HandOver } from '../inbox/open.ts';
import { encryptInbox } from '../inbox/sealed/inbox.ts';
import { readInboxKeys, type InboxKey } from '../inbox/sealed/keys.ts';
import { logged, type Log } from '../log.ts';
import { createReadiness, type Readiness } from './operations/readiness.ts';
import type { Config } from './config.ts';
import type { GeneralSettings } from './variables.ts';

/** The inbox of a process, and whether it can be stored into. */
export interface Inboxes {
  readonly inbox: Inbox;
  /** Stores through `readiness.inbox` count for it. */
  readonly readiness: Readiness;
}

/** Those of the process, which may change while it runs: the first encrypts, all decrypt. */
export interface Keys {
  readonly all: readonly InboxKey[];
  /** Reads other keys, which take effect with the call of the function that it gives. */
  prepare(general: GeneralSettings): () => void;
}

export function createKeys(general: GeneralSettings): Keys {
  const all = [...keysOf(general)];
  return {
    all,
    prepare(renewed) {
      const next = keysOf(renewed);
      return () => all.splice(0, Infinity, ...next);
    },
  };
}

/**
 * The stack of inboxes: opened, sealed, watched for readiness. Without keys the sealing layer writes what it is given, and
 * still notices what was sealed with keys that are gone.
 * @throws if the inbox cannot be opened
 */
export async function openInboxes({ general, sockets }: Config, keys: Keys, log: Log): Promise<Inboxes> {
  const room = roomOf(general);
  const opened = await openInbox(general.INBOX_URL, {
    ...room,
    owner: true,
    ...(sockets.receiver !== undefined && { handOver: handOverOf(general, log) }),
    onBroughtForward: (count) => {
      log.warn({
        outcome: 'trouble',
        count,
        why: 'The clock, of this machine or of the database, was set back since these entries came: they are tried as soon as if it had not been.',
      });
    },
  });
  const inbox = encryptInbox(opened, keys.all, sayUnreadable(log));
  const readiness = createReadiness({ inbox, room: general.ROLE === 'worker' ? undefined : room });
  return { inbox, readiness };
}

/** For what a process that ends may take longer than it says. */
const MORE_MS = 2_000;

/**
 * Whoever keeps our socket starts us again, and the one before may still be ending: deliveries wait in the socket meanwhile.
 * Without such a socket a second receiver is a mistake, which is said at once.
 */
function handOverOf({ SHUTDOWN_MS, SHUTDOWN_DELAY_MS }: GeneralSettings, log: Log): HandOver {
  const withinMs = SHUTDOWN_DELAY_MS + SHUTDOWN_MS + MORE_MS;
  return {
    withinMs,
    onWait: () => {
      log.warn({
        outcome: 'waiting',
        why: `Another receiver still has the inbox. Deliveries wait for it to end, for ${withinMs} ms at most.`,
      });
    },
  };
}

function roomOf({ INBOX_MAX_WAITING, INBOX_MAX_WAITING_BYTES }: GeneralSettings): Room {
  return { maxWaiting: INBOX_MAX_WAITING, maxWaitingBytes: INBOX_MAX_WAITING_BYTES };
}

function keysOf({ INBOX_KEYS }: GeneralSettings): readonly InboxKey[] {
  return INBOX_KEYS === '' ? [] : readInboxKeys(INBOX_KEYS);
}

function sayUnreadable(log: Log): Parameters<typeof encryptInbox>[2] {
  return ({ seq, source, type, note }) => {
    log.error({ source, type: logged(type), outcome: 'dead', seq, why: note });
  };
}
