import { messageOf } from '../errors.ts';
import { createObserver, type Observer } from '../facts/observer.ts';
import { openFactStore } from '../facts/open.ts';
import { withoutPassword } from '../inbox/address.ts';
import type { Log } from '../log.ts';
import type { Source } from '../source.ts';
import type { GeneralSettings } from './variables.ts';

const BLIND: Observer = {
  observed: () => undefined,
  differing: 0,
  [Symbol.asyncDispose]: async () => undefined,
};

/** What deliveries show of their senders, kept beside the inbox. Where it cannot be kept, all else works as it does. */
export async function openFacts(
  { ROLE, INBOX_URL: url }: GeneralSettings,
  sources: readonly Source[],
  log: Log,
): Promise<Observer> {
  if (ROLE === 'worker') return BLIND;
  const warn = (why: string) => log.warn({ outcome: 'trouble', why: withoutPassword(why, url) });
  try {
    const store = await openFactStore(url, (aside) => {
      warn(
        `What deliveries had shown of their senders was not as it was written, and is counted anew. It is ${aside} now.`,
      );
    });
    return await createObserver(store, sources, log);
  } catch (error) {
    warn(`What deliveries show of their senders is not counted until the next start: ${messageOf(error)}`);
    return BLIND;
  }
}
