import { setTimeout as pause } from 'node:timers/promises';
import type { Entry, Inbox } from '../../../src/kit/inbox/inbox.ts';
import { openInbox } from '../../../src/kit/inbox/open.ts';

const PATIENCE_MS = 20_000;

/** As the command line sees it, beside the running receiver. In the order of acceptance. */
export async function entriesWhenDrained(inboxUrl: string): Promise<Entry[]> {
  const inbox = await openInbox(inboxUrl, { maxWaiting: 1, owner: false });
  try {
    await drained(inbox);
    const entries = await inbox.list({ limit: 1_000_000 });
    return entries.reverse();
  } finally {
    await inbox.close();
  }
}

const POLL_MS = 10;

/** Resolves when nothing waits or runs, or patience is over. */
export async function drained(inbox: Inbox): Promise<void> {
  const begun = performance.now();
  while (performance.now() - begun < PATIENCE_MS) {
    const { waiting, running } = await inbox.stats();
    if (waiting + running === 0) return;
    await pause(POLL_MS);
  }
}
