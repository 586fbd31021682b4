import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '../../src/mock/usage.ts';
import { runCommand, wholeNumber } from '../command.ts';
import { killAll } from './contestant.ts';
import { comparisonsAt, type Comparison, type Lane } from './lanes.ts';
import { ContestantFailed, median } from './load.ts';
import { measureRounds, type Track } from './rounds.ts';
import { drainRow, memoryRows, startRow, waitingRow } from './single.ts';
import { comparisonRow, isSame, markdownTable } from './table.ts';

const SECTIONS = [
  'json',
  'form',
  'jws',
  'durable',
  'express',
  'drain',
  'waiting',
  'memory',
  'start',
] as const;
type Section = (typeof SECTIONS)[number];

const USAGE = `Measures the receiver on this machine, as ratios: each contestant is a process of its own, all get the same
deliveries, and in every round each has its turn while the others are paused.

  npm run bench -- [options]

  --only a,b        of ${SECTIONS.join(', ')}
  --rounds n        default 8
  --seconds n       of each turn, default 0.8; fractions are allowed
  --connections n   default 32; the second durable row has twice as many
  --waiting n       entries in the full inbox, default 100000
  --million         1,000,000 waiting, and as many deliveries for the memory row; takes minutes
  --directory path  for inbox files, on a real disk; default data
  --quick           a few seconds in all: shows that it runs, the figures say little
  --help            this

"spread" is the lowest and the highest ratio of a round. A target that is missed is marked; the exit code is about the
run, not about targets: they hold on a machine that does nothing else.
`;

const USUAL = { rounds: '8', seconds: '0.8', waiting: '100000', warmUp: 5000, deliveries: 60_000 };
const QUICK = { rounds: '1', seconds: '0.2', waiting: '2000', warmUp: 500, deliveries: 4000 };
const MOST_TO_DRAIN = 20_000;
/** Share of a turn that the load generator may be busy. */
const TOO_BUSY = 0.8;
const TMPFS = 0x01021994; // linux/magic.h

interface Options {
  readonly only: readonly Section[];
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly waiting: number;
  readonly warmUp: number;
  readonly deliveries: number;
}

await runCommand(async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      connections: { type: 'string' },
      waiting: { type: 'string' },
      million: { type: 'boolean', default: false },
      directory: { type: 'string', default: 'data' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const usual = values.quick ? QUICK : USUAL;
  const {
    rounds = usual.rounds,
    seconds = usual.seconds,
    waiting = usual.waiting,
    connections = '32',
  } = values;
  const options: Options = {
    only: values.only === undefined ? SECTIONS : values.only.split(',').map(sectionNamed),
    rounds: wholeNumber('--rounds', rounds, { min: 1, max: 1000 }),
    seconds: secondsIn(seconds),
    connections: wholeNumber('--connections', connections, { min: 1, max: 1000 }),
    waiting: wholeNumber('--waiting', values.million ? '1000000' : waiting, { min: 1, max: 10_000_000 }),
    warmUp: usual.warmUp,
    deliveries: values.million ? 1_000_000 : usual.deliveries,
  };
  try {
    console.log(await bench(options, temporaryDirectory(values.directory)));
    return 0;
  } catch (error) {
    if (!(error instanceof ContestantFailed)) throw error;
    console.error(error.message);
    return 1;
  }
});

async function bench(options: Options, directory: string): Promise<string> {
  const chosen = (section: Section) => options.only.includes(section);
  const comparisons = comparisonsAt(options.connections).filter(({ section }) => chosen(section));
  const tracks = await measureRounds(lanesOf(comparisons), {
    ...options,
    directory,
    progress,
  });
  const rows = comparisons.map((comparison) => comparisonRow(comparison, tracks));
  if (chosen('drain')) {
    progress('draining');
    const entries = Math.min(options.waiting, MOST_TO_DRAIN);
    rows.push(await drainRow('memory:', directory, entries), await drainRow('sqlite:', directory, entries));
  }
  if (chosen('waiting')) {
    progress(`filling two inboxes with ${options.waiting} entries`);
    rows.push(
      await waitingRow('memory:', directory, options),
      await waitingRow('sqlite:', directory, options),
    );
  }
  if (chosen('memory')) {
    progress(`memory, ${options.deliveries} deliveries`);
    rows.push(...(await memoryRows(directory, options.deliveries)));
  }
  if (chosen('start')) {
    progress('starts');
    rows.push(await startRow(directory));
  }
  return [markdownTable(rows), ...caveats(tracks)].join('\n');
}

function lanesOf(comparisons: readonly Comparison[]): Lane[] {
  const all = comparisons.flatMap(({ lane, against }) => [lane, against]);
  return all.filter((lane, index) => all.findIndex((other) => isSame(lane, other)) === index);
}

function caveats(tracks: readonly Track[]): string[] {
  const busy = Math.max(0, ...tracks.map(({ loads }) => median(loads.map((load) => load.busy))));
  if (busy < TOO_BUSY) return [];
  return [
    `\nThe load generator itself was busy ${Math.round(busy * 100)} % of a turn: the fastest rows may be its limit, not theirs.`,
  ];
}

function progress(text: string): void {
  process.stderr.write(`${text} …\n`);
}

/** Removed with everything else when this process ends, however it ends. */
function temporaryDirectory(parent: string): string {
  mkdirSync(parent, { recursive: true });
  if (statfsSync(parent).type === TMPFS) {
    throw new UsageError(
      `--directory: ${parent} is in memory, where an fsync costs nothing; name one on a disk.`,
    );
  }
  const directory = mkdtempSync(join(parent, 'bench-'));
  process.on('exit', () => {
    killAll();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
  return directory;
}

function sectionNamed(name: string): Section {
  const section = SECTIONS.find((candidate) => candidate === name);
  if (section === undefined) throw new UsageError(`--only: expected some of ${SECTIONS.join(', ')}.`);
  return section;
}

function secondsIn(text: string): number {
  const seconds = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : NaN;
  if (seconds > 0) return seconds;
  throw new UsageError('--seconds: expected a number above 0.');
}
