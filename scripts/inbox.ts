import { parseArgs } from 'node:util';
import { messageOf } from '../src/errors.ts';
import { InboxUnavailable, statuses, type Entry, type Filter, type Inbox } from '../src/inbox/inbox.ts';
import { openInbox } from '../src/inbox/open.ts';
import { pick, UsageError } from '../src/mock/usage.ts';
import { runCommand, wholeNumber } from './command.ts';

const USAGE = `Looks into the inbox of a receiver, running or not, and replays its entries.

  npm run inbox -- list              entries, newest first
  npm run inbox -- show <seq>        one entry
  npm run inbox -- replay <seq> …    makes entries wait again, due at once and with a fresh count of attempts
  npm run inbox -- replay --dead     all dead letters, oldest first
  npm run inbox -- stats             how many wait, run, are done, are dead

  --status waiting|running|done|dead   for list
  --source name, --type event          for list, and for replay --dead
  --limit n                            for list (default 20)
  --content                            for show: what was received and answered; may be personal data
  --json                               for programs; content as base64
  --help                               this

The inbox is the one that INBOX_URL names, from .env or the environment (default sqlite:data/inbox.db).
A running receiver takes up a replayed entry within a second.
Exit code: 0 done, 1 not found or not possible, 2 the command is not right.
`;

interface Chosen {
  readonly filter: Filter;
  readonly dead: boolean;
  readonly content: boolean;
  readonly json: boolean;
}

interface Command {
  /** What to say when the command does not fit. */
  readonly expects: string;
  readonly fits: (seqs: readonly number[], chosen: Chosen) => boolean;
  readonly run: (inbox: Inbox, seqs: readonly number[], chosen: Chosen) => Promise<number>;
}

const commands: readonly (readonly [string, Command])[] = [
  [
    'list',
    { run: list, fits: (seqs) => seqs.length === 0, expects: 'list takes no <seq>: did you mean show?' },
  ],
  [
    'show',
    { run: show, fits: (seqs) => seqs.length === 1, expects: 'show takes one <seq>, as list prints it.' },
  ],
  [
    'replay',
    {
      run: replay,
      fits: (seqs, { dead }) => dead !== seqs.length > 0,
      expects: 'replay takes either <seq> … or --dead.',
    },
  ],
  ['stats', { run: stats, fits: (seqs) => seqs.length === 0, expects: 'stats takes no <seq>.' }],
];

const PAGE = 100;

await runCommand(async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      status: { type: 'string' },
      source: { type: 'string' },
      type: { type: 'string' },
      limit: { type: 'string', default: '20' },
      dead: { type: 'boolean', default: false },
      content: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [name, ...rest] = positionals;
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (name === undefined) throw new UsageError(USAGE);
  const command = pick('command', name, commands);
  const seqs = rest.map((text) => wholeNumber('<seq>', text, { min: 1, max: Number.MAX_SAFE_INTEGER }));
  const { status, source, type, dead, content, json } = values;
  const filter: Filter = {
    ...(status !== undefined && {
      status: pick(
        '--status',
        status,
        statuses.map((each) => [each, each]),
      ),
    }),
    ...(source !== undefined && { source }),
    ...(type !== undefined && { type }),
    limit: wholeNumber('--limit', values.limit, { min: 1, max: 100_000 }),
  };
  const chosen = { filter, dead, content, json };
  if (!command.fits(seqs, chosen)) throw new UsageError(command.expects);
  return withInbox((inbox) => command.run(inbox, seqs, chosen));
});

async function withInbox(work: (inbox: Inbox) => Promise<number>): Promise<number> {
  const url = process.env['INBOX_URL'] ?? 'sqlite:data/inbox.db';
  if (url === 'memory:') {
    return failed(
      'INBOX_URL is memory: – such an inbox lives inside its receiver, and only there. Set sqlite:<file>.',
    );
  }
  const inbox = openOrExplain(url);
  if (typeof inbox === 'string') return failed(inbox);
  try {
    return await work(inbox);
  } catch (error) {
    if (!(error instanceof InboxUnavailable)) throw error;
    return failed(error.message);
  } finally {
    await inbox.close();
  }
}

function openOrExplain(url: string): Inbox | string {
  try {
    return openInbox(url, { maxWaiting: Infinity, owner: false });
  } catch (error) {
    return messageOf(error);
  }
}

async function list(inbox: Inbox, _seqs: readonly number[], { filter, json }: Chosen): Promise<number> {
  const entries = await inbox.list(filter);
  if (json) return printJson(entries.map((entry) => toJson(entry)));
  if (entries.length === 0) console.log('No such entries.');
  else
    console.log(
      table(['seq', 'status', 'received', 'source', 'type', 'attempts', 'note'], entries.map(toRow)),
    );
  return 0;
}

async function show(inbox: Inbox, seqs: readonly number[], { content, json }: Chosen): Promise<number> {
  const [seq = 0] = seqs;
  const entry = await inbox.find(seq);
  if (!entry) return failed(`There is no entry ${seq}.`);
  if (json) return printJson(toJson(entry, content));
  console.log(details(entry));
  console.log(
    content ? bodies(entry) : `\nIts content is not shown, it may be personal data: add --content.`,
  );
  return 0;
}

async function replay(
  inbox: Inbox,
  seqs: readonly number[],
  { filter, dead, json }: Chosen,
): Promise<number> {
  const wanted = dead ? await allDead(inbox, filter) : seqs;
  const entries = await replayInOrder(inbox, wanted);
  const replayed = entries.filter((entry) => entry?.status === 'waiting').length;
  const problems = wanted.flatMap((seq, index) => problemOf(seq, entries[index] ?? null));
  if (json) printJson({ replayed, problems });
  else console.log([`${replayed} replayed`, ...problems].join('\n'));
  return problems.length === 0 ? 0 : 1;
}

/** Only their numbers, oldest first: there may be many, and replaying out of order would run them out of order. */
async function allDead(inbox: Inbox, { source, type }: Filter): Promise<number[]> {
  const of = { ...(source !== undefined && { source }), ...(type !== undefined && { type }) };
  const seqs: number[] = [];
  for (;;) {
    const page = await inbox.list({
      ...of,
      status: 'dead',
      before: seqs.at(-1) ?? Number.MAX_SAFE_INTEGER,
      limit: PAGE,
    });
    seqs.push(...page.map(({ seq }) => seq));
    if (page.length < PAGE) return seqs.reverse();
  }
}

/** A page at a time, so that the receiver never waits long for the file. */
async function replayInOrder(inbox: Inbox, seqs: readonly number[]): Promise<(Entry | null)[]> {
  const entries: (Entry | null)[] = [];
  for (let at = 0; at < seqs.length; at += PAGE) {
    entries.push(...(await Promise.all(seqs.slice(at, at + PAGE).map((seq) => inbox.replay(seq)))));
  }
  return entries;
}

function problemOf(seq: number, entry: Entry | null): string[] {
  if (!entry) return [`There is no entry ${seq}.`];
  return entry.status === 'running' ? [`Entry ${seq} is running: it was left alone.`] : [];
}

async function stats(inbox: Inbox, _seqs: readonly number[], { json }: Chosen): Promise<number> {
  const { oldestWaitingAt, ...counts } = await inbox.stats();
  const oldest = moment(oldestWaitingAt);
  if (json) return printJson({ ...counts, oldestWaiting: oldest ?? null });
  const rows = Object.entries(counts).map(([status, entries]) => [status, String(entries)]);
  console.log(pairs([...rows, ['oldest waiting', oldest ?? '–']]));
  return 0;
}

function failed(message: string): number {
  console.error(message);
  return 1;
}

function printJson(value: unknown): number {
  console.log(JSON.stringify(value, undefined, 2));
  return 0;
}

function toJson(entry: Entry, withContent = false): object {
  const { content, answer, receivedAt, dueAt, leaseUntil, finishedAt, ...rest } = entry;
  return {
    ...rest,
    receivedAt: moment(receivedAt),
    dueAt: moment(dueAt),
    leaseUntil: moment(leaseUntil),
    finishedAt: moment(finishedAt),
    ...(withContent && { content: content.toString('base64'), answer: answer?.toString('base64') }),
  };
}

function toRow({ seq, status, receivedAt, source, type, attempts, note = '' }: Entry): string[] {
  return [seq, status, moment(receivedAt), source, type, attempts, shortened(note)].map(String);
}

function details(entry: Entry): string {
  const { content, answer, ...rest } = entry;
  const moments = ['receivedAt', 'dueAt', 'leaseUntil', 'finishedAt'];
  const rows = Object.entries(rest).map(([name, value]: [string, string | number | undefined]) => [
    name,
    moments.includes(name) && typeof value === 'number' ? String(moment(value)) : String(value ?? '–'),
  ]);
  return pairs([
    ...rows,
    ['content', `${content.length} bytes`],
    ['answer', answer ? `${answer.length} bytes` : '–'],
  ]);
}

function bodies({ content, answer }: Entry): string {
  const received = `\nContent:\n${printable(content.toString())}`;
  return answer ? `${received}\n\nAnswer:\n${printable(answer.toString())}` : received;
}

function moment(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}

function pairs(rows: readonly (readonly string[])[]): string {
  return table([], rows);
}

/** Columns as wide as their widest cell. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [...(heads.length > 0 ? [heads] : []), ...rows].map((cells) => cells.map(onOneLine));
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((cells) => (cells[column] ?? '').length)),
  );
  return lines
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function onOneLine(text: string): string {
  return printable(text).replaceAll(/[\n\t]/g, ' ');
}

/** What a sender wrote must not steer the terminal: control characters, and marks that turn the direction of text. */
function printable(text: string): string {
  return text.replaceAll(/(?![\n\t])[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}
