import { setTimeout as sleep } from 'node:timers/promises';
import { startContestant, startHeld, type Contestant, type HeldContestant } from './contestant.ts';
import type { InboxName, Inboxes } from '../../../src/lab/rig/inboxes.ts';
import { median, sendAll } from './load.ts';
import { signPool } from './requests.ts';
import { limitRow, mark, NONE, spread, type BenchRow } from './table.ts';
import { measureAccepting, slowerBy, type WaitingOptions } from './waiting.ts';

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

/** How fast the worker is once nothing arrives, with handlers that do nothing. */
export async function drainRow(inbox: InboxName, inboxes: Inboxes, entries: number): Promise<BenchRow> {
  const held = await startHeld('the kit', { INBOX_URL: await inboxes.urlOf(inbox, 'drain') });
  await drained(held, Math.ceil(entries / 10));
  const perSecond = await drained(held, entries);
  await held.kill();
  return limitRow(`\`${inbox}:\` handling alone, ${entries} entries waiting`, [perSecond], {
    unit: 'entries/s',
  });
}

async function drained(held: HeldContestant, entries: number): Promise<number> {
  await held.obey({ store: entries });
  const began = performance.now();
  await held.drain();
  return (entries * 1000) / (performance.now() - began);
}

/** The time a single sender waits for its reply, with a full and with an empty inbox in turn. */
export async function waitingRow(inbox: InboxName, options: WaitingOptions): Promise<BenchRow> {
  const accepting = await measureAccepting(inbox, options, async () => undefined);
  const ratios = slowerBy(accepting);
  const ratio = median(ratios);
  return {
    what: `\`${inbox}:\` time to accept with ${options.waiting.toLocaleString('en')} waiting, against empty`,
    measured: `${median(accepting.fullMs).toFixed(3)} / ${median(accepting.emptyMs).toFixed(3)} ms`,
    ratio: ratio.toFixed(2),
    target: `≤ 1.2 ${mark(ratio <= 1.2)}`,
    spread: spread(ratios, 2),
  };
}
