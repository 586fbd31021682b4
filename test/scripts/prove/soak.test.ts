import { chmodSync, closeSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from '@jest/globals';
import { judgeDay } from '../../../scripts/prove/soak/day-text.ts';
import type { Day, Sample } from '../../../scripts/prove/soak/day.ts';
import { isBroken } from '../../../scripts/prove/soak/finding.ts';
import { createLedger, noteNumber } from '../../../scripts/prove/soak/ledger.ts';
import { runScript } from '../../support/command.ts';
import { newFolder } from '../../support/fixtures.ts';

const DELIVERIES = '3000';

let directory = '';
beforeEach(() => {
  directory = newFolder();
  chmodSync(directory, 0o755); // the server of a test may run as another user
});

async function soak(...args: readonly string[]) {
  const env = { PATH: process.env['PATH'] ?? '', TMPDIR: directory };
  return runScript('prove/soak', [...args, '--directory', directory], env);
}

it.each(['sqlite', 'postgres'])(
  'lives through a small day on %s: all that was promised is handled, and nothing is left behind',
  async (engine) => {
    const { code, out, err } = await soak('--deliveries', DELIVERIES, '--engine', engine);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.match(/^ +[\d,]+ +[\d,]+ +[\d.]+ MB +[\d.]+ MB +[\d,]+ +[\d,]+$/gm)).toHaveLength(20);
    expect(out).toMatch(/^kept +2,85\d events promised in \d+ s, 0 of them lost, 0 handled twice$/m);
    expect(readdirSync(directory)).toEqual([]);
  },
);

it('lives through small hard times: all that was promised is handled, and once', async () => {
  const { code, out } = await soak(
    ...['--hard-times', '--deliveries', '900', '--waiting', '400', '--seconds-away', '1'],
  );
  expect({ code, broken: out.match(/^BROKEN.*$/gm) }).toEqual({ code: 0, broken: null });
  expect(out).toMatch(/^\| disk full(: not tried.*| +\| 200: 900, 503: [\d,]+.*\| 0 +\| 0) +\|$/m);
  expect(out).toMatch(/^\| database away for 1 s +\| 200: 900, 503: [\d,]+.*\| 0 +\| 0 +\|$/m);
  for (const engine of ['sqlite', 'postgres']) {
    expect(out).toMatch(
      new RegExp(`^\\| 100 % duplicates, ${engine} +\\| 200: 900 .*\\| 0 +\\| 0 +\\|$`, 'm'),
    );
    expect(out).toMatch(new RegExp(`^\\| 400 waiting, ${engine} +\\| 200: [\\d,]+ +\\|`, 'm'));
  }
  expect(readdirSync(directory)).toEqual([]);
});

const steady: Sample = {
  delivered: 10_000,
  perSecond: 4_000,
  residentMegabytes: 100,
  inboxMegabytes: 20,
  waiting: 0,
  done: 40_000,
};
const goodDay: Day = {
  samples: Array.from({ length: 100 }, () => steady),
  promised: 1_000_000,
  lost: 0,
  twice: 0,
  refused: 0,
  drained: true,
  seconds: 250,
};

it.each<[string, Partial<Day>, RegExp]>([
  ['loses an event', { lost: 1 }, /1 of them lost/],
  ['handles an event twice', { twice: 1 }, /1 handled twice/],
  ['leaves entries waiting', { drained: false }, /events promised/],
  ['refuses a delivery', { refused: 1 }, /^1 deliveries refused/],
  ['grows in memory', { samples: growing('residentMegabytes') }, /^resident memory.* 1\.[3-9]/],
  ['grows on disk', { samples: growing('inboxMegabytes') }, /^size of the inbox.* 1\.[3-9]/],
])('finds out a day that %s, and no good one', (_what, day, text) => {
  expect(judgeDay(goodDay).filter(isBroken)).toEqual([]);
  expect(judgeDay({ ...goodDay, ...day }).filter(isBroken)).toEqual([
    { text: expect.stringMatching(text), kept: false },
  ]);
});

function growing(what: 'residentMegabytes' | 'inboxMegabytes'): Sample[] {
  return Array.from({ length: 100 }, (_, number) => ({ ...steady, [what]: 100 + number }));
}

it('counts what was promised and never handled, and what was handled twice', () => {
  const file = join(directory, 'handled');
  const ledger = createLedger(file, 10);
  for (const number of [1, 2, 2, 3, 4]) ledger.promise(number);
  const handled = openSync(file, 'a');
  for (const number of [1, 3, 3, 9]) noteNumber(handled, number);
  closeSync(handled);
  expect([ledger.promised(), ledger.runs()]).toEqual([4, 4]);
  expect(ledger.settle()).toEqual({ promised: 4, lost: 2, twice: 1 });
});

it('says what it did not understand', async () => {
  const { code, err } = await soak('--engine', 'oracle');
  expect({ code, err }).toEqual({ code: 2, err: 'Unknown --engine: "oracle". Valid: sqlite, postgres.\n' });
});
