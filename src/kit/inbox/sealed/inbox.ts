import type { InboxKey } from './keys.ts';
import type { Entry, Inbox, NewEntry, Result, Stored } from '../inbox.ts';
import { isSealed, seal, unseal, Unreadable } from './bytes.ts';

/**
 * An inbox that encrypts what deliveries say and what they were answered, before any of it reaches the inbox inside.
 * Everything that finding and ordering need stays plain: types, event ids, keys, subjects, times, and notes, which quote
 * what handlers say.
 *
 * Whoever can read the store but has no key learns no content. Whoever can write to it can still put plain entries there,
 * delete some, or exchange the bytes of two that agree in all that `boundTo` names; other exchanges are noticed.
 *
 * The first key encrypts, all decrypt. Entries of before encryption are read as they are. With no key at all nothing is
 * encrypted. What cannot be decrypted is given with empty content and a note that says why; claimed, it becomes a dead
 * letter at once, unless it is claimed by its redelivery, which brings the content again.
 */
export function encryptInbox(
  inbox: Inbox,
  keys: readonly InboxKey[],
  /** Told of each entry that became a dead letter because it cannot be decrypted: no worker ever sees it. */
  onUnreadable: (entry: Entry) => void = () => undefined,
): Inbox {
  const [newest] = keys;

  function sealed(plain: Buffer, part: Part, entry: NewEntry): Buffer {
    return newest === undefined ? plain : seal(plain, newest, boundTo(entry, part));
  }

  function sealedEntry(fresh: NewEntry): NewEntry {
    return newest === undefined ? fresh : { ...fresh, content: sealed(fresh.content, 'content', fresh) };
  }

  function sealedResult({ answer, followUps, ...rest }: Result, claimed: Entry): Result {
    return {
      ...rest,
      ...(answer && { answer: sealed(answer, 'answer', claimed) }),
      ...(followUps && { followUps: followUps.map(sealedEntry) }),
    };
  }

  function open(entry: Entry): Opened {
    const content = opened(entry.content, 'content', entry, keys);
    const answer = entry.answer && opened(entry.answer, 'answer', entry, keys);
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

  function openedOrNull(entry: Entry | null): Entry | null {
    return entry && open(entry).entry;
  }

  async function store(fresh: NewEntry, claiming?: { readonly claimForMs: number }): Promise<Stored> {
    const stored = await inbox.store(sealedEntry(fresh), claiming);
    if (!stored.duplicate && newest === undefined) return stored;
    if (!stored.duplicate) return { ...stored, entry: { ...stored.entry, content: fresh.content } };
    const { entry, readable } = open(stored.entry);
    if (readable || !stored.claimed) return { ...stored, entry };
    return { ...stored, entry: { ...entry, content: fresh.content } };
  }

  /** Never nothing as long as something readable is due: the worker would wait before it asks again. */
  async function claim(options: { readonly limit: number; readonly leaseMs: number }): Promise<Entry[]> {
    for (;;) {
      const claimed = (await inbox.claim(options)).map(open);
      await Promise.all(claimed.filter(({ readable }) => !readable).map(({ entry }) => bury(entry)));
      const entries = claimed.filter(({ readable }) => readable).map(({ entry }) => entry);
      if (entries.length > 0 || claimed.length === 0) return entries;
    }
  }

  async function bury(entry: Entry): Promise<void> {
    try {
      await inbox.bury(entry, entry.note ?? '');
    } catch {
      return; // its lease lapses, then it is claimed again
    }
    onUnreadable(entry);
  }

  return {
    store,
    claim,
    renew: (claimed, leaseMs) => inbox.renew(claimed, leaseMs),
    done: (claimed, result = {}) => inbox.done(claimed, sealedResult(result, claimed)),
    retry: (claimed, reason, dueAt) => inbox.retry(claimed, reason, dueAt),
    bury: (claimed, reason) => inbox.bury(claimed, reason),
    release: (claimed) => inbox.release(claimed),
    replay: async (seq) => openedOrNull(await inbox.replay(seq)),
    discard: async (seq, reason) => openedOrNull(await inbox.discard(seq, reason)),
    prune: (options) => inbox.prune(options),
    find: async (seq) => openedOrNull(await inbox.find(seq)),
    list: async (filter) => (await inbox.list(filter)).map((entry) => open(entry).entry),
    stats: () => inbox.stats(),
    nextDue: () => inbox.nextDue(),
    onReady(listener) {
      inbox.onReady(listener);
    },
    close: () => inbox.close(),
  };
}

type Part = 'content' | 'answer';

interface Opened {
  readonly entry: Entry;
  /** Whether its content could be decrypted; a handler needs no earlier answer. */
  readonly readable: boolean;
}

const trouble = { content: 'content_unreadable', answer: 'answer_unreadable' } as const;

const NOTHING = Buffer.alloc(0);

function opened(
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
