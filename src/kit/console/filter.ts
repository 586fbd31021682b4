import { statuses } from '../inbox/inbox.ts';
import type { Row } from './row.ts';

export const rowStates = [...statuses, 'refused'] as const;

/** Which deliveries are shown: all of it is in the address of the page, so that it can be sent to somebody. */
export interface Filter {
  readonly source: string;
  readonly type: string;
  /** Empty: any. */
  readonly state: '' | (typeof rowStates)[number];
  /** Part of what the sender calls it, what it is about, our name for it, a code or a note; `#7` is an entry. */
  readonly text: string;
}

const LONGEST = 200;

export function readFilter(query: URLSearchParams): Filter {
  const text = (name: string) => (query.get(name) ?? '').trim().slice(0, LONGEST);
  const state = rowStates.find((one) => one === text('state')) ?? '';
  return { source: text('source'), type: text('type'), state, text: text('text') };
}

/** As it stands in an address; empty where all are shown. */
export function written(filter: Filter): string {
  const set = Object.entries(filter).filter(([, value]: [string, string]) => value !== '');
  return new URLSearchParams(Object.fromEntries(set)).toString();
}

export function matches(row: Row, { source, type, state, text }: Filter): boolean {
  return (
    (source === '' || row.source === source) &&
    (type === '' || row.type === type) &&
    (state === '' || row.state === state) &&
    (text === '' || says(row, text))
  );
}

function says({ seq, about, request = '', note, word }: Row, text: string): boolean {
  if (text.startsWith('#')) return seq !== undefined && `#${seq}` === text;
  const part = text.toLowerCase();
  return [about, request, note, word].some((one) => one.toLowerCase().includes(part));
}
