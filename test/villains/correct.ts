import type { CaseEnded } from '../../src/lab/conformance/result.ts';
import { requireOpenssl, type Certificates } from '../support/certificates.ts';
import { startSecure } from './broken/transport.ts';
import { startExpress } from './express.ts';
import { requireAiohttp, requireGo, requireJava, startAiohttp, startGo, startJava } from './foreign.ts';
import { startKit } from './kit.ts';
import type { Extent } from './matrix.ts';
import { startNaturalExpress, startNaturalFastify } from './natural.ts';
import { requirePython, startPython } from './python.ts';
import { createReceiver } from './receiver.ts';
import { right } from './right.ts';
import { tryReceiver, type TryOptions } from './try.ts';

// Whoever is right must not be accused.

const hasOpenssl = requireOpenssl('receivers that speak TLS');
const hasPython = requirePython('a receiver in Python');

const ONE_EACH = ['hotdocs/InterviewLoadEvent', 'phenixid/OrderCreated', 'risr/booking_updated'];

/** Legacy access tokens, and PhenixID with several installations: only what differs there. */
const legacy = {
  kind: 'TOKEN',
  key: 'north',
  endpoints: ONE_EACH.slice(0, 2),
  only: ['B1-*', 'C*', 'F*', 'L*', 'U*'],
} as const;

/** What differs where there are two installations, and secrets that nobody has set. */
const strangers = {
  key: 'north',
  secondKey: 'south',
  unset: ['hotdocs/InterviewLoadEvent'],
  only: ['A23-*', 'B*', 'C*', 'L8-*', 'L11-*'],
} as const;

/** They go by the clock, and much else is tried at the same time; see `burdensOf`. */
const BURDENS = ['G4-*', 'G11-*', 'G12-*'];

/** By what it is; each correct. */
const usual: Readonly<Record<string, (certificates: Certificates | undefined) => Trial>> = {
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
  // The other groups are tried in jest.test.ts, at every event.
  'of this kit': () => ({
    start: startKit,
    accepts: ['all'],
    whole: ['D*', 'E*', 'F*', 'G*', 'H*', 'I*', 'J*', 'K*', 'L*', 'U*'],
  }),
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

type Trial = Pick<TryOptions, 'start'> & Partial<TryOptions> & Sampled;

interface Sampled {
  /** Patterns of rules of which every case is tried in a sample, too. */
  readonly whole?: readonly string[];
}

export const correctNames = Object.keys({ ...usual, ...elsewhere });

/** What honest receivers are told that they did wrong, by their name: with every case, or with a sample where that will do. */
export async function accusations(
  certificates: Certificates | undefined,
  { isWhole }: Extent,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (const table of [usual, elsewhere]) {
    const tried = Object.entries(table).map(async ([name, trialWith], at) => {
      const trial = trialWith(certificates);
      found.set(name, await accusationsOf(isWhole ? trial : sampleOf(trial, at)));
    });
    await Promise.all(tried);
  }
  return found;
}

/** Some cases, at one source, another for each receiver, unless it says which. */
function sampleOf({ whole, ...trial }: Trial, at: number): Trial {
  if (whole !== undefined) return { ...trial, only: whole };
  const endpoints = ONE_EACH.slice(at % ONE_EACH.length).slice(0, 1);
  return { ...(trial.only === undefined && { endpoints }), ...trial, quick: true };
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

/** Receivers that bear every burden, by what they are. */
export const bearing: Readonly<Record<string, TryOptions['start']>> = {
  'on node:http': createReceiver(right),
  'on Express': startExpress,
  ...(hasPython && { 'in Python': startPython }),
};

const ALL_BURDENS = ['G9-forwarded-for', 'G11-*', 'G12-*', 'G13-*', 'G14-*', 'G15-*'];
const SOME_BURDENS = ['G9-forwarded-for', 'G11-*/blanks', 'G12-*/fields-of-a-form', 'G13-*'];

/** What one of these does not bear, tried while nothing else is. */
export async function burdensOf(start: TryOptions['start'], { isWhole }: Extent): Promise<string[]> {
  const only = isWhole ? ALL_BURDENS : SOME_BURDENS;
  const { cases } = await tryReceiver({
    start,
    sources: ['hotdocs'],
    endpoints: ['hotdocs/NewWorkItemVersionComplete'],
    level: 1,
    only,
    patienceMs: 20_000,
    exhausting: true,
  });
  if (cases.length < only.length) return ['not all was tried'];
  const wrong = cases.filter(({ outcome }) => outcome !== 'passed');
  return wrong.map(({ id, observed }) => `${id}: ${observed}`);
}
