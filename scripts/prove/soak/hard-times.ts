import { databaseAway } from './database-away.ts';
import { disksFull } from './disk-full.ts';
import { onlyDuplicates } from './duplicates.ts';
import { findingText, type Finding } from './finding.ts';
import { inboxFull } from './full-inbox.ts';
import { markdownTable } from '../../../src/lab/rig/table.ts';
import type { HardTime, HardTimesOptions } from './hard-time.ts';
import type { Replies } from './survivor.ts';
import { engineNames } from '../../../src/lab/rig/inboxes.ts';

/** Lives through all of them, one after the other, and prints what came of it. */
export async function liveHardTimes(options: HardTimesOptions): Promise<readonly Finding[]> {
  const times: HardTime[] = [];
  for (const { name, live } of hardTimes) {
    process.stderr.write(`${name} …\n`);
    times.push(await live(options));
  }
  console.log(table(times));
  for (const { name, findings } of times) console.log(`\n${name}\n${findings.map(findingText).join('\n')}`);
  return times.flatMap(({ findings }) => findings);
}

interface Choice {
  readonly name: string;
  readonly live: (options: HardTimesOptions) => Promise<HardTime>;
}

const hardTimes: readonly Choice[] = [
  { name: 'disk full', live: disksFull },
  { name: 'database away', live: databaseAway },
  ...engineNames.map((engine) => ({
    name: `duplicates, ${engine}`,
    live: (options: HardTimesOptions) => onlyDuplicates(engine, options),
  })),
  ...engineNames.map((engine) => ({
    name: `full inbox, ${engine}`,
    live: (options: HardTimesOptions) => inboxFull(engine, options),
  })),
];

const NONE = '–';

function table(times: readonly HardTime[]): string {
  const heads = [
    'hard time',
    'replies',
    'accepts again after',
    'all sent and handled after',
    'lost',
    'handled twice',
  ];
  const rows = times.map(({ name, replies, acceptsAgainMs, handledMs, survived }) => [
    name,
    repliesText(replies),
    secondsText(acceptsAgainMs),
    secondsText(handledMs),
    String(survived?.lost ?? NONE),
    String(survived?.twice ?? NONE),
  ]);
  return markdownTable(heads, rows);
}

function repliesText(replies: Replies = new Map()): string {
  const each = [...replies].map(([status, count]) => `${status}: ${count.toLocaleString('en')}`);
  return each.length === 0 ? NONE : each.join(', ');
}

function secondsText(ms: number | undefined): string {
  return ms === undefined ? NONE : `${(ms / 1000).toFixed(1)} s`;
}
