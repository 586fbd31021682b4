import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { pickSome, UsageError } from '../../src/lab/usage.ts';
import { readOptions, runCommand, wholeNumber } from '../../src/lab/command.ts';
import { inboxNames, type InboxName } from '../../src/lab/rig/inboxes.ts';
import { checkOut } from './bench/checkout.ts';
import { measureDrains } from './bench/drain.ts';
import { growthRows } from './bench/growth.ts';
import { comparisonsAt, comparisonsWith, isSame, type Comparison, type Lane } from './bench/lanes.ts';
import { ContestantFailed, median } from './bench/load.ts';
import { machinesRows } from './bench/machines.ts';
import { measureRounds, type Track } from './bench/rounds.ts';
import { memoryRows, startRow } from './bench/single.ts';
import { startKit, type Grounds } from './bench/start.ts';
import { comparisonRows, comparisonTable, NONE, ratioRow, whole, type BenchRow } from './bench/table.ts';
import { refuseInMemory, inWorkplace, type Workplace } from './bench/workplace.ts';

const SECTIONS = [
  'json',
  'form',
  'jws',
  'durable',
  'tape',
  'metrics',
  'console',
  'drain',
  'growth',
  'machines',
  'memory',
  'start',
] as const;
type Section = (typeof SECTIONS)[number];

const USAGE = `Measures the receiver on this machine, as ratios of processor time: each contestant is a process of its own, all get
the same deliveries, and in every round each has its turn while the others are paused.

  npm run prove -- bench [options]

  --compare version this version against another one of the git history, such as HEAD~20 or a tag: accepting (json, form,
                    jws) and handling (drain), on each inbox
  --only a,b        of ${SECTIONS.join(', ')}
  --inbox a,b       for durable, drain, growth and --compare, of ${inboxNames.join(', ')}; postgres is a server of
                    its own that is started below TMPDIR, and removed in the end
  --rounds n        default 8
  --seconds n       of each turn, default 0.8; fractions are allowed
  --connections n   default 32
  --waiting n       entries that wait: while draining with --compare (default 0), or the most for growth (default 100000)
  --done n          growth with so many entries done and kept as well; takes minutes for each million
  --million         1,000,000 waiting, and as many deliveries for the memory row; takes minutes
  --directory path  for inbox files, on a real disk; default data
  --quick           a few seconds in all: shows that it runs, the figures say little
  --help            this

Processor time is that of the contestant and of the server it keeps its deliveries in, for one delivery; "each second" says
how many there were. "spread" is the lowest and the highest ratio of a round. A target that is missed is marked; the exit
code is about the run, not about targets. Contestants whose packages or server are missing are left out, and named.
`;

const USUAL = {
  rounds: '8',
  seconds: '0.8',
  waiting: '100000',
  warmUp: 5000,
  deliveries: 60_000,
  entries: 20_000,
  each: 400,
};
const QUICK = {
  rounds: '1',
  seconds: '0.1',
  waiting: '2000',
  warmUp: 100,
  deliveries: 4000,
  entries: 300,
  each: 20,
};
const LEAST_WAITING = 10_000;
/** Share of a turn that the load generator may be busy. */
const TOO_BUSY = 0.8;

interface Options {
  readonly compare: string | undefined;
  readonly only: readonly Section[];
  readonly inbox: readonly InboxName[];
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly waiting: number;
  readonly done: number;
  readonly warmUp: number;
  readonly deliveries: number;
  readonly entries: number;
  readonly each: number;
}

await runCommand(async (args) => {
  const { values } = readOptions({
    args,
    options: {
      compare: { type: 'string' },
      only: { type: 'string' },
      inbox: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      connections: { type: 'string', default: '32' },
      waiting: { type: 'string' },
      done: { type: 'string', default: '0' },
      million: { type: 'boolean', default: false },
      directory: { type: 'string', default: 'data' },
      quick: { type: 'boolean', default: false },
    },
  });
  const usual = values.quick ? QUICK : USUAL;
  const { compare, rounds = usual.rounds, seconds = usual.seconds } = values;
  const waiting = values.waiting ?? (compare === undefined ? usual.waiting : '0');
  const options: Options = {
    ...usual,
    compare,
    only: values.only === undefined ? SECTIONS : pickSome('--only', values.only, SECTIONS),
    inbox: values.inbox === undefined ? inboxNames : pickSome('--inbox', values.inbox, inboxNames),
    rounds: wholeNumber('--rounds', rounds, { min: 1, max: 1000 }),
    seconds: secondsIn(seconds),
    connections: wholeNumber('--connections', values.connections, { min: 1, max: 1000 }),
    waiting: wholeNumber('--waiting', values.million ? '1000000' : waiting, { min: 0, max: 10_000_000 }),
    done: wholeNumber('--done', values.done, { min: 0, max: 100_000_000 }),
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
}, USAGE);

async function bench(options: Options, place: Workplace): Promise<string> {
  const before = loadavg()[0] ?? NaN;
  const { rows, tracks } = await (options.compare === undefined
    ? benchAll(options, place)
    : benchVersions(options, options.compare, place));
  return [comparisonTable(rows), '', ...caveats(tracks), circumstances(before)].join('\n');
}

interface Found {
  readonly rows: readonly BenchRow[];
  readonly tracks: readonly Track[];
}

async function benchAll(options: Options, { directory, inboxes }: Workplace): Promise<Found> {
  const chosen = (section: Section) => options.only.includes(section);
  const grounds: Grounds = { directory, inboxes, checkouts: new Map() };
  const comparisons = comparisonsAt(options.connections).filter(
    ({ section, inbox }) => chosen(section) && (inbox === undefined || options.inbox.includes(inbox)),
  );
  const { rows, tracks } = await accepting(comparisons, options, grounds);
  for (const inbox of options.inbox) {
    if (chosen('drain')) rows.push(await drainRow(inbox, options, grounds));
    if (chosen('growth')) {
      const levels = [Math.min(LEAST_WAITING, options.waiting / 2)];
      for (let level = (levels[0] ?? 0) * 10; level < options.waiting; level *= 10) levels.push(level);
      levels.push(options.waiting);
      rows.push(...(await growthRows(inbox, { ...options, levels, grounds, progress })));
    }
  }
  if (chosen('machines')) {
    progress('several machines');
    rows.push(...(await machinesRows({ ...options, grounds })));
  }
  if (chosen('memory')) {
    progress(`memory, ${options.deliveries} deliveries`);
    rows.push(...(await memoryRows(directory, { ...options, inboxes })));
  }
  if (chosen('start')) {
    progress('starts');
    rows.push(await startRow(inboxes));
  }
  return { rows, tracks };
}

async function benchVersions(options: Options, revision: string, place: Workplace): Promise<Found> {
  const checkout = `${place.directory}/checkout`;
  progress(`preparing ${revision}`);
  checkOut(revision, checkout);
  const grounds: Grounds = { ...place, checkouts: new Map([[revision, checkout]]) };
  const comparisons = comparisonsWith(revision, options.inbox, options.connections).filter(({ section }) =>
    options.only.includes(section),
  );
  const { rows, tracks } = await accepting(comparisons, options, grounds);
  for (const inbox of options.only.includes('drain') ? options.inbox : []) {
    progress(`draining, ${inbox}`);
    const [now, then] = [await startKit(inbox, grounds), await startKit(inbox, grounds, { revision })];
    const kits = [now, then].map((kit) => ({ kit, waiting: options.waiting }));
    const [own, other] = await measureDrains(kits, options);
    await Promise.all([now.kill(), then.kill()]);
    if (own && other)
      rows.push(ratioRow(`\`${inbox}:\` handles, ${whole(options.waiting)} waiting`, own, other));
  }
  return { rows, tracks };
}

async function accepting(
  comparisons: readonly Comparison[],
  options: Options,
  grounds: Grounds,
): Promise<{ rows: BenchRow[]; tracks: Track[] }> {
  const tracks = await measureRounds(lanesOf(comparisons), { ...options, grounds, progress });
  return { rows: comparisons.flatMap((comparison) => comparisonRows(comparison, tracks)), tracks };
}

/** How fast the worker is once nothing arrives. */
async function drainRow(inbox: InboxName, options: Options, grounds: Grounds): Promise<BenchRow> {
  progress(`draining, ${inbox}`);
  const kit = await startKit(inbox, grounds);
  const [drains] = await measureDrains([{ kit, waiting: 0 }], options);
  await kit.kill();
  return {
    what: `\`${inbox}:\` handling alone`,
    measured: `${whole(median(drains?.processorUs ?? []))} µs`,
    ratio: NONE,
    target: NONE,
    spread: NONE,
    perSecond: whole(median(drains?.perSecond ?? [])),
  };
}

/** For PostgreSQL. */
function needsServer({ only, inbox }: Options): boolean {
  const sections: readonly Section[] = ['durable', 'drain', 'growth'];
  if (only.includes('machines')) return true;
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
    `The load generator itself was busy ${Math.round(busy * 100)} % of a turn: the most each second may be its limit, not theirs.`,
  ];
}

/** What the figures depend on. */
function circumstances(loadBefore: number): string {
  const { model = 'unknown processor' } = cpus()[0] ?? {};
  const day = new Date().toISOString().slice(0, 10);
  return (
    `${day}, Node ${process.versions.node}, ${availableParallelism()} × ${model.trim()}; ` +
    `load average before: ${loadBefore.toFixed(1)}${loadBefore > 1 ? ' – something else was running' : ''}.`
  );
}

function progress(text: string): void {
  process.stderr.write(`${text} …\n`);
}

function secondsIn(text: string): number {
  const seconds = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : NaN;
  if (seconds > 0) return seconds;
  throw new UsageError('--seconds: expected a number above 0.');
}
