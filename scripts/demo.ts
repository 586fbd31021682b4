import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual, parseArgs, styleText } from 'node:util';
import { rejections } from '../src/errors.ts';
import type { Entry } from '../src/inbox/inbox.ts';
import type { Fired, Sender } from '../src/mock/sender.ts';
import { storyOf } from '../src/mock/story.ts';
import { definitionOf } from '../src/source.ts';
import { sources } from '../src/sources/index.ts';
import { runCommand, untilStopped } from './command.ts';
import { setUp, tearDown, type Stage } from './stage.ts';

const USAGE = `Starts the receiver and the mock of all sources with secrets made on the spot, and sends every event once.

  npm run demo -- [--once]

  --once  ends after the last row, with exit code 0 only if every row is as it should be
`;

const PROOF_WIDTH = 25;
const REPLY_WIDTH = 12;
const typeWidth = Math.max(
  ...sources.flatMap(({ events }) => Object.keys(events).map(({ length }) => length)),
);

await runCommand(async (args) => {
  const { values } = parseArgs({
    args,
    options: { once: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'advance-receiver-kit-'));
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  return runDemo(folder, values.once);
});

async function runDemo(folder: string, once: boolean): Promise<number> {
  // From the start: Ctrl-C during the rows must not leave the folder behind.
  const stopped = untilStopped();
  const stage = await setUp(folder);
  try {
    console.log(
      `Receiver ${stage.app.url}, mock ${stage.mockUrl}, each endpoint with a secret made just now.`,
    );
    const asExpected = [...(await playStories(stage)), await playForgery(stage)];
    const failed = asExpected.filter((right) => !right).length;
    console.log(
      `\n${failed === 0 ? 'Every row is as it should be.' : `${failed} rows are NOT as they should be.`}`,
    );
    if (!once) {
      showAround(stage, folder);
      await stopped;
    }
    return failed === 0 ? 0 : 1;
  } finally {
    await tearDown(stage);
  }
}

async function playStories(stage: Stage): Promise<boolean[]> {
  const asExpected: boolean[] = [];
  const titles: Row = ['event', 'how it proved itself', 'reply', 'ms', 'what its handler did'];
  console.log(`\n${cut(`  ${aligned(titles)}`)}`);
  for (const sender of stage.senders) {
    console.log(`\n${styleText('bold', sender.source.title)}`);
    for (const type of storyOf(sender.source)) asExpected.push(await playEvent(stage, sender, type));
  }
  return asExpected;
}

async function playEvent({ app }: Stage, sender: Sender, type: string): Promise<boolean> {
  const fired = await sender.fire(type);
  await app.idle();
  const [entry] = await app.inbox.list({ source: sender.source.name, type, limit: 1 });
  const right = fired.verdict.ok && entry?.status === 'done';
  const done = definitionOf(sender.source, type)?.mode === 'reply' ? 'answered' : 'stored';
  const effect = right ? (entry.note ?? '') : complaintOf(fired, entry);
  const reply = `${statusOf(fired)} ${done}`;
  printRow(right, right ? 'green' : 'red', [type, fired.proof, reply, timeOf(fired), effect]);
  return right;
}

function complaintOf({ verdict }: Fired, entry: Entry | undefined): string {
  return verdict.ok ? `NOT handled: ${entry?.status ?? 'never stored'} ${entry?.note ?? ''}` : verdict.says;
}

/** The same as the first row, with one character changed on its way. */
async function playForgery({ app, senders, log }: Stage): Promise<boolean> {
  const [sender] = senders;
  const [type] = sender ? storyOf(sender.source) : [];
  if (sender === undefined || type === undefined) return false;
  const before = await app.inbox.stats();
  const fired = await sender.fire(type, { fault: 'tampered-byte' });
  const after = await app.inbox.stats();
  const code = log.lastCode() ?? '';
  console.log(`\n${styleText('bold', 'Somebody else')} changes one character on the way:`);
  const reply = `${statusOf(fired)} refused`;
  printRow(false, 'red', [type, 'no longer matches', reply, timeOf(fired), code]);
  console.log(styleText('red', `  ${meaningOf(code)}`));
  return fired.verdict.ok && code.startsWith('proof_') && isDeepStrictEqual(after, before);
}

function meaningOf(code: string): string {
  const found = Object.entries(rejections).find(([name]) => name === code);
  return found?.[1][1] ?? 'NOT refused as it should be.';
}

function timeOf({ ms }: Fired): string {
  return String(Math.round(ms));
}

function statusOf({ reply }: Fired): string {
  return String(reply?.status ?? 'none');
}

type Row = readonly [type: string, proof: string, reply: string, time: string, effect: string];

function printRow(right: boolean, colour: 'green' | 'red', row: Row): void {
  console.log(styleText(colour, cut(`${right ? '✓' : '✗'} ${aligned(row)}`)));
}

function aligned([type, proof, reply, time, effect]: Row): string {
  const cells = [
    type.padEnd(typeWidth),
    proof.padEnd(PROOF_WIDTH),
    reply.padEnd(REPLY_WIDTH),
    time.padStart(4),
  ];
  return [...cells, effect].join('  ').trimEnd();
}

/** A terminal breaks long lines anywhere; a file does not. */
function cut(line: string): string {
  const { columns } = process.stdout as { readonly columns?: number };
  return columns !== undefined && line.length > columns ? `${line.slice(0, columns - 1)}…` : line;
}

function showAround({ mockUrl, log, senders }: Stage, folder: string): void {
  const [first] = senders;
  const name = first?.source.name ?? '';
  const [type] = first ? storyOf(first.source) : [];
  console.log(`
Everything keeps running; Ctrl-C ends it. Where to look next:

  send one yourself   curl -H 'Content-Type: application/json' -d '{}' ${mockUrl}/send/${name}/${type ?? ''}
  what can be sent    ${mockUrl}
  what was received   INBOX_URL=sqlite:${join(folder, 'inbox.db')} npm run inbox -- list
  what is done then   src/handlers/ – yours to edit
  with real secrets   copy templates/env.example to .env, fill it in, npm start

The receiver's log from here on:
`);
  log.print();
}
