import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import type { InboxName } from '../../../src/lab/rig/inboxes.ts';
import type { HeldContestant } from './contestant.ts';
import { measureDrains } from './drain.ts';
import { median } from './load.ts';
import { startKit, type Grounds } from './start.ts';
import { mark, NONE, ratioRow, spread, whole, type BenchRow, type Figures } from './table.ts';
import { measureAccepting, slowerBy } from './waiting.ts';

export interface GrowthOptions {
  readonly grounds: Grounds;
  /** Entries that wait, in rising order; the first is what the others are compared with. */
  readonly levels: readonly number[];
  /** Entries that have been handled and are kept; none: not measured. */
  readonly done: number;
  /** Entries that are handled in a round. */
  readonly entries: number;
  readonly rounds: number;
  /** Deliveries in a round, one after the other. */
  readonly each: number;
  readonly progress: (text: string) => void;
}

/** What an inbox costs as it grows: accepting, and handling, with ever more that waits, that is kept, that may not be cleaned up. */
export async function growthRows(inbox: InboxName, options: GrowthOptions): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const waiting of options.levels) rows.push(await acceptRow(inbox, waiting, options));
  const [least = 0, ...more] = options.levels;
  for (const waiting of more) {
    const what = `handles with ${whole(waiting)} waiting, against ${whole(least)}`;
    rows.push(await drainRow(inbox, { what, waiting, atLeast: 0.7 }, async () => undefined, options));
  }
  if (inbox !== 'memory') {
    const grown = { what: 'handles while a backup reads what was before', waiting: least, atLeast: 0.6 };
    rows.push(await drainRow(inbox, grown, openSnapshot, options));
  }
  if (options.done > 0) {
    const what = `handles with ${whole(options.done)} done and kept`;
    const grown = { what, waiting: least, atLeast: 0.7 };
    rows.push(await drainRow(inbox, grown, (kit) => fillWithDone(kit, options.done), options));
  }
  return rows;
}

/** The time a single sender waits for its reply, with a full and with an empty inbox in turn. */
async function acceptRow(inbox: InboxName, waiting: number, options: GrowthOptions): Promise<BenchRow> {
  const { progress, rounds, each, grounds } = options;
  progress(`${inbox}: accepting with ${whole(waiting)} waiting`);
  const accepting = await measureAccepting(
    inbox,
    { ...grounds, waiting, rounds, each },
    async () => undefined,
  );
  const ratios = slowerBy(accepting);
  const ratio = median(ratios);
  return {
    what: `\`${inbox}:\` accepts with ${whole(waiting)} waiting, against none`,
    measured: `${median(accepting.fullMs).toFixed(3)} / ${median(accepting.emptyMs).toFixed(3)} ms`,
    ratio: ratio.toFixed(2),
    target: `≤ 1.2 ${mark(ratio <= 1.2)}`,
    spread: spread(ratios, 2),
    perSecond: NONE,
  };
}

/** What is different about the inbox of one of the two. */
interface Grown {
  readonly what: string;
  readonly waiting: number;
  /** Its entries each second, as a share of the other's. */
  readonly atLeast: number;
}

/** Two kits on two inboxes, one of which is made what the row says. */
async function drainRow(
  inbox: InboxName,
  { what, waiting, atLeast }: Grown,
  make: (kit: HeldContestant) => Promise<(() => Promise<void>) | undefined>,
  { grounds, levels: [least = 0], progress, ...options }: GrowthOptions,
): Promise<BenchRow> {
  progress(`${inbox}: ${what}`);
  const [grown, usual] = [await startKit(inbox, grounds), await startKit(inbox, grounds)];
  const undo = await make(grown);
  const kits = [
    { kit: grown, waiting },
    { kit: usual, waiting: least },
  ];
  const [own = NOTHING, other = NOTHING] = await measureDrains(kits, options);
  await undo?.();
  await Promise.all([grown.kill(), usual.kill()]);
  const speeds = own.perSecond.map((each, round) => each / (other.perSecond[round] ?? NaN));
  const speed = median(speeds);
  // What it takes longer may be the disk, which is no processor time.
  const target = `${speed.toFixed(2)} of the speed, ≥ ${atLeast} ${mark(speed >= atLeast)}`;
  return { ...ratioRow(`\`${inbox}:\` ${what}`, own, other), target };
}

const NOTHING: Figures = { processorUs: [], perSecond: [] };

async function openSnapshot({ inboxUrl: url }: HeldContestant): Promise<() => Promise<void>> {
  if (url.startsWith('sqlite:')) {
    const database = new DatabaseSync(url.slice('sqlite:'.length), { readOnly: true });
    database.exec('BEGIN; SELECT count(*) FROM sqlite_schema');
    return async () => database.close();
  }
  const client = new pg.Client(url);
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query('SELECT count(*) FROM pg_class');
  return () => client.end();
}

const TOGETHER = 100_000;

async function fillWithDone(kit: HeldContestant, done: number): Promise<undefined> {
  for (let left = done; left > 0; left -= TOGETHER) {
    await kit.obey({ store: Math.min(left, TOGETHER) });
    await kit.drain();
  }
  return undefined;
}
