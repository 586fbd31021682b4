import { median } from '../bench/load.ts';
import type { Day, Sample } from './day.ts';
import type { Finding } from './finding.ts';

const widths = [11, 8, 11, 10, 9, 11];

export const dayHead = row(['delivered', 'per s', 'resident', 'inbox', 'waiting', 'done kept']);

export function dayLine(sample: Sample): string {
  return row([
    count(sample.delivered),
    count(sample.perSecond),
    megabytes(sample.residentMegabytes),
    megabytes(sample.inboxMegabytes),
    count(sample.waiting),
    count(sample.done),
  ]);
}

/** The garbage collector's own ups and downs, and those of a log that is written anew, are within this. */
const STEADY = 1.15;
/** Before, caches, heap and free pages still find their size. */
const ENOUGH = 200_000;

export function judgeDay(day: Day): Finding[] {
  const { promised, lost, twice, refused } = day;
  const seconds = Math.round(day.seconds);
  return [
    {
      text: `${count(promised)} events promised in ${seconds} s, ${lost} of them lost, ${twice} handled twice`,
      kept: lost === 0 && twice === 0 && day.drained,
    },
    { text: `${refused} deliveries refused or not answered`, kept: refused === 0 },
    ...flatness(day),
  ];
}

function flatness({ samples, promised }: Day): Finding[] {
  if (promised < ENOUGH) {
    return [{ text: `memory and size are judged from ${count(ENOUGH)} events on`, kept: true }];
  }
  return [
    steady(
      'resident memory in MB',
      samples.map(({ residentMegabytes }) => residentMegabytes),
    ),
    steady('size of the inbox in KB for each entry that it had to hold', sizeForEach(samples)),
  ];
}

/** A file does not become smaller when it holds less: what counts is the most it has held so far. */
function sizeForEach(samples: readonly Sample[]): number[] {
  let most = 0;
  return samples.map(({ waiting, done, inboxMegabytes }) => {
    most = Math.max(most, waiting + done);
    return (inboxMegabytes * 1024) / most;
  });
}

/** The second fifth against the last one. Where the operating system does not say, there is nothing to judge. */
function steady(what: string, values: readonly number[]): Finding {
  const fifth = values.length / 5;
  const early = median(values.slice(fifth, 2 * fifth));
  const late = median(values.slice(4 * fifth));
  if (Number.isNaN(early)) return { text: `${what} is not known here`, kept: true };
  const ratio = late / early;
  const [from, to] = [early, late].map((value) => value.toFixed(2));
  return {
    text: `${what}: ${from} in the second fifth, ${to} in the last, ${ratio.toFixed(2)} (at most ${STEADY})`,
    kept: ratio <= STEADY,
  };
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => cell.padStart(widths[index] ?? 0)).join('');
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function megabytes(value: number): string {
  return `${value.toFixed(1)} MB`;
}
