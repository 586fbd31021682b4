import { whyAndWhere } from '../failure.ts';
import { isFollowUp } from '../handling/handle.ts';
import type { Entry } from '../inbox/inbox.ts';
import { called, logged } from '../log.ts';
import { html, type Html } from '../reading/html.ts';
import type { Kept } from '../tape/tape.ts';
import type { Filter } from './filter.ts';

/** One delivery, as a line of the list shows it. Nothing stands in it that may not stand in a line of the log. */
export interface Row {
  /** Id of its element on the page. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Empty where no endpoint has its path. */
  readonly source: string;
  readonly type: string;
  /** What the event is about, and the sender's id of it; of a refused delivery its path. */
  readonly about: string;
  /** Our name for the delivery. */
  readonly request: string | undefined;
  /** Of its entry; a refused one has none. */
  readonly seq: number | undefined;
  readonly state: Exclude<Filter['state'], ''>;
  /** The reply, in a word; of what the app does later, `step`. */
  readonly word: 'accepted' | 'duplicate' | 'answered' | 'failed' | 'refused' | 'step';
  /** What its handler did, or why it was refused. */
  readonly note: string;
  /** To its reply; `undefined` where another process answered it, or this one before it was started again. */
  readonly ms: number | undefined;
  readonly attempts: number;
}

/** What a list needs of an entry. */
export type Listed = Pick<
  Entry,
  | 'seq'
  | 'receivedAt'
  | 'source'
  | 'endpoint'
  | 'type'
  | 'eventId'
  | 'subject'
  | 'request'
  | 'attempts'
  | 'status'
  | 'note'
>;

export function rowOfEntry(entry: Listed): Row {
  const { seq, receivedAt, source, type, request, status, attempts } = entry;
  const { subject } = called({ subject: entry.subject, eventId: undefined });
  return {
    key: `e${seq}`,
    at: receivedAt,
    source,
    type: logged(type) ?? '',
    about: [subject, logged(entry.eventId)].filter((part) => part !== undefined).join(' '),
    ...{ request, seq, attempts, state: status },
    word: isFollowUp(entry) ? 'step' : 'accepted',
    note: whyAndWhere(entry.note).why ?? '',
    ms: undefined,
  };
}

/** A refused delivery that the tape has. */
export function rowOfKept({ at, endpoint, outcome, request, number, why }: Kept): Row {
  const [, source = '', type = ''] = endpoint?.split('/') ?? [];
  return {
    key: `r${request ?? String(number)}`,
    ...{ at, source, type, about: endpoint ?? '', request: request ?? String(number) },
    ...{ seq: undefined, state: 'refused', word: 'refused', ms: undefined, attempts: 0 },
    note: `${outcome}: ${why ?? ''}`,
  };
}

/** The page of the delivery. */
function addressOf({ seq, request = '' }: Pick<Row, 'seq' | 'request'>): string {
  return seq === undefined ? `/refused/${encodeURIComponent(request)}` : `/deliveries/${seq}`;
}

export function toneOf({
  state,
  attempts,
}: Pick<Row, 'state' | 'attempts'>): 'good' | 'wait' | 'warn' | 'bad' {
  if (state === 'done') return 'good';
  if (state === 'dead' || state === 'refused') return 'bad';
  return state === 'waiting' && attempts > 0 ? 'warn' : 'wait';
}

/** By `data-at` it finds its place in the list, and by its id the row that it replaces. */
export function rowHtml(row: Row): Html {
  const { key, at, seq = 0, source, type, about, ms, note } = row;
  const tone = toneOf(row);
  return html`<li id="${key}" class="row ${tone}" data-at="${at}.${seq}">
    <a href="${addressOf(row)}">
      ${timeHtml(at)} <span class="source">${source}</span>
      <span class="event">${type === '' ? '–' : type}</span> <span class="about">${about}</span>
      <span class="chip ${tone}">${chipOf(row)}</span>
      <span class="ms">${ms !== undefined && `${Math.round(ms)} ms`}</span>
      <span class="note">${cut(note)}</span>
    </a>
  </li>`;
}

/** The reply, and behind it how far the entry has come, where that is not the same. */
function chipOf({ word, state, attempts }: Row): string {
  if (word === 'refused' || word === 'duplicate') return word;
  if (state === 'done') return word === 'accepted' ? 'done' : word;
  return state === 'waiting' && attempts > 0 ? `${word}, try ${attempts + 1}` : `${word}, ${state}`;
}

/** Of a day the time, in UTC as the log has it. */
export function timeHtml(at: number): Html {
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}" title="${iso}">${iso.slice(11, 19)}</time>`;
}

const LONGEST_NOTE = 200;

function cut(text: string): string {
  return text.length > LONGEST_NOTE ? `${text.slice(0, LONGEST_NOTE)}…` : text;
}
