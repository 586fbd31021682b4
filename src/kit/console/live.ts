import type { ServerResponse } from 'node:http';
import { html, type Html } from '../reading/html.ts';
import { matches, type Filter } from './filter.ts';
import type { Journal } from './journal.ts';
import { rowHtml, type Row } from './row.ts';

/** Rows as they come, to whoever has a list open: server-sent events, each a piece of the page. */
export interface Live extends Disposable {
  /** As many are open as may be. */
  readonly isFull: boolean;
  /** From the version on that his page shows. */
  open(response: ServerResponse, filter: Filter, version: number): void;
}

export interface LiveOptions {
  readonly journal: Journal;
  /** Tells the journal what other processes did; called only while somebody looks. */
  readonly look?: (() => Promise<void>) | undefined;
}

const TICK_MS = 200;
const LOOK_EVERY_MS = 1_000;
/** A proxy that hears nothing for a minute would cut the connection. */
const BEAT_EVERY_MS = 15_000;
const MOST_OPEN = 30;
/** Of a burst so many rows are sent each time, of the others the number; nobody reads more. */
const MOST_ROWS = 40;
/** So many rows that will change are followed until they have. */
const MOST_FOLLOWED = 1_000;
/** Whoever does not read fast enough is left out until he has. */
const MOST_UNREAD_BYTES = 1_048_576;

interface Stream {
  readonly response: ServerResponse;
  readonly filter: Filter;
  /** All of it is on the page. */
  version: number;
  /** Keys of the rows on the page that wait, or run. */
  readonly followed: Set<string>;
  missed: number;
  heardAt: number;
}

export function createLive({ journal, look }: LiveOptions): Live {
  const streams = new Set<Stream>();
  let timer: NodeJS.Timeout | undefined;
  let looked = -Infinity;
  let looking = false;

  function tick(): void {
    if (look !== undefined && !looking && performance.now() - looked >= LOOK_EVERY_MS) {
      [looking, looked] = [true, performance.now()];
      void look()
        .catch(() => undefined) // why is in the log, of whoever needs the inbox for more than a page
        .finally(() => (looking = false));
    }
    for (const stream of streams) send(stream, journal);
  }

  function leave(stream: Stream): void {
    streams.delete(stream);
    if (streams.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return {
    get isFull() {
      return streams.size >= MOST_OPEN;
    },
    open(response, filter, version) {
      const open = [...journal.rows.values()].filter(isOpen).slice(-MOST_FOLLOWED);
      const followed = new Set(open.map(({ key }) => key));
      const stream = { response, filter, version, followed, missed: 0, heardAt: performance.now() };
      streams.add(stream);
      response.on('close', () => {
        leave(stream);
      });
      response.write(': open\n\n');
      timer ??= setInterval(tick, TICK_MS).unref();
      send(stream, journal);
    },
    [Symbol.dispose]() {
      for (const { response } of streams) response.end();
    },
  };
}

function isOpen({ state }: Row): boolean {
  return state === 'waiting' || state === 'running';
}

function send(stream: Stream, journal: Journal): void {
  const { response, filter } = stream;
  if (response.writableLength > MOST_UNREAD_BYTES) return;
  const now = performance.now();
  const changed = journal.version === stream.version ? [] : journal.since(stream.version);
  stream.version = journal.version;
  const rows = changed.filter((row) => matches(row, filter) || stream.followed.has(row.key));
  if (rows.length === 0 && now - stream.heardAt < BEAT_EVERY_MS) return;
  stream.heardAt = now;
  response.write(rows.length === 0 ? ': \n\n' : event(pieceOf(stream, rows), stream.version));
}

function pieceOf(stream: Stream, rows: readonly Row[]): string {
  const { followed } = stream;
  const from = rows.length - MOST_ROWS;
  const shown = rows.filter(({ key }, index) => index >= from || followed.has(key));
  for (const row of shown) {
    if (isOpen(row)) followed.add(row.key);
    else followed.delete(row.key);
  }
  for (const key of followed) {
    if (followed.size <= MOST_FOLLOWED) break;
    followed.delete(key);
  }
  stream.missed += rows.length - shown.length;
  const missed = rows.length === shown.length ? '' : missedHtml(stream.missed).toString();
  return shown.map((row) => rowHtml(row)).join('') + missed;
}

/** How many came too fast to be shown. */
function missedHtml(count: number): Html {
  return html`<output id="missed" hx-swap-oob="true">${count} changes came too fast to be listed.</output>`;
}

function event(text: string, version: number): string {
  const lines = text.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `id: ${version}\n${lines.join('')}\n`;
}
