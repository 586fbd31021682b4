import { matches, planCases, type Case, type PlanOptions } from '../../src/lab/conformance/plan.ts';
import { exitCodes, type CaseEnded, type RunEvent } from '../../src/lab/conformance/result.ts';
import { quoted } from '../../src/lab/conformance/resend.ts';
import type { Rule } from '../../src/lab/conformance/rule.ts';
import { runConformance } from '../../src/lab/conformance/run.ts';
import type { Waiver } from '../../src/lab/conformance/tell.ts';
import { messageOf } from '../../src/kit/errors.ts';
import { UsageError } from '../../src/lab/usage.ts';
import type { EndpointDefinition } from '../../src/kit/source.ts';
import type { CommandLine } from './options.ts';
import { openOutputs } from './outputs.ts';
import type { Place } from './place.ts';
import type { Owner, Prepared } from './prepare.ts';
import { targetsOf, type LeftOut, type Targets } from './targets.ts';

export interface Attempt {
  readonly line: CommandLine;
  readonly prepared: Prepared;
  readonly owner: Owner;
  readonly signal: AbortSignal;
  readonly further: readonly EndpointDefinition[];
  readonly rules: readonly Rule[];
  readonly place: Place;
}

/** Runs the suite and writes the reports. Resolves with the exit code. @throws UsageError before anything is sent */
export async function tryTarget(attempt: Attempt): Promise<number> {
  const { line, prepared, owner, signal, rules, place } = attempt;
  const { endpoints, leftOut } = targetsFor(attempt);
  const { health = owner.url } = owner.hooks;
  const all = [...endpoints, ...leftOut.map(({ sealed }) => sealed)];
  demandOwnership([health, ...all.map(({ url }) => url)], line.values['i-own-this-target']);
  const choice = { ...prepared.run, endpoints: all, rules };
  demandCases(choice, owner, place);
  if (prepared.run.level > 1) await tryProbe(owner);

  const planned = planCases({ ...choice, ...ableFor(owner), only: [], skip: [] });
  const told: CaseEnded[] = [];
  const again = (one: CaseEnded) => line.again(place.command, partOf(one), prepared.run.seed);
  const outputs = openOutputs(prepared.wishes);
  try {
    if (!line.values.kit) outputs.say(warning(planCases({ ...choice, ...ableFor(owner) })));
    for (const words of remarks(leftOut, prepared.lapsedWaivers)) outputs.say(words);
    const ended = await runConformance({
      ...choice,
      ...owner.hooks,
      signal,
      version: place.version,
      onEvent(event) {
        if (event.event === 'case') told.push(event);
        outputs.take(withLeftOut(withOwnCommand(event, again), leftOut));
      },
    });
    for (const words of idleWaivers(choice.waivers, planned, told)) outputs.say(words);
    return exitCodes[ended.verdict];
  } finally {
    outputs.close();
  }
}

const REQUESTS_PER_CASE = 4;
const BYTES_PER_REQUEST = 7_000;
/** Of the cases that are about large bodies. */
const BYTES_PER_LARGE_CASE = 23_000_000;
const LARGE = ['G10-limit', 'G12-large-content'];

/** The receiver of the kit, started for the purpose, has nothing to lose. */
function warning(cases: readonly Case[]): string {
  const tried = cases.filter(({ skipped }) => skipped === undefined);
  const requests = Math.ceil((tried.length * REQUESTS_PER_CASE) / 100) * 100;
  const large = tried.filter(({ rule }) => LARGE.includes(rule.id)).length;
  const bytes = requests * BYTES_PER_REQUEST + large * BYTES_PER_LARGE_CASE;
  return (
    `This sends some ${requests} requests, ${Math.ceil(bytes / 1e6)} MB in all, and runs the real ` +
    'handlers of the receiver for every one that looks genuine. Try a staging receiver that reaches nothing of value; one of ' +
    'advance-receiver-kit is best started with INBOX_URL=memory:, so that it keeps none of them.'
  );
}

function targetsFor({ line: { values }, prepared: { sources }, owner, further, place }: Attempt): Targets {
  const { endpoint } = values;
  const accepts = values.kit ? ['all', ...values.accepts] : values.accepts;
  const { url, env } = owner;
  const maxBody = values['max-body'];
  const targets = targetsOf({
    sources,
    further,
    url,
    endpoint,
    switch: values.switch,
    accepts,
    maxBody,
    env,
  });
  if (targets.endpoints.length > 0) return targets;
  const names = targets.leftOut.map(({ variables }) => `  ${variables.join(' or ')}`);
  const without = place.kit === undefined ? '' : `\nOr see a run without any: ${place.command} --kit`;
  throw new UsageError(
    `No endpoint has a secret, so nothing genuine could be sent. Set one of these to what the receiver has, in .env or in the ` +
      `environment, or in a file for --secrets:\n${names.join('\n')}${without}`,
  );
}

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

function demandOwnership(addresses: readonly URL[], owned: boolean): void {
  const strange = addresses.find(({ hostname }) => !LOOPBACK.test(hostname));
  if (strange === undefined || owned) return;
  throw new UsageError(
    `${strange.host} is another machine. The run sends thousands of hostile requests: add --i-own-this-target if it is ` +
      'yours, or if its owner has asked you to.',
  );
}

function ableFor({ hooks: { probe, restart } }: Owner) {
  return { hasProbe: probe !== undefined, hasRestart: restart !== undefined };
}

/** What is put up with for nothing: it would hide what breaks next. */
function idleWaivers(
  waivers: readonly Waiver[] = [],
  planned: readonly Case[],
  told: readonly CaseEnded[],
): string[] {
  return waivers.flatMap(({ pattern }) => {
    const isMeant = ({ rule, id }: Case | CaseEnded) => matches(pattern, rule.id, id);
    if (!planned.some(isMeant)) return [`This waiver fits no case, and may be misspelled: ${pattern}.`];
    const tried = told.filter(isMeant).filter(({ outcome }) => outcome !== 'skipped');
    const isIdle = tried.length > 0 && tried.every(({ outcome }) => outcome === 'passed');
    return isIdle ? [`Nothing is wrong any more where this waiver fits: take it out: ${pattern}.`] : [];
  });
}

/** A pattern with a mistake in it must not end in a run of nothing. */
function demandCases(
  choice: Omit<PlanOptions, 'hasProbe' | 'hasRestart' | 'loans'>,
  owner: Owner,
  { command }: Place,
): void {
  const able = ableFor(owner);
  for (const pattern of choice.only ?? []) {
    if (planCases({ ...choice, ...able, only: [pattern] }).length > 0) continue;
    throw new UsageError(
      `No case of level ${choice.level} fits ${pattern} at these endpoints. ${command} --list has the rules; a case ` +
        'is rule/endpoint/trial, and * stands for anything.',
    );
  }
}

/** Better said before the run than in the middle of it. */
async function tryProbe({ hooks: { probe } }: Owner): Promise<void> {
  try {
    await probe?.();
  } catch (error) {
    throw new UsageError(`--probe: ${messageOf(error)}`, { cause: error });
  }
}

function remarks(leftOut: readonly LeftOut[], lapsed: readonly string[]): string[] {
  return [
    ...leftOut.map(
      ({ name, variables }) =>
        `Left out, without a secret: ${name} (${variables.join(' or ')}). Only whether it lets nobody in is tried.`,
    ),
    ...lapsed.map((pattern) => `This waiver has lapsed and counts no more: ${pattern}.`),
  ];
}

/** The core knows nothing of endpoints that are not to be tried. */
function withLeftOut(event: RunEvent, leftOut: readonly LeftOut[]): RunEvent {
  if (event.event !== 'started' || leftOut.length === 0) return event;
  return { ...event, leftOut: leftOut.map(({ name }) => name) };
}

/** The core knows neither the options of this command nor which of them matter: the way to do a case again is said here. */
function withOwnCommand(event: RunEvent, again: (one: CaseEnded) => string): RunEvent {
  if (event.event !== 'case') return event;
  const isOwn = (line: string) => line.startsWith('npm run conform ');
  return { ...event, reproduce: event.reproduce.map((line) => (isOwn(line) ? again(event) : line)) };
}

/** What is true of every reply shows only where others are asked for. */
function partOf({ rule, endpoint, id }: CaseEnded): string {
  return rule.group === 'U' ? `--only ${quoted(`*/${endpoint}/*`)}` : `--case ${quoted(id)}`;
}
