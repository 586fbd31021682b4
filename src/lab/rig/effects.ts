import { z } from 'zod';
import type { Effect, Effects } from '../conformance/stage.ts';
import type { Entry, Inbox } from '../../kit/inbox/inbox.ts';
import { isFollowUp } from '../../kit/handling/handle.ts';

/**
 * Tells what a receiver of this kit has done, as a probe of the conformance suite does: from its inbox alone. What was
 * handled once is not looked at again, so an entry that is replayed meanwhile does not show.
 */
export function createEffects(inbox: Inbox): () => Promise<Effects> {
  const settled: Told[] = [];
  let settledUpTo = 0;
  return async () => {
    const read = await entriesAfter(inbox, settledUpTo);
    // Another call may have come in between.
    const news = read.filter(({ seq }) => seq > settledUpTo).reverse();
    const unsettled = news.findIndex(({ status }) => status === 'waiting' || status === 'running');
    const fresh = news.map(toldOf);
    const count = unsettled === -1 ? fresh.length : unsettled;
    settled.push(...fresh.slice(0, count));
    settledUpTo = settled.at(-1)?.seq ?? 0;
    return inOrder([...settled, ...fresh.slice(count)]);
  };
}

/** The same, asked once. */
export async function effectsIn(inbox: Inbox): Promise<Effects> {
  return createEffects(inbox)();
}

/** What is kept of an entry, which may be large. */
interface Told {
  readonly seq: number;
  readonly finishedAt: number;
  readonly outcome: keyof Effects | 'nothing';
  readonly effect: Effect;
}

const PAGE = 100;

/** Newest first. */
async function entriesAfter(inbox: Inbox, seq: number): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let before = Infinity; ;) {
    const page = await inbox.list({ limit: PAGE, ...(before === Infinity ? {} : { before }) });
    entries.push(...page.filter((entry) => entry.seq > seq));
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined || last.seq <= seq) return entries;
    before = last.seq;
  }
}

/** Entries of one subject never end at the same moment. */
function inOrder(told: readonly Told[]): Effects {
  const sorted = told.toSorted((one, other) => one.finishedAt - other.finishedAt || one.seq - other.seq);
  const those = (wanted: Told['outcome']) =>
    sorted.filter(({ outcome }) => outcome === wanted).map(({ effect }) => effect);
  return { effects: those('effects'), quarantined: those('quarantined') };
}

function toldOf(entry: Entry): Told {
  const { seq, finishedAt = 0, type } = entry;
  return {
    seq,
    finishedAt,
    outcome: outcomeOf(entry),
    effect: { type, ref: entry.eventId ?? namedIn(entry) },
  };
}

function outcomeOf(entry: Entry): Told['outcome'] {
  if (isFollowUp(entry)) return 'nothing';
  if (entry.status === 'dead') return 'quarantined';
  return entry.status === 'done' && !entry.unchanged ? 'effects' : 'nothing';
}

/** Senders without ids name what an event is about; so does content that could not be read as the sender's. */
const named = z.looseObject({
  eventId: z.string().optional(),
  webhook_request_id: z.string().optional(),
  taskId: z.string().optional(),
  orderId: z.string().optional(),
  workItemId: z.string().optional(),
});

function namedIn({ content }: Entry): string | undefined {
  const { eventId, webhook_request_id, taskId, orderId, workItemId } =
    named.safeParse(jsonOr(content)).data ?? {};
  return eventId ?? webhook_request_id ?? taskId ?? orderId ?? workItemId;
}

function jsonOr(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString());
  } catch {
    return undefined;
  }
}
