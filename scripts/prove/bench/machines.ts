import { openInbox } from '../../../src/kit/inbox/open.ts';
import { drained } from '../../../src/lab/rig/inboxes.ts';
import { startContestant, startWorker, type Contestant } from './contestant.ts';
import { sendAll } from './load.ts';
import { processorSeconds } from './processor.ts';
import { signPool } from './requests.ts';
import { databaseOf, type Grounds } from './start.ts';
import { NONE, whole, type BenchRow } from './table.ts';

export interface MachinesOptions {
  readonly grounds: Grounds;
  /** In all, however many machines there are. */
  readonly deliveries: number;
  readonly connections: number;
}

const TIMES = [1, 2, 4];
const PATIENCE_MS = 600_000;

/**
 * So many receivers and as many workers as processes of one machine, on one PostgreSQL. They share its processors, so what
 * shows is not speed, but what each delivery costs the more of them there are.
 */
export async function machinesRows(options: MachinesOptions): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const times of TIMES) rows.push(await machinesRow(times, options));
  return rows;
}

async function machinesRow(
  times: number,
  { grounds, deliveries, connections }: MachinesOptions,
): Promise<BenchRow> {
  const { url: INBOX_URL, pid } = await databaseOf(grounds.inboxes);
  const start = (role: 'receiver' | 'worker') =>
    Promise.all(
      Array.from({ length: times }, () =>
        role === 'worker'
          ? startWorker('worker', { INBOX_URL })
          : startContestant('receiver', '../../../src/example/main.ts', { INBOX_URL, ROLE: role }),
      ),
    );
  const receivers = await start('receiver');
  const workers = await start('worker');
  const spent = () => [secondsOf(receivers), secondsOf(workers), processorSeconds([pid])] as const;
  const before = spent();
  const began = performance.now();
  const share = { name: 'a receiver', connections: Math.ceil(connections / times) };
  await Promise.all(
    receivers.map(({ port }) => sendAll(port, signPool('json', Math.ceil(deliveries / times)), share)),
  );
  const accepted = performance.now();
  const inbox = await openInbox(INBOX_URL, { maxWaiting: 1, owner: false });
  await drained(inbox, PATIENCE_MS);
  const ended = performance.now();
  const us = spent().map((seconds, index) => ((seconds - (before[index] ?? NaN)) * 1_000_000) / deliveries);
  await inbox.close();
  await Promise.all([...receivers, ...workers].map((each) => each.kill()));
  const perSecond = (until: number) => whole((deliveries * 1000) / (until - began));
  return {
    what: `${times} of each: receivers / workers / the one PostgreSQL`,
    measured: `${us.map(whole).join(' / ')} µs`,
    ratio: NONE,
    target: NONE,
    spread: NONE,
    perSecond: `${perSecond(accepted)} accepted, ${perSecond(ended)} handled`,
  };
}

function secondsOf(contestants: readonly Contestant[]): number {
  return contestants.reduce((sum, contestant) => sum + contestant.processorSeconds(), 0);
}
