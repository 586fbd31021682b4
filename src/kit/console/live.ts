import type { ServerResponse } from 'node:http';
import { html, type Html } from '../reading/html.ts';
import { matches, type Filter } from './filter.ts';
import type { Journal } from './journal.ts';
import { rowHtml, type Row } from './row.ts';

/** Rows as they come, to whoever has a list open: server-sent events, each a piece of the page. */
export interface Live extends Disposable {
  /** He has as many lists open as he may, or all together have. */
  isFullFor(name: string): boolean;
  open(response: ServerResponse, listener: Listener): void;
}

/** Somebody who has a list open. */
export interface Listener {
  /** Of the visitor. */
  readonly name: string;
  readonly filter: Filter;
  /** The mark of what his page shows, or of the event that he had last; of another process it means nothing. */
  readonly since: string;
  /** Whether he may still look. */
  readonly stands: () => boolean;
}

export interface LiveOptions {
  readonly journal: Journal;
  /** Tells the journal what other processes did; called only while somebody looks. */
  readonly look?: (() => Promise<void>) | undefined;
}

const TICK_MS = 250;
/** With so many changes since the last time, rows are sent once in this time only: nobody reads them, and deliveries come first. */
const BURST = 250;
const BURST_MS = 1_000;
const LOOK_EVERY_MS = 1_000;
/** A proxy that hears nothing for a minute would cut the connection. */
const BEAT_EVERY_MS = 15_000;
const MOST_OPEN = 30;
const MOST_OF_ONE = 10;
/** Of a burst so many rows are sent each time, of the others the number; nobody reads more. */
const MOST_ROWS = 30;
/** So many rows that wait are followed until they are done, and so many of them sent each time. */
const MOST_FOLLOWED = 200;
const MOST_CHANGES = 50;
/** Whoever does not read fast enough is left out until he has. */
const MOST_UNREAD_BYTES = 1_048_576;

interface Stream extends Listener {
  readonly response: ServerResponse;
  /** All of it was sent, or is due. */
  version: number;
  /** Keys of the rows on the page that wait, or run. */
  readonly followed: Set<string>;
  /** Those of them that have changed. */
  readonly due: Map<string, Row>;
  missed: number;
  heardAt: number;
}

/** Rows in HTML, for all lists that show them at this moment. */
type Written = Map<Row, string>;

export function createLive({ journal, look }: LiveOptions): Live {
  const streams = new Set<Stream>();
  let timer: NodeJS.Timeout | undefined;
  let looked = -Infinity;
  let looking = false;
  let told = { at: -Infinity, version: 0 };

  function tick(): void {
    if (look !== undefined && !looking && performance.now() - looked >= LOOK_EVERY_MS) {
      [looking, looked] = [true, performance.now()];
      void look()
        .catch(() => undefined) // why is in the log, of whoever needs the inbox for more than a page
        .finally(() => (looking = false));
    }
    const isBurst = journal.version - told.version > BURST;
    if (isBurst && performance.now() - told.at < BURST_MS) return;
    told = { at: performance.now(), version: journal.version };
    const written: Written = new Map();
    for (const stream of streams) {
      if (stream.stands()) send(stream, journal, written);
      else stream.response.end();
    }
    followAll();
  }

  function followAll(): void {
    journal.follow(new Set([...streams].flatMap(({ followed }) => [...followed])));
  }

  function leave(stream: Stream): void {
    streams.delete(stream);
    if (streams.size > 0) return;
    followAll();
    clearInterval(timer);
    timer = undefined;
  }

  return {
    isFullFor(name) {
      const own = [...streams].filter((stream) => stream.name === name);
      return streams.size >= MOST_OPEN || own.length >= MOST_OF_ONE;
    },
    open(response, listener) {
      const stream = begun(response, listener, journal);
      streams.add(stream);
      response.on('close', () => {
        leave(stream);
      });
      response.write(': open\n\n');
      timer ??= setInterval(tick, TICK_MS).unref();
      send(stream, journal, new Map());
      followAll();
    },
    [Symbol.dispose]() {
      for (const { response } of streams) response.end();
    },
  };
}

function begun(response: ServerResponse, listener: Listener, journal: Journal): Stream {
  const open = journal.rows().filter((row) => isOpen(row) && matches(row, listener.filter));
  return {
    ...listener,
    response,
    version: journal.versionOf(listener.since),
    followed: new Set(open.slice(-MOST_FOLLOWED).map(({ key }) => key)),
    due: new Map(),
    missed: 0,
    heardAt: performance.now(),
  };
}

function isOpen({ state }: Row): boolean {
  return state === 'waiting' || state === 'running';
}

function send(stream: Stream, journal: Journal, written: Written): void {
  const { response, filter, followed, due } = stream;
  if (response.writableLength > MOST_UNREAD_BYTES) return;
  const now = performance.now();
  const fresh: Row[] = [];
  for (const row of journal.since(stream.version)) {
    if (followed.has(row.key)) due.set(row.key, row);
    else if (matches(row, filter)) fresh.push(row);
  }
  stream.version = journal.version;
  const changes = due.values().take(MOST_CHANGES).toArray();
  if (fresh.length + changes.length === 0 && now - stream.heardAt < BEAT_EVERY_MS) return;
  stream.heardAt = now;
  for (const { key } of changes) due.delete(key);
  const rows = [...changes, ...fresh.slice(-MOST_ROWS)];
  follow(followed, rows);
  const tooMany = Math.max(0, fresh.length - MOST_ROWS);
  stream.missed += tooMany;
  const pieces = rows.map((row) => writtenOnce(row, written));
  if (tooMany > 0) pieces.push(missedHtml(stream.missed).toString());
  response.write(rows.length === 0 ? ': \n\n' : event(pieces.join(''), journal.mark));
}

function follow(followed: Set<string>, rows: readonly Row[]): void {
  for (const row of rows) {
    if (isOpen(row)) followed.add(row.key);
    else followed.delete(row.key);
  }
  for (const key of followed) {
    if (followed.size <= MOST_FOLLOWED) return;
    followed.delete(key);
  }
}

function writtenOnce(row: Row, written: Written): string {
  const text = written.get(row) ?? rowHtml(row).toString().replaceAll(/\s+/g, ' ');
  written.set(row, text);
  return text;
}

/** How many came too fast to be shown. */
function missedHtml(count: number): Html {
  return html`<output id="missed" hx-swap-oob="true">${count} changes came too fast to be listed.</output>`;
}

function event(text: string, id: string): string {
  const lines = text.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `id: ${id}\n${lines.join('')}\n`;
}
