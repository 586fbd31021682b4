import { whyAndWhere } from '../../src/kit/failure.ts';
import { statuses, type Entry, type Inbox } from '../../src/kit/inbox/inbox.ts';
import { inUtf8 } from '../../src/kit/reading/json.ts';
import type { Chosen } from './command.ts';
import { printable } from '../../src/lab/printable.ts';
import { failed, moment, printJson, table, toJson } from './print.ts';

const USUAL_LIMIT = 20;

export async function list(
  inbox: Inbox,
  _seqs: readonly number[],
  { filter, limit, json }: Chosen,
): Promise<number> {
  const entries = await inbox.list({ ...filter, limit: limit ?? USUAL_LIMIT });
  if (json) return printJson(entries.map((entry) => toJson(entry, { withContent: false })));
  if (entries.length === 0) console.log('No such entries.');
  else
    console.log(
      table([['seq', 'status', 'received', 'source', 'type', 'attempts', 'note'], ...entries.map(toRow)]),
    );
  return 0;
}

export async function show(
  inbox: Inbox,
  seqs: readonly number[],
  { filter, content, json }: Chosen,
): Promise<number> {
  const [seq] = seqs;
  const entry = seq === undefined ? (await inbox.list({ ...filter, limit: 1 }))[0] : await inbox.find(seq);
  if (!entry) return failed(`There is no entry ${seq ?? `with the id ${filter.about ?? ''}`}.`);
  if (json) return printJson(toJson(entry, { withContent: content }));
  console.log(details(entry));
  console.log(
    content ? bodies(entry) : `\nIts content is not shown, it may be personal data: add --content.`,
  );
  return 0;
}

export async function stats(inbox: Inbox, _seqs: readonly number[], { json }: Chosen): Promise<number> {
  const { oldestWaitingAt, waitingBytes, ...counts } = await inbox.stats();
  const oldest = moment(oldestWaitingAt);
  const ageMs = oldestWaitingAt === undefined ? undefined : Math.max(0, Date.now() - oldestWaitingAt);
  if (json) {
    return printJson({
      ...counts,
      waitingBytes,
      oldestWaiting: oldest ?? null,
      oldestWaitingAgeMs: ageMs ?? null,
    });
  }
  const age = ageMs === undefined ? '–' : duration(ageMs);
  console.log(
    table([
      ...statuses.map((status) => [status, String(counts[status])]),
      ['waiting bytes', String(waitingBytes)],
      ['oldest waiting', oldest ?? '–'],
      ['its age', age],
    ]),
  );
  return 0;
}

/** Each with its seconds, and those of the next larger one. */
const units = [
  ['d', 86_400, Infinity],
  ['h', 3_600, 86_400],
  ['min', 60, 3_600],
  ['s', 1, 60],
] as const;

/** In its two largest units. */
function duration(ms: number): string {
  const counts = units.map(([unit, size, next]) => [Math.floor(((ms / 1_000) % next) / size), unit] as const);
  const first = counts.findIndex(([count]) => count > 0);
  const words = counts.map(([count, unit]) => `${count} ${unit}`);
  return first < 0 ? '0 s' : words.slice(first, first + 2).join(' ');
}

function toRow({ seq, status, receivedAt, source, type, attempts, note = '' }: Entry): string[] {
  return [seq, status, moment(receivedAt), source, type, attempts, shortened(note)].map(String);
}

function details(entry: Entry): string {
  const { content, answer, ...rest } = entry;
  const { why, where } = whyAndWhere(entry.note);
  const moments = ['receivedAt', 'dueAt', 'leaseUntil', 'finishedAt'];
  const rows = Object.entries({ ...rest, note: why }).map(
    ([name, value]: [string, string | number | boolean | undefined]) => [
      name,
      moments.includes(name) && typeof value === 'number' ? String(moment(value)) : String(value ?? '–'),
    ],
  );
  const lines = table([
    ...rows,
    ['content', `${content.length} bytes`],
    ['answer', answer ? `${answer.length} bytes` : '–'],
  ]);
  return where === undefined ? lines : `${lines}\n\n${printable(where)}`;
}

function bodies({ content, answer }: Entry): string {
  const received = `\nContent:\n${printable(inUtf8(content).toString())}`;
  return answer ? `${received}\n\nAnswer:\n${printable(answer.toString())}` : received;
}

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}
