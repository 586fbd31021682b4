import { setTimeout as pause } from 'node:timers/promises';
import { whyAndWhere } from '../../src/kit/failure.ts';
import { isFollowUp } from '../../src/kit/handling/handle.ts';
import type { Entry, Inbox } from '../../src/kit/inbox/inbox.ts';
import type { Fired } from '../../src/lab/mock/sender.ts';
import type { Environment } from '../../src/kit/program/reader.ts';
import { openOrExplain } from '../inbox/with-inbox.ts';

// A good reply only says that an event was taken. What became of it, the receiver's inbox knows.

/** The inbox of the receiver that is sent to, as it was before. */
export interface Watched {
  readonly inbox: Inbox;
  /** The newest entry's number. */
  readonly before: number;
}

/** What became of an event, in words. `right` is undefined where it cannot be seen. */
export interface Outcome {
  readonly right: boolean | undefined;
  readonly says: string;
  /** Further lines: where it failed, and what to do. */
  readonly further?: readonly string[];
}

/** Opens it before anything is sent; a text says why it cannot be seen from here. */
export async function watchInbox({ hostname, host }: URL, env: Environment): Promise<Watched | string> {
  if (!/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) {
    return `${host} is another machine: npm run inbox says it there.`;
  }
  const inbox = await openOrExplain(env);
  if (typeof inbox === 'string') return inbox;
  try {
    const [newest] = await inbox.list({ limit: 1 });
    return { inbox, before: newest?.seq ?? 0 };
  } catch (error) {
    await inbox.close();
    throw error;
  }
}

/** An event that was sent, with what was signed of it. */
type Sent = Fired & { readonly content: Buffer };

/** What became of one event that was answered. Waits for its handler so long. */
export async function outcomeOf(watched: Watched, fired: Sent, waitMs: number): Promise<Outcome> {
  const taken = isSuccess(fired);
  const isRefusedOnPurpose = fired.fault !== undefined && fired.verdict.ok && !taken;
  const entry = await untilDecided(watched.inbox, () => entryOf(watched, fired), waitMs);
  if (entry !== undefined) {
    if (!isRefusedOnPurpose) {
      const outcome = await judge(watched.inbox, entry, waitMs);
      return entry.seq > watched.before ? outcome : asDuplicate(outcome, entry);
    }
    return { right: false, says: `entry ${entry.seq} was stored although the delivery was refused` };
  }
  if (!taken) return { right: true, says: 'nothing of it was stored' };
  return {
    right: undefined,
    says: 'it holds nothing of this event. Has the receiver another INBOX_URL than this command?',
  };
}

interface SentMany {
  readonly source: string;
  readonly type: string;
  /** How many were accepted. */
  readonly taken: number;
  readonly waitMs: number;
}

/** What became of many of one type. */
export async function outcomeOfMany(
  { inbox, before }: Watched,
  { source, type, taken, waitMs }: SentMany,
): Promise<Outcome> {
  const deadline = performance.now() + waitMs;
  for (let pauseMs = 50; ; pauseMs = Math.min(2 * pauseMs, 2_000)) {
    const entries = await newEntries(inbox, before, { source, type });
    if (entries.every(isDecided) || performance.now() > deadline) {
      const known = entries.length > 0 || (await inbox.list({ source, type, limit: 1 })).length > 0;
      return judgeMany(entries, known ? Math.max(0, taken - entries.length) : 0);
    }
    await pause(pauseMs);
  }
}

function isSuccess({ reply }: Fired): boolean {
  return reply !== undefined && reply.status >= 200 && reply.status < 300;
}

/** By its sender's id, where it has one; what was refused may have been known before, and others send too. */
async function entryOf({ inbox, before }: Watched, fired: Sent): Promise<Entry | undefined> {
  const { source, type, id, content } = fired;
  const fresh = await newEntries(inbox, before, { source });
  const own = fresh.find(({ eventId }) => eventId === id);
  if (own !== undefined) return own;
  const [earlier] = isSuccess(fired) ? await inbox.list({ source, about: id, limit: 1 }) : [];
  const isLike = (entry: Entry) => entry.type === type || entry.type === UNREADABLE;
  const like =
    earlier ?? fresh.find((entry) => isLike(entry) && (isSuccess(fired) || entry.eventId === undefined));
  if (like !== undefined || !isSuccess(fired)) return like;
  // Where nobody signs the id, what was signed is what makes an event the same.
  const known = await inbox.list({ source, type, limit: PAGE });
  return known.find((entry) => entry.content.equals(content));
}

const VARY =
  'Nothing new was stored: for another event change something that is signed, as with --set or --data.';

function asDuplicate({ right, says, further = [] }: Outcome, { seq }: Entry): Outcome {
  return { right, says: `duplicate of entry ${seq}; ${says}`, further: [...further, VARY] };
}

/** The type of an entry whose content could not be read. */
const UNREADABLE = '?';
const PAGE = 100;

/** Deliveries that came since, newest first. */
async function newEntries(
  inbox: Inbox,
  after: number,
  filter: { readonly source: string; readonly type?: string },
): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let before = Number.MAX_SAFE_INTEGER; ;) {
    const page = await inbox.list({ ...filter, before, limit: PAGE });
    entries.push(...page.filter((entry) => entry.seq > after && !isFollowUp(entry)));
    before = page.at(-1)?.seq ?? 0;
    if (page.length < PAGE || before <= after) return entries;
  }
}

/** An attempt has been made, or none will be. */
function isDecided({ status, attempts }: Entry): boolean {
  return status === 'done' || status === 'dead' || (status === 'waiting' && attempts > 0);
}

async function untilDecided(
  inbox: Inbox,
  find: () => Promise<Entry | undefined>,
  waitMs: number,
): Promise<Entry | undefined> {
  const deadline = performance.now() + waitMs;
  let entry = await find();
  for (let pauseMs = 10; entry !== undefined && !isDecided(entry); pauseMs = Math.min(2 * pauseMs, 500)) {
    if (performance.now() > deadline || (await blockerOf(inbox, entry)) !== undefined) break;
    await pause(pauseMs);
    entry = (await inbox.find(entry.seq)) ?? undefined;
  }
  return entry;
}

/** An earlier entry of its subject that failed and will be tried again: until then this one has to wait. */
async function blockerOf(inbox: Inbox, { seq, source, subject }: Entry): Promise<Entry | undefined> {
  if (subject === undefined) return undefined;
  const earlier = await inbox.list({ source, subject, status: 'waiting', before: seq, limit: PAGE });
  return earlier.find(isDecided);
}

async function judge(inbox: Inbox, entry: Entry, waitMs: number): Promise<Outcome> {
  const { seq, status, attempts, note, unchanged, dueAt } = entry;
  const { why, where } = whyAndWhere(note);
  const wrong = (words: string, next = `npm run inbox -- show ${seq} shows it.`): Outcome => ({
    right: false,
    says: `entry ${seq} ${words}`,
    further: [...(where?.split('\n') ?? []), next],
  });
  if (status === 'done') {
    return {
      right: true,
      says: `entry ${seq} is done${unchanged ? ', and nothing changed' : ''}${because(note)}`,
    };
  }
  if (status === 'dead') return wrong(`is a dead letter${because(why)}`, nextFor(entry));
  if (status === 'running') {
    return wrong(`still runs after ${waitMs / 1_000} s: its handler is slow, or it hangs`);
  }
  if (attempts > 0) {
    const failed = attempts === 1 ? 'its attempt failed' : `${attempts} attempts failed`;
    return wrong(
      `waits until ${new Date(dueAt).toISOString()} to be tried again, as ${failed}${because(why)}`,
    );
  }
  const blocker = await blockerOf(inbox, entry);
  if (blocker !== undefined) {
    return wrong(
      `waits behind entry ${blocker.seq}, which is about the same thing and failed`,
      `npm run inbox -- show ${blocker.seq} shows that one.`,
    );
  }
  return wrong(`still waits after ${waitMs / 1_000} s: is a worker running?`);
}

function because(note: string | undefined): string {
  return note === undefined || note === '' ? '' : `: ${note}`;
}

function nextFor({ seq, source, type, note = '' }: Entry): string {
  if (note.startsWith('handler_not_written')) return `npm run new -- handler ${source} ${type} begins one.`;
  return `npm run inbox -- show ${seq} shows it; once the cause is mended, npm run inbox -- replay ${seq} tries it again.`;
}

function judgeMany(entries: readonly Entry[], duplicates: number): Outcome {
  const groups = Map.groupBy(entries, wordOf);
  const right = [...groups.keys()].every((word) => word === 'done');
  const counts = [...groups].map(([word, { length }]) => `${length} ${word}`);
  if (duplicates > 0) counts.push(`${duplicates} duplicates`);
  const failed = entries.find(({ status }) => status !== 'done');
  const why = failed && whyAndWhere(failed.note).why;
  return {
    right: counts.length === 0 ? undefined : right && duplicates === 0,
    says:
      counts.join(', ') ||
      'it holds none of these events. Has the receiver another INBOX_URL than this command?',
    further: [
      ...(failed ? [`entry ${failed.seq}${because(why)}`] : []),
      ...(duplicates > 0 ? [VARY.replace('Nothing new was stored', 'Of a duplicate nothing is stored')] : []),
    ],
  };
}

function wordOf({ status, attempts }: Entry): string {
  if (status === 'dead') return 'dead letters';
  return status === 'waiting' && attempts > 0 ? 'failed and to be tried again' : status;
}
