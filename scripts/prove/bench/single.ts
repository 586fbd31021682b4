import { setTimeout as sleep } from 'node:timers/promises';
import { startContestant, type Contestant } from './contestant.ts';
import type { Inboxes } from '../../../src/lab/rig/inboxes.ts';
import { sendAll } from './load.ts';
import { signPool } from './requests.ts';
import { limitRow, mark, NONE, type BenchRow } from './table.ts';

// What is measured by itself and not in rounds against another contestant.

const ONE_CONNECTION = 1;
const STARTS = 5;
const SETTLING_MS = 1500;

/** From starting the process to the first 200; npm's own start comes on top of it. */
export async function startRow(inboxes: Inboxes): Promise<BenchRow> {
  const times: number[] = [];
  const INBOX_URL = await inboxes.urlOf('sqlite', 'start');
  for (let count = 0; count < STARTS; count += 1) {
    const name = 'the kit';
    const began = performance.now();
    const contestant = await startContestant(name, '../../../src/example/main.ts', { INBOX_URL });
    await sendAll(contestant.port, signPool('json', 1), { name, connections: ONE_CONNECTION });
    times.push(performance.now() - began);
    await contestant.kill();
  }
  return limitRow('start of src/main.ts to the first verified delivery', times, { unit: 'ms', atMost: 1000 });
}

/** Inbox and records are files here, so that what grows is the process. */
export async function memoryRows(
  directory: string,
  { inboxes, deliveries }: { readonly inboxes: Inboxes; readonly deliveries: number },
): Promise<BenchRow[]> {
  const contestant = await startContestant('the kit', '../../../src/example/main.ts', {
    INBOX_URL: await inboxes.urlOf('sqlite', 'resident'),
    RECORDS_FILE: `${directory}/records.db`,
  });
  await sleep(SETTLING_MS);
  const idle = contestant.residentMegabytes();
  await sendJson(contestant, deliveries / 2);
  const halfway = contestant.residentMegabytes();
  await sendJson(contestant, deliveries / 2);
  const after = contestant.residentMegabytes();
  await contestant.kill();
  const numbers = [deliveries / 2, deliveries].map((count) => count.toLocaleString('en'));
  return [
    limitRow('resident memory, idle, `sqlite:`', [idle], { unit: 'MB', atMost: 120 }),
    {
      what: `resident memory after ${numbers.join(' and ')} deliveries`,
      measured: `${Math.round(halfway)} / ${Math.round(after)} MB`,
      ratio: (after / halfway).toFixed(2),
      target:
        deliveries < ENOUGH ? 'no growth: see --million' : `no growth ${mark(after <= halfway * STEADY)}`,
      spread: NONE,
      perSecond: NONE,
    },
  ];
}

/** The garbage collector's own ups and downs are within this. */
const STEADY = 1.1;
/** Before, caches and heap still find their size. */
const ENOUGH = 1_000_000;
const MANY_CONNECTIONS = 32;
const CHUNK = 20_000;

async function sendJson({ name, port }: Contestant, count: number): Promise<void> {
  for (let left = count; left > 0; left -= CHUNK) {
    await sendAll(port, signPool('json', Math.min(left, CHUNK)), { name, connections: MANY_CONNECTIONS });
  }
}
