import type { Level } from '../rule.ts';
import { findingOf, listed, withOutcome, type WholeRun } from './report.ts';

/** What nobody sees who sends requests and reads replies, and why. */
export const unseen: readonly (readonly [what: string, why: string])[] = [
  ['Memory that is not given back', 'it shows after days, in the process: watch that'],
  ['What is logged', 'a secret, a token or personal data in a log leaves no trace in a reply'],
  ['Differences in time below the noise', 'comparing byte by byte costs nanoseconds: only the code shows it'],
  ['Secrets at rest', 'where they lie, who can read them and when they are changed is not said over HTTP'],
  ['What a handler does with the data', 'a probe tells that an event was handled, not whether rightly'],
  ['Libraries with known faults', 'they behave rightly until somebody uses the fault: let a scanner look'],
  [
    'Several machines at once',
    'who shares an address with others answers like one: try them one by one, too',
  ],
  ['A mistake in the sender', 'what is sent is what its manual says; a real delivery is the last proof'],
];

const BEYOND: Readonly<Record<Level, readonly string[]>> = {
  1: [
    'What the receiver has done: whether events are lost, handled twice or out of order. That takes a probe (level 2).',
    'What a crash leaves of it. That takes a way to restart it (level 3).',
  ],
  2: ['What a crash leaves of it. That takes a way to restart it (level 3).'],
  3: [],
};

/** What could have been examined, and was not in this run. */
export function notExamined({ started, cases, ended }: WholeRun): string[] {
  const tried = cases.length - withOutcome(cases, 'skipped').length;
  const byReason = Map.groupBy(withOutcome(cases, 'skipped'), findingOf);
  const { leftOut = [] } = started;
  return [
    ...BEYOND[started.level],
    ...(leftOut.length === 0 ? [] : [`Endpoints without a secret here: ${listed(leftOut)}.`]),
    ...(started.target.includes('https:') ? [] : ['TLS: the address begins with http.']),
    ...[...byReason].map(
      ([reason, { length }]) => `${length === 1 ? '1 case' : `${length} cases`}: ${reason}.`,
    ),
    ...(tried < started.cases
      ? [`${started.cases - tried} of ${started.cases} cases: the run ended before them (${ended.verdict}).`]
      : []),
  ];
}
