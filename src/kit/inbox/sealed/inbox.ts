import type { InboxKey } from './keys.ts';
import type { Entry, Inbox, NewEntry, Result, Stored } from '../inbox.ts';
import { isSealed, seal, unseal, Unreadable } from './bytes.ts';

/**
 * An inbox that encrypts what deliveries say and what they were answered, before any of it reaches the inbox inside.
 * Everything that finding and ordering need stays plain: types, event ids, keys, subjects, times, and notes, which quote
 * what handlers say.
 *
 * Somebody who can read the store but has no key learns no content. Somebody who can write to it can still put plain
 * entries there, delete some, or exchange the bytes of two that agree in all that `boundTo` names; other exchanges are
 * noticed.
 *
 * The first key encrypts, all decrypt; the list may change while the inbox is open. Entries from before encryption are read as they are. With no key at all nothing is
 * encrypted. What cannot be decrypted is given with empty content and a note that says why; claimed, it becomes a dead
 * letter at once, unless it is claimed by its redelivery, which brings the content again.
 */
export function encryptInbox(
  inbox: Inbox,
  keys: readonly InboxKey[],
  /** Told of each entry that became a dead letter because it cannot be decrypted: no worker ever sees it. */
  onUnreadable: (entry: Entry) => void = () => undefined,
): Inbox {
  const sealed = (fresh: NewEntry) => (keys[0] === undefined ? fresh : sealedEntry(fresh, keys[0]));
  const open = (entry: Entry) => openedEntry(entry, keys);
  const opened = (entry: Entry) => open(entry).entry;
  const openedIfAny = (entry: Entry | null) => entry && opened(entry);

  async function bury(entry: Entry): Promise<void> {
    try {
      await inbox.bury(entry, entry.note ?? '');
    } catch {
      return; // its lease lapses, then it is claimed again
    }
    onUnreadable(entry);
  }

  return {
    store: async (fresh, claiming) => openedStored(await inbox.store(sealed(fresh), claiming), fresh, open),
    /** Never nothing while something readable is due: the worker would wait before it asks again. */
    async claim(options) {
      for (;;) {
        const claimed = (await inbox.claim(options)).map(open);
        await Promise.all(claimed.filter(({ readable }) => !readable).map(({ entry }) => bury(entry)));
        const entries = claimed.filter(({ readable }) => readable).map(({ entry }) => entry);
        if (entries.length > 0 || claimed.length === 0) return entries;
      }
    },
    renew: (claimed, leaseMs) => inbox.renew(claimed, leaseMs),
    done: (claimed, result = {}) =>
      inbox.done(claimed, keys[0] === undefined ? result : sealedResult(result, claimed, keys[0])),
    retry: (claimed, reason, dueAt) => inbox.retry(claimed, reason, dueAt),
    bury: (claimed, reason) => inbox.bury(claimed, reason),
    release: (claimed) => inbox.release(claimed),
    replay: async (seq) => openedIfAny(await inbox.replay(seq)),
    discard: async (seq, reason) => openedIfAny(await inbox.discard(seq, reason)),
    prune: (options) => inbox.prune(options),
    find: async (seq) => openedIfAny(await inbox.find(seq)),
    list: async (filter) => (await inbox.list(filter)).map(opened),
    stats: () => inbox.stats(),
    nextDue: () => inbox.nextDue(),
    onReady(listener) {
      inbox.onReady(listener);
    },
    close: () => inbox.close(),
  };
}

function sealedEntry(fresh: NewEntry, key: InboxKey): NewEntry {
  return { ...fresh, content: seal(fresh.content, key, boundTo(fresh, 'content')) };
}

function sealedResult({ answer, followUps, ...rest }: Result, claimed: Entry, key: InboxKey): Result {
  return {
    ...rest,
    ...(answer && { answer: seal(answer, key, boundTo(claimed, 'answer')) }),
    ...(followUps && { followUps: followUps.map((fresh) => sealedEntry(fresh, key)) }),
  };
}

/** A redelivery brings the content again. */
function openedStored(stored: Stored, { content }: NewEntry, open: (entry: Entry) => Opened): Stored {
  if (!stored.duplicate) return { ...stored, entry: { ...stored.entry, content } };
  const { entry, readable } = open(stored.entry);
  return { ...stored, entry: readable || !stored.claimed ? entry : { ...entry, content } };
}

interface Opened {
  readonly entry: Entry;
  /** Whether its content could be decrypted; a handler needs no earlier answer. */
  readonly readable: boolean;
}

function openedEntry(entry: Entry, keys: readonly InboxKey[]): Opened {
  const content = openedPart(entry.content, 'content', entry, keys);
  const answer = entry.answer && openedPart(entry.answer, 'answer', entry, keys);
  const trouble = content.trouble ?? answer?.trouble;
  return {
    readable: content.trouble === undefined,
    entry: {
      ...entry,
      content: content.plain ?? NOTHING,
      answer: answer?.plain,
      note: trouble ?? entry.note,
    },
  };
}

type Part = 'content' | 'answer';

const trouble = { content: 'content_unreadable', answer: 'answer_unreadable' } as const;

const NOTHING = Buffer.alloc(0);

function openedPart(
  stored: Buffer,
  part: Part,
  entry: Entry,
  keys: readonly InboxKey[],
): { readonly plain?: Buffer; readonly trouble?: string } {
  if (!isSealed(stored)) return { plain: stored };
  try {
    return { plain: unseal(stored, keys, boundTo(entry, part)) };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { trouble: `${trouble[part]}: ${error.message}.` };
  }
}

/**
 * What the encrypted bytes belong to. Of text only what is printable ASCII: databases do not keep all other characters as
 * they came.
 */
function boundTo(entry: NewEntry, part: Part): Buffer {
  const { source, endpoint, installation, type, eventId, receivedAt } = entry;
  const texts = [part, source, endpoint, installation, type, eventId];
  return Buffer.from(
    JSON.stringify([...texts.map((text) => text?.replaceAll(/[^ -~]/g, '') ?? null), receivedAt]),
  );
}
