import { beforeAll, expect, it } from '@jest/globals';
import type { CaseEnded } from '../../../src/lab/conformance/result.ts';
import { rules } from '../../../src/lab/conformance/rules/index.ts';
import { makeCertificates, requireOpenssl, type Certificates } from '../../support/certificates.ts';
import { villains } from '../../villains/all.ts';
import { startExpress } from '../../villains/express.ts';
import {
  requireAiohttp,
  requireGo,
  requireJava,
  startAiohttp,
  startGo,
  startJava,
} from '../../villains/foreign.ts';
import { startKit } from '../../villains/kit.ts';
import { startNaturalExpress, startNaturalFastify } from '../../villains/natural.ts';
import { missedBy, tryVillains, unseenAt, type MatrixRow } from '../../villains/matrix.ts';
import { requirePython, startPython } from '../../villains/python.ts';
import { createReceiver } from '../../villains/receiver.ts';
import { right } from '../../villains/right.ts';
import { startSecure } from '../../villains/broken/transport.ts';
import { tryReceiver, type TryOptions } from '../../villains/try.ts';

// A suite that finds nothing proves nothing: it must find out every receiver that is broken on purpose, and accuse none
// that is right.

/** As long as a timer can be. */
const NO_LIMIT = 2 ** 31 - 1;
const hasOpenssl = requireOpenssl('receivers that speak TLS');
const hasPython = requirePython('a receiver in Python');

/** Legacy access tokens, and PhenixID with several installations: only what differs there. */
const legacy = { kind: 'TOKEN', key: 'north', only: ['B1-*', 'C*', 'F*', 'L*', 'U*'] } as const;

/** What differs where there are two installations, and secrets that nobody has set. */
const strangers = {
  key: 'north',
  secondKey: 'south',
  unset: ['hotdocs/InterviewLoadEvent'],
  only: ['A23-*', 'B*', 'C*', 'L8-*', 'L11-*'],
} as const;

/** They go by the clock, and much else is tried at the same time: rules-resources.test.ts tries them. */
const BURDENS = ['G4-*', 'G11-*', 'G12-*'];

/** By what it is; each correct. */
const correct: Readonly<Record<string, (certificates: Certificates | undefined) => Trial>> = {
  'on node:http': () => ({
    start: createReceiver(right),
    endpoints: [...ONE_EACH, 'hotdocs/NewWorkItemVersionComplete'],
  }),
  'on node:http, with two installations and endpoints that have no secret': () => ({
    start: createReceiver(right),
    ...strangers,
  }),
  'on node:http, with access tokens': () => ({ start: createReceiver(right), ...legacy }),
  // As frameworks are: what they let through is no accusation, unless somebody asks for more.
  'on Express as it comes': () => ({ start: startNaturalExpress, grade: 'correct', skip: BURDENS }),
  'on Fastify as it comes': () => ({ start: startNaturalFastify, grade: 'correct', skip: BURDENS }),
  'on Express': () => ({ start: startExpress, key: 'north' }),
  'on Express, with access tokens': () => ({ start: startExpress, ...legacy }),
  'of this kit': () => ({ start: startKit, accepts: ['all'] }),
  'of this kit, with two installations and endpoints that have no secret': () => ({
    start: startKit,
    ...strangers,
  }),
  'of this kit, with access tokens': () => ({ start: startKit, accepts: ['all'], ...legacy }),
  ...(hasPython && {
    'in Python': () => ({ start: startPython }),
    'in Python, with access tokens': () => ({ start: startPython, ...legacy }),
  }),
  ...(hasOpenssl && {
    'behind TLS': (certificates) => ({
      start: startSecure,
      certificates,
      only: ['A1-*', 'B1-*', 'D*', 'G8-*', 'U*'],
    }),
  }),
};

/** Programs of their own, which would take the processor from the others. */
const elsewhere: typeof correct = {
  ...(requireAiohttp() && {
    'on aiohttp as it comes': () => ({ start: startAiohttp, grade: 'correct', skip: BURDENS }),
  }),
  ...(requireGo() && {
    'on net/http of Go as it comes': () => ({ start: startGo, grade: 'correct', skip: BURDENS }),
  }),
  ...(requireJava() && {
    'on the HTTP server of the JDK as it comes': () => ({
      start: startJava,
      grade: 'correct',
      skip: BURDENS,
    }),
  }),
};

type Trial = Pick<TryOptions, 'start'> & Partial<TryOptions>;

let rows: readonly MatrixRow[] = [];
const accusations = new Map<string, readonly string[]>();

// Most of it is waiting, so much of it is tried at the same time: first those that must not be accused because a villain
// keeps the processor busy. It may take as long as it takes.
beforeAll(async () => {
  const certificates = hasOpenssl ? await makeCertificates() : undefined;
  const tryCorrect = async ([name, trial]: [string, (typeof correct)[string]]) => {
    accusations.set(name, await accusationsOf(trial(certificates)));
  };
  try {
    await Promise.all(Object.entries(correct).map(tryCorrect));
    await Promise.all(Object.entries(elsewhere).map(tryCorrect));
    rows = await tryVillains(certificates);
  } finally {
    await certificates?.remove();
  }
}, NO_LIMIT);

const ONE_EACH = ['hotdocs/InterviewLoadEvent', 'phenixid/OrderCreated', 'risr/booking_updated'];

/** What an honest receiver is told that it did wrong. */
async function accusationsOf(trial: Trial): Promise<string[]> {
  const { cases } = await tryReceiver({
    sources: ['hotdocs', 'phenixid', 'risr'],
    endpoints: ONE_EACH,
    level: 3,
    skip: BURDENS,
    ...trial,
  });
  const isAccused = ({ outcome }: CaseEnded) =>
    outcome !== 'passed' && outcome !== 'skipped' && (outcome !== 'warned' || trial.grade === undefined);
  const wrong = cases.filter(isAccused);
  if (cases.length === wrong.length) return ['nothing was passed'];
  return wrong.map(({ outcome, id, observed }) => `${outcome}: ${id}: ${observed}`);
}

const tried = villains.filter(({ secure }) => hasOpenssl || secure !== true);

it.each(tried.map(({ name, breaks }) => [name, breaks]))('finds out the one that %s. %s', (name) => {
  const row = rows.find(({ villain }) => villain.name === name);
  const isMissed = row === undefined || missedBy(row).length + unseenAt(row).length > 0;
  expect(isMissed ? (row?.told ?? 'not tried') : 'found').toBe('found');
});

it.each(Object.keys({ ...correct, ...elsewhere }))(
  'accuses a correct receiver of nothing: the one %s',
  (name) => expect(accusations.get(name)).toEqual([]),
);

it.each(rules.map(({ id }) => id))('has a receiver that breaks %s', (id) => {
  if (villains.some(({ claimedBy }) => claimedBy.includes(id))) return;
  throw new Error(
    `No villain breaks ${id}, so nothing shows that it can fail. Add one to test/villains: the right receiver with one ` +
      'part replaced, as people ship it, and the rule in its claimedBy.',
  );
});

it('has villains that are claimed by rules that exist', () => {
  const known = rules.map(({ id }) => id);
  const unknown = villains.flatMap(({ claimedBy }) => claimedBy.filter((id) => !known.includes(id)));
  expect(unknown).toEqual([]);
});

it('gives each villain a name of its own', () =>
  expect(new Set(villains.map(({ name }) => name)).size).toBe(villains.length));
