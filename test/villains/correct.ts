import type { CaseEnded } from '../../src/lab/conformance/result.ts';
import { requireOpenssl, type Certificates } from '../support/certificates.ts';
import { startSecure } from './broken/transport.ts';
import { startExpress } from './express.ts';
import { requireAiohttp, requireGo, requireJava, startAiohttp, startGo, startJava } from './foreign.ts';
import { startKit } from './kit.ts';
import { startNaturalExpress, startNaturalFastify } from './natural.ts';
import { requirePython, startPython } from './python.ts';
import { createReceiver } from './receiver.ts';
import { right } from './right.ts';
import { tryReceiver, type TryOptions } from './try.ts';

// Whoever is right must not be accused.

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

/** By what it is; each correct. `isWhole`: every case is tried in `npm test`, too, and not a sample. */
const usual: Readonly<Record<string, (certificates: Certificates | undefined) => Trial>> = {
  'on node:http': () => ({
    isWhole: true,
    start: createReceiver(right),
    endpoints: [...ONE_EACH, 'hotdocs/NewWorkItemVersionComplete'],
  }),
  'on node:http, with two installations and endpoints that have no secret': () => ({
    start: createReceiver(right),
    ...strangers,
  }),
  'on node:http, with access tokens': () => ({ start: createReceiver(right), ...legacy }),
  // As frameworks are: what they let through is no accusation, unless somebody asks for more.
  'on Express as it comes': () => ({
    isWhole: true,
    start: startNaturalExpress,
    grade: 'correct',
    skip: BURDENS,
  }),
  'on Fastify as it comes': () => ({ start: startNaturalFastify, grade: 'correct', skip: BURDENS }),
  'on Express': () => ({ start: startExpress, key: 'north' }),
  'on Express, with access tokens': () => ({ start: startExpress, ...legacy }),
  'of this kit': () => ({ isWhole: true, start: startKit, accepts: ['all'] }),
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
const elsewhere: typeof usual = {
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

type Trial = Pick<TryOptions, 'start'> & Partial<TryOptions> & { readonly isWhole?: true };

const ONE_EACH = ['hotdocs/InterviewLoadEvent', 'phenixid/OrderCreated', 'risr/booking_updated'];

export const correctNames = Object.keys({ ...usual, ...elsewhere });

/** What honest receivers are told that they did wrong, by their name: with every case, or with a sample where that will do. */
export async function accusations(
  certificates: Certificates | undefined,
  { isWhole }: { readonly isWhole: boolean },
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (const table of [usual, elsewhere]) {
    const tried = Object.entries(table).map(async ([name, trialWith]) => {
      const trial = trialWith(certificates);
      found.set(name, await accusationsOf({ ...trial, quick: !isWhole && trial.isWhole !== true }));
    });
    await Promise.all(tried);
  }
  return found;
}

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
