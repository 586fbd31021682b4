import { setImmediate as immediately } from 'node:timers/promises';
import type { Entry } from '../inbox/inbox.ts';
import { html, Html } from '../reading/html.ts';
import type { Source } from '../source.ts';
import type { ConsoleParts } from './console.ts';
import { matches, rowStates, written, type Filter } from './filter.ts';
import { rowHtml, rowOfEntry, rowOfKept, type Row } from './row.ts';
import { newestOnTape } from './taped.ts';

/** So many rows are on the page before more come. */
const ROWS = 200;
const PAGE = 500;
/** So many entries are looked through for a filter at a time: a page of the list must not hold up a delivery. */
const MOST_LOOKED_AT = 20_000;

export interface Listed {
  /** Newest first. */
  readonly rows: readonly Row[];
  /** Where to look for older ones; `undefined`: there are none. */
  readonly before: number | undefined;
}

/** The newest deliveries that match: what the inbox and the tape have, and what this process knows besides of them. */
export async function listRows(parts: ConsoleParts, filter: Filter, before?: number): Promise<Listed> {
  const { journal } = parts;
  const stored = await storedRows(parts, filter, before);
  const refused = before === undefined ? await refusedRows(parts) : [];
  const own =
    before === undefined
      ? journal.rows().filter(({ word }) => word === 'duplicate' || word === 'refused')
      : [];
  const byKey = new Map<string, Row>();
  for (const row of [...refused, ...own]) byKey.set(row.key, journal.row(row.key) ?? row);
  for (const row of stored.rows) {
    // How it is now the inbox knows; how it was answered, who answered it.
    const { ms, word = row.word } = journal.row(row.key) ?? {};
    byKey.set(row.key, { ...row, ms, word });
  }
  const rows = [...byKey.values()]
    .filter((row) => matches(row, filter))
    .sort((one, other) => other.at - one.at);
  const shown = rows.slice(0, ROWS);
  if (shown.length === rows.length) return { rows, before: stored.before };
  // Those of the inbox that found no room come next.
  const last = shown.findLast(({ key, seq }) => key === `e${seq ?? ''}`)?.seq;
  return { rows: shown, before: last ?? (stored.rows[0]?.seq ?? 0) + 1 };
}

async function storedRows(
  { inbox }: Pick<ConsoleParts, 'inbox'>,
  filter: Filter,
  before: number | undefined,
): Promise<{ readonly rows: readonly Row[]; readonly before: number | undefined }> {
  const { state } = filter;
  const found: Row[] = [];
  let from = before;
  if (state === 'refused') return { rows: [], before: undefined };
  for (let looked = 0; looked < MOST_LOOKED_AT; looked += PAGE) {
    const page: readonly Entry[] = await inbox.list({
      ...(state !== '' && { status: state }),
      ...(from !== undefined && { before: from }),
      limit: PAGE,
      bare: true,
    });
    found.push(...page.map(rowOfEntry).filter((row) => matches(row, filter)));
    from = page.at(-1)?.seq;
    if (found.length >= ROWS) return { rows: found.slice(0, ROWS), before: found[ROWS - 1]?.seq };
    if (page.length < PAGE) return { rows: found, before: undefined };
    await immediately(); // deliveries first
  }
  return { rows: found, before: from };
}

async function refusedRows({ tape }: Pick<ConsoleParts, 'tape'>): Promise<Row[]> {
  const kept = tape === undefined ? [] : await newestOnTape(tape, ROWS);
  return kept.map(rowOfKept);
}

export function listHtml(
  { sources, journal }: Pick<ConsoleParts, 'sources' | 'journal'>,
  filter: Filter,
  { rows, before }: Listed,
  isNewest: boolean,
): Html {
  const query = written(filter);
  const older = new URLSearchParams([...new URLSearchParams(query), ['before', String(before)]]).toString();
  const since = new URLSearchParams([...new URLSearchParams(query), ['since', journal.mark]]);
  const live = isNewest
    ? html` hx-sse:connect="/stream?${since.toString()}" hx-swap="upsert key:data-at sort:desc"
      hx-target="this"`
    : html``;
  return html`${filterHtml(sources, filter)}
    <div class="bar">
      <p id="state" role="status">
        ${isNewest ? 'Newest first; times are UTC.' : 'Older ones; times are UTC.'}
      </p>
      <output id="missed"></output>
      <button type="button" id="pause" aria-pressed="false" hidden>Pause</button>
    </div>
    <ol id="rows" class="rows" ${live}>
      ${rows.map((row) => rowHtml(row))}
    </ol>
    <p id="none" class="none">${nothing(filter)}</p>
    ${before === undefined ? html`` : html`<p><a class="button" href="/?${older}">Older ones</a></p>`}`;
}

function nothing(filter: Filter): string {
  return written(filter) === '' ? 'No delivery has come yet.' : 'No delivery that was looked at matches.';
}

function filterHtml(sources: readonly Source[], { source, type, state, text }: Filter): Html {
  const types = [...new Set(sources.flatMap(({ events }) => Object.keys(events)))];
  return html`<search>
    <form class="filters" action="/" method="get">
      <label class="wide"
        >Search
        <input
          type="search"
          id="search"
          name="text"
          value="${text}"
          placeholder="id, subject, code, #7"
          maxlength="200"
      /></label>
      ${select(
        'Source',
        'source',
        source,
        sources.map(({ name }) => name),
      )}
      ${select('Event', 'type', type, types)} ${select('State', 'state', state, rowStates)}
      <button>Show</button> <a class="button" href="/">All</a>
    </form>
  </search>`;
}

function select(label: string, name: string, chosen: string, choices: readonly string[]): Html {
  const all = chosen !== '' && !choices.includes(chosen) ? [chosen, ...choices] : choices;
  const options = ['', ...all].map(
    (choice) =>
      html`<option value="${choice}" ${new Html(choice === chosen ? ' selected' : '')}>
        ${choice === '' ? 'any' : choice}
      </option>`,
  );
  return html`<label
    >${label}
    <select name="${name}">
      ${options}
    </select></label
  >`;
}
