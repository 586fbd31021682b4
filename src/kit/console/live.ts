import type { ServerResponse } from 'node:http';
import { html } from '../reading/html.ts';
import { matches, type Filter } from './filter.ts';
import type { Journal, Noted } from './journal.ts';
import { rowHtml } from './row.ts';

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
const MOST_NEW = 40;
const MOST_CHANGES = 200;
/** Whoever does not read fast enough is left out until he has. */
const MOST_UNREAD_BYTES = 1_048_576;

interface Stream {
  readonly response: ServerResponse;
  readonly filter: Filter;
  /** All before is on the page, or was. */
  readonly from: number;
  version: number;
  readonly shown: Set<string>;
  missed: number;
  quietSince: number;
}

export function createLive({ journal, look }: LiveOptions): Live {
  const streams = new Set<Stream>();
  let timer: NodeJS.Timeout | undefined;
  let looked = 0;
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

  function close(stream: Stream): void {
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
      const shown = new Set<string>();
      const stream = {
        response,
        filter,
        from: version,
        version,
        shown,
        missed: 0,
        quietSince: performance.now(),
      };
      streams.add(stream);
      response.on('close', () => {
        close(stream);
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

function send(stream: Stream, journal: Journal): void {
  const { response } = stream;
  if (response.writableLength > MOST_UNREAD_BYTES) return;
  const rows = journal.version === stream.version ? [] : journal.since(stream.version);
  stream.version = journal.version;
  const text = piece(
    stream,
    rows.filter((row) => matches(row, stream.filter)),
  );
  const now = performance.now();
  if (text === '' && now - stream.quietSince < BEAT_EVERY_MS) return;
  stream.quietSince = now;
  response.write(text === '' ? ': \n\n' : event(text, stream.version));
}

function piece(stream: Stream, rows: readonly Noted[]): string {
  const { shown, from } = stream;
  const isNew = (row: Noted) => row.born > from && !shown.has(row.key);
  const fresh = rows.filter(isNew).slice(-MOST_NEW).reverse();
  const changed = rows.filter((row) => !isNew(row)).slice(-MOST_CHANGES);
  const skipped = rows.length - changed.length - fresh.length;
  for (const { key } of fresh) shown.add(key);
  for (const key of shown) {
    if (shown.size <= MOST_NEW * 10) break;
    shown.delete(key);
  }
  const pieces = [...fresh.map((row) => rowHtml(row)), ...changed.map((row) => rowHtml(row, true))];
  if (skipped > 0) {
    stream.missed += skipped;
    pieces.push(missedHtml(stream.missed));
  }
  return pieces.join('');
}

/** How many came too fast to be shown. */
function missedHtml(count: number) {
  return html`<output id="missed" hx-swap-oob="true"
    >${count} more came too fast to be listed: reload for the latest.</output
  >`;
}

function event(text: string, version: number): string {
  const lines = text.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `id: ${version}\n${lines.join('')}\n`;
}
