import { tmpdir } from 'node:os';
import { pickSome, UsageError } from '../../src/lab/usage.ts';
import { readOptions, runCommand, wholeNumber } from '../../src/lab/command.ts';
import { inboxNames, type InboxName } from '../../src/lab/rig/inboxes.ts';
import { comparisonsAt, type Comparison, type Lane } from './bench/lanes.ts';
import { ContestantFailed, median } from './bench/load.ts';
import { measureRounds, type Track } from './bench/rounds.ts';
import { drainRow, memoryRows, startRow, waitingRow } from './bench/single.ts';
import { comparisonRow, isSame, comparisonTable } from './bench/table.ts';
import { refuseInMemory, inWorkplace, type Workplace } from './bench/workplace.ts';

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

  npm run prove -- bench [options]

  --only a,b        of ${SECTIONS.join(', ')}
  --inbox a,b       for durable, drain and waiting, of ${inboxNames.join(', ')}; postgres is a server of its own
                    that is started below TMPDIR, and removed in the end
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

interface Options {
  readonly only: readonly Section[];
  readonly inbox: readonly InboxName[];
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly waiting: number;
  readonly warmUp: number;
  readonly deliveries: number;
}

await runCommand(async (args) => {
  const { values } = readOptions({
    args,
    options: {
      only: { type: 'string' },
      inbox: { type: 'string' },
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
    only: values.only === undefined ? SECTIONS : pickSome('--only', values.only, SECTIONS),
    inbox: values.inbox === undefined ? inboxNames : pickSome('--inbox', values.inbox, inboxNames),
    rounds: wholeNumber('--rounds', rounds, { min: 1, max: 1000 }),
    seconds: secondsIn(seconds),
    connections: wholeNumber('--connections', connections, { min: 1, max: 1000 }),
    waiting: wholeNumber('--waiting', values.million ? '1000000' : waiting, { min: 1, max: 10_000_000 }),
    warmUp: usual.warmUp,
    deliveries: values.million ? 1_000_000 : usual.deliveries,
  };
  refuseInMemory('--directory', values.directory);
  if (needsServer(options)) refuseInMemory('TMPDIR', tmpdir());
  try {
    console.log(await inWorkplace(values.directory, (place) => bench(options, place)));
    return 0;
  } catch (error) {
    if (!(error instanceof ContestantFailed)) throw error;
    console.error(error.message);
    return 1;
  }
});

async function bench(options: Options, { directory, inboxes }: Workplace): Promise<string> {
  const chosen = (section: Section) => options.only.includes(section);
  const comparisons = comparisonsAt(options.connections).filter(
    ({ section, inbox }) => chosen(section) && (inbox === undefined || options.inbox.includes(inbox)),
  );
  const tracks = await measureRounds(lanesOf(comparisons), { ...options, inboxes, progress });
  const rows = comparisons.map((comparison) => comparisonRow(comparison, tracks));
  if (chosen('drain')) {
    const entries = Math.min(options.waiting, MOST_TO_DRAIN);
    for (const inbox of options.inbox) {
      progress(`draining, ${inbox}`);
      rows.push(await drainRow(inbox, inboxes, entries));
    }
  }
  if (chosen('waiting')) {
    for (const inbox of options.inbox) {
      progress(`filling an inbox with ${options.waiting} entries, ${inbox}`);
      rows.push(await waitingRow(inbox, { ...options, inboxes }));
    }
  }
  if (chosen('memory')) {
    progress(`memory, ${options.deliveries} deliveries`);
    rows.push(...(await memoryRows(directory, { ...options, inboxes })));
  }
  if (chosen('start')) {
    progress('starts');
    rows.push(await startRow(inboxes));
  }
  return [comparisonTable(rows), ...caveats(tracks)].join('\n');
}

/** For PostgreSQL. */
function needsServer({ only, inbox }: Options): boolean {
  const sections: readonly Section[] = ['durable', 'drain', 'waiting'];
  return inbox.includes('postgres') && only.some((section) => sections.includes(section));
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

function secondsIn(text: string): number {
  const seconds = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : NaN;
  if (seconds > 0) return seconds;
  throw new UsageError('--seconds: expected a number above 0.');
}
