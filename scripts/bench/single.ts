import { setTimeout as sleep } from 'node:timers/promises';
import { startContestant, startHeld, type Contestant, type HeldContestant } from './contestant.ts';
import { median, sendAll } from './load.ts';
import { signPool } from './requests.ts';
import { limitRow, mark, NONE, spread, type Row } from './table.ts';

// What is measured by itself and not in rounds against another contestant.

const ONE_CONNECTION = 1;
const STARTS = 5;
const SETTLING_MS = 1500;

/** From starting the process to the first 200; npm's own start comes on top of it. */
export async function startRow(directory: string): Promise<Row> {
  const times: number[] = [];
  for (let count = 0; count < STARTS; count += 1) {
    const name = 'the kit';
    const began = performance.now();
    const contestant = await startContestant(name, '../../src/main.ts', {
      INBOX_URL: `sqlite:${directory}/start.db`,
    });
    await sendAll(contestant.port, signPool('json', 1), { name, connections: ONE_CONNECTION });
    times.push(performance.now() - began);
    await contestant.kill();
  }
  return limitRow('start of src/main.ts to the first verified delivery', times, { unit: 'ms', atMost: 1000 });
}

/** Inbox and records are files here, so that what grows is the process. */
export async function memoryRows(directory: string, deliveries: number): Promise<Row[]> {
  const contestant = await startContestant('the kit', '../../src/main.ts', {
    INBOX_URL: `sqlite:${directory}/resident.db`,
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

/** How fast the worker is once nothing arrives. */
export async function drainRow(
  inbox: 'memory:' | 'sqlite:',
  directory: string,
  entries: number,
): Promise<Row> {
  const held = await startHeld('the kit', { INBOX_URL: urlOf(inbox, `${directory}/drain.db`) });
  await drained(held, Math.ceil(entries / 10));
  const perSecond = await drained(held, entries);
  await held.kill();
  return limitRow(`\`${inbox}\` handling alone, ${entries} entries waiting`, [perSecond], {
    unit: 'entries/s',
  });
}

async function drained(held: HeldContestant, entries: number): Promise<number> {
  await held.obey({ store: entries });
  const began = performance.now();
  await held.drain();
  return (entries * 1000) / (performance.now() - began);
}

const LATENCIES = 400;

/** The time a single sender waits for its reply, with a full and with an empty inbox in turn. */
export async function waitingRow(
  inbox: 'memory:' | 'sqlite:',
  directory: string,
  { waiting, rounds }: { readonly waiting: number; readonly rounds: number },
): Promise<Row> {
  const full = await startHeld('the full inbox', {
    ...roomFor(waiting),
    INBOX_URL: urlOf(inbox, `${directory}/full.db`),
  });
  const empty = await startHeld('the empty inbox', { INBOX_URL: urlOf(inbox, `${directory}/empty.db`) });
  await full.obey({ store: waiting });
  const ratios: number[] = [];
  const fullMs: number[] = [];
  const emptyMs: number[] = [];
  // The first round is for the compiler.
  for (let round = 0; round <= rounds; round += 1) {
    const ofFull = await latencyMs(full);
    const ofEmpty = await latencyMs(empty);
    if (round === 0) continue;
    fullMs.push(ofFull);
    emptyMs.push(ofEmpty);
    ratios.push(ofFull / ofEmpty);
  }
  await Promise.all([full.kill(), empty.kill()]);
  const ratio = median(ratios);
  return {
    what: `\`${inbox}\` time to accept with ${waiting.toLocaleString('en')} waiting, against empty`,
    measured: `${median(fullMs).toFixed(3)} / ${median(emptyMs).toFixed(3)} ms`,
    ratio: ratio.toFixed(2),
    target: `≤ 1.2 ${mark(ratio <= 1.2)}`,
    spread: spread(ratios, 2),
  };
}

async function latencyMs({ name, port }: HeldContestant): Promise<number> {
  return median(await sendAll(port, signPool('json', LATENCIES), { name, connections: ONE_CONNECTION }));
}

function roomFor(waiting: number): Record<string, string> {
  return { INBOX_MAX_WAITING: String(waiting + 1_000_000) };
}

function urlOf(inbox: 'memory:' | 'sqlite:', file: string): string {
  return inbox === 'memory:' ? inbox : inbox + file;
}
