import { isUtf8 } from 'node:buffer';
import type { Entry, Inbox } from '../../src/kit/inbox/inbox.ts';
import { inUtf8 } from '../../src/kit/reading/json.ts';
import type { Chosen } from './command.ts';
import { printableJson } from '../../src/kit/log.ts';
import { toJson } from './print.ts';

/** Entries of the largest content that a source accepts must fit into memory so many at a time. */
const EXPORT_PAGE = 25;

/** Prints entries with their content, one JSON object each line, oldest first. */
export async function exportEntries(
  inbox: Inbox,
  _seqs: readonly number[],
  { filter, limit = Infinity }: Chosen,
): Promise<number> {
  let left = limit;
  for await (const page of oldestFirst(inbox, filter)) {
    const entries = page.slice(0, left);
    left -= entries.length;
    if (!(await printLines(entries.map(toLine))) || left <= 0) return 0;
  }
  return 0;
}

/**
 * An inbox lists newest first: once through it for where its pages begin, then through the pages from the last to the
 * first. What comes in meanwhile is left out.
 */
async function* oldestFirst(
  inbox: Inbox,
  filter: Chosen['filter'],
): AsyncGenerator<Entry[], void, undefined> {
  const starts = await pageStarts(inbox, filter);
  let from = 0;
  for (const start of starts.reverse()) {
    yield await between(inbox, filter, from, start);
    from = start;
  }
}

/** Usually one page; more where entries came to fit the filter since its bounds were set. */
async function between(
  inbox: Inbox,
  filter: Chosen['filter'],
  from: number,
  start: number,
): Promise<Entry[]> {
  const found: Entry[] = [];
  let before = start;
  for (;;) {
    const page = await inbox.list({ ...filter, before, limit: EXPORT_PAGE });
    found.push(...page.filter(({ seq }) => seq >= from));
    const last = page.at(-1)?.seq ?? 0;
    if (page.length < EXPORT_PAGE || last <= from) return found.reverse();
    before = last;
  }
}

/** The `before` of each page, newest first: little to remember, however many entries there are. */
async function pageStarts(inbox: Inbox, filter: Chosen['filter']): Promise<number[]> {
  const [newest] = await inbox.list({ ...filter, limit: 1 });
  const starts: number[] = [];
  let before = newest && newest.seq + 1;
  while (before !== undefined) {
    starts.push(before);
    const page = await inbox.list({ ...filter, before, limit: EXPORT_PAGE });
    before = page.length < EXPORT_PAGE ? undefined : page.at(-1)?.seq;
  }
  return starts;
}

function toLine(entry: Entry): string {
  const payload = payloadOf(entry.content);
  return printableJson(JSON.stringify({ ...toJson(entry, { withContent: true }), payload }));
}

/** As JSON.parse reads it, for convenience: numbers beyond a double's precision are exact in `content` only. */
function payloadOf(content: Buffer): unknown {
  const text = inUtf8(content);
  if (!isUtf8(text)) return undefined;
  try {
    return JSON.parse(text.toString());
  } catch {
    return undefined;
  }
}

/** Resolves when they are written; false when whoever reads the output has stopped reading. */
function printLines(lines: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    // The error itself comes to the stream's own listener too.
    process.stdout.write(lines.map((line) => `${line}\n`).join(''), (error) => resolve(!error));
  });
}
