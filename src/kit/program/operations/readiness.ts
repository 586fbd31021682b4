import type { RejectionCode } from '../../errors.ts';
import { InboxUnavailable, type Inbox, type Room } from '../../inbox/inbox.ts';

/** Why a process should be sent nothing right now. */
export type NotReady = 'starting' | Extract<RejectionCode, 'draining' | InboxUnavailable['code']>;

export interface ReadinessOptions {
  readonly inbox: Inbox;
  /** How much may wait, where this process accepts deliveries. */
  readonly room: Room | undefined;
  /** Milliseconds that have passed, whatever the clock of the system is set to. */
  readonly now?: () => number;
}

/** Whether deliveries can be taken, found out by looking, and by how storing went. */
export interface Readiness {
  /** The inbox to store into: what becomes of it counts here. */
  readonly inbox: Inbox;
  /** The process has begun or ceased to take deliveries. */
  enter(phase: 'open' | 'draining'): void;
  /** Empty: it is ready. */
  reasons(): Promise<readonly NotReady[]>;
}

/**
 * For so long after a delivery could not be stored it is not tried anew whether one could: only the next delivery tells
 * for certain. On a full disk nothing else fails.
 */
const QUIET_MS = 2_000;

export function createReadiness({ inbox, room, now = () => performance.now() }: ReadinessOptions): Readiness {
  let phase: 'starting' | 'open' | 'draining' = 'starting';
  let failure: { readonly code: InboxUnavailable['code']; readonly at: number } | undefined;
  let looking: Promise<readonly NotReady[]> | undefined;

  const store: Inbox['store'] = async (...what) => {
    try {
      const stored = await inbox.store(...what);
      // For a duplicate nothing was written.
      if (!stored.duplicate) failure = undefined;
      return stored;
    } catch (error) {
      failure = { code: codeOf(error), at: now() };
      throw error;
    }
  };

  async function look(): Promise<readonly NotReady[]> {
    try {
      const found = failure;
      if (found !== undefined) {
        if (now() - found.at < QUIET_MS) return [found.code];
        // It takes the locks that a write takes, and changes nothing.
        await inbox.claim({ limit: 0, leaseMs: 1 });
        // Unless meanwhile another delivery failed.
        if (failure === found) failure = undefined;
      }
      if (room !== undefined && (await isFull(inbox, room))) return ['inbox_full'];
      await inbox.nextDue(); // rejects where the inbox cannot be reached
      return [];
    } catch (error) {
      return [codeOf(error)];
    }
  }

  return {
    inbox: { ...inbox, store },
    enter(next) {
      phase = next;
    },
    async reasons() {
      if (phase !== 'open') return [phase];
      // However many ask at once, the inbox is asked once.
      looking ??= look().finally(() => {
        looking = undefined;
      });
      return looking;
    },
  };
}

async function isFull(inbox: Inbox, { maxWaiting, maxWaitingBytes = Infinity }: Room): Promise<boolean> {
  const { waiting, waitingBytes } = await inbox.stats();
  return waiting >= maxWaiting || waitingBytes >= maxWaitingBytes;
}

function codeOf(error: unknown): InboxUnavailable['code'] {
  return error instanceof InboxUnavailable ? error.code : 'inbox_unavailable';
}
