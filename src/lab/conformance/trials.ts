import { valuesOf } from './reply.ts';
import { DoesNotApply, type Finding, type Trial } from './rule.ts';
import type { Changes, Genuine, SendOptions, Stage } from './stage.ts';
import { bytesOf, type Observation, type WireRequest } from './wire.ts';

// No refusal proves anything by itself: a receiver that refuses everything would pass. So each trial sends a genuine
// request that must be accepted, then one that differs from a genuine one by the one change it is named after, then that
// genuine one as it was. The last of these serves the next trial as its first.

/** What an attack makes of a genuine request; `undefined` when this one does not lend itself to it and another is needed. */
export type Change = (
  genuine: Genuine,
  stage: Stage,
) => WireRequest | Buffer | undefined | Promise<WireRequest | Buffer | undefined>;

export type Make = (stage: Stage) => WireRequest | Buffer | Promise<WireRequest | Buffer>;

/** A status, or all of a hundred; 0 is a connection closed without a reply. */
export type Statuses = readonly (number | '2xx')[];

export interface TrialOptions extends Pick<SendOptions, 'allows' | 'manner' | 'tls' | 'timeoutMs'> {
  /** How the genuine request differs from the usual one. */
  readonly like?: Changes;
}

export interface RefusalOptions extends TrialOptions {
  /** Statuses that are as good as 401 here: 431 where HTTP itself has a reason to refuse, 0 where it may hang up. */
  readonly also?: readonly number[];
  /** How an acceptance is judged; `failed` unless opinions may differ. */
  readonly accepted?: 'failed' | 'warned' | 'passed';
}

/** The request no longer proves itself, and is refused as such. */
export function refused(name: string, change: Change, options: RefusalOptions = {}): Trial {
  return between(
    name,
    options,
    async (stage, genuine) => {
      const observation = await stage.send(genuine.changed, 'attack', { ...options, failedProof: true });
      return judgeRefusal(observation, options);
    },
    change,
  );
}

/** A request made from nothing proves nothing, and is refused as such. */
export function refusedAnew(name: string, make: Make, options: RefusalOptions = {}): Trial {
  return refused(name, (_genuine, stage) => make(stage), options);
}

/** The changed request gets one of these answers, whatever its proof; another one is `failed`. */
export function answered(
  name: string,
  change: Change,
  statuses: Statuses,
  options: TrialOptions = {},
): Trial {
  return between(
    name,
    options,
    async (stage, genuine) => {
      const observation = await stage.send(genuine.changed, 'attack', options);
      return judgeStatus(observation, statuses);
    },
    change,
  );
}

/** Whatever else a rule wants to try, between two genuine requests that must be accepted. */
export function tried(
  name: string,
  run: (stage: Stage) => Promise<Finding>,
  { like = {} }: Pick<TrialOptions, 'like'> = {},
): Trial {
  return guarded(name, like, async (stage) => [await run(stage), await stage.genuine(like)]);
}

export function passed(expected: string, observed: string): Finding {
  return { outcome: 'passed', expected, observed };
}

export function failed(expected: string, observed: string): Finding {
  return { outcome: 'failed', expected, observed };
}

/** The first that is not `passed`, and of two the worse. */
export function worse(one: Finding, other: Finding): Finding {
  const rank = (finding: Finding) => ['passed', 'warned', 'inconclusive', 'failed'].indexOf(finding.outcome);
  if (rank(other) <= rank(one)) return one;
  return one.outcome === 'passed' ? other : { ...other, observed: `${one.observed}; then ${other.observed}` };
}

/** Nothing else may come from a header into what is told. */
const METHODS = /^[A-Z]{3,9}(?:, ?[A-Z]{3,9}){0,9}$/;

/** A status and what it means, for `observed`. */
export function describe(observation: Observation): string {
  const { status, trouble, method } = observation;
  const [allow = ''] = valuesOf(observation, 'allow');
  if (status === 405 && METHODS.test(allow)) return `status 405 to a ${method ?? 'POST'} (Allow: ${allow})`;
  if (status > 0) return `status ${status}`;
  return trouble === 'TIMEOUT'
    ? 'no reply in time'
    : `no reply, connection closed${trouble ? ` (${trouble})` : ''}`;
}

export function isAccepted({ status }: Observation): boolean {
  return status >= 200 && status < 300;
}

interface Pair {
  readonly genuine: Genuine;
  readonly changed: WireRequest | Buffer;
}

function between(
  name: string,
  { like = {} }: TrialOptions,
  attack: (stage: Stage, pair: Pair) => Promise<Finding>,
  change: Change,
): Trial {
  return guarded(name, like, async (stage) => {
    const pair = await changedPair(stage, like, change);
    return [await attack(stage, pair), pair.genuine];
  });
}

/** `attempt` resolves with what it found, and the genuine request that must be accepted after it. */
function guarded(
  name: string,
  like: Changes,
  attempt: (stage: Stage) => Promise<readonly [Finding, Genuine]>,
): Trial {
  return {
    name,
    async run(stage) {
      const control = await acceptedBefore(stage, like);
      if (control !== undefined) return control;
      const [finding, genuine] = await attempt(stage);
      return worse(finding, await acceptedAgain(stage, genuine, like));
    },
  };
}

const MOST_TRIES = 500;

async function changedPair(stage: Stage, like: Changes, change: Change): Promise<Pair> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const genuine = await stage.genuine(like);
    const changed = await change(genuine, stage);
    if (changed === undefined) continue;
    checkDiffers(stage, genuine, changed);
    return { genuine, changed };
  }
  throw new DoesNotApply('no genuine request of this sender can be changed so');
}

function checkDiffers({ endpoint }: Stage, genuine: WireRequest, changed: WireRequest | Buffer): void {
  const bytes = Buffer.isBuffer(changed) ? changed : bytesOf(changed, endpoint.url);
  if (bytes.equals(bytesOf(genuine, endpoint.url))) {
    throw new DoesNotApply('a genuine request of this sender is already so');
  }
}

/** `undefined` when a genuine request of this kind is accepted. */
async function acceptedBefore(stage: Stage, like: Changes): Promise<Finding | undefined> {
  const kind = kindOf(like);
  if (stage.control.accepted === kind) return undefined;
  const observation = await stage.send(await stage.genuine(like), 'positive');
  if (isAccepted(observation)) {
    stage.control.accepted = kind;
    return undefined;
  }
  return {
    outcome: 'inconclusive',
    expected: 'a genuine request is accepted first',
    observed: describe(observation),
  };
}

async function acceptedAgain(stage: Stage, genuine: WireRequest, like: Changes): Promise<Finding> {
  const expected = 'a genuine request is accepted afterwards';
  const observation = await stage.send(genuine, 'positive again');
  if (!isAccepted(observation)) return failed(expected, `a genuine request: ${describe(observation)}`);
  stage.control.accepted = kindOf(like);
  return passed(expected, describe(observation));
}

function kindOf({ of: endpoint, ...like }: Changes): string {
  return JSON.stringify({ ...like, of: endpoint?.name });
}

function judgeRefusal(
  observation: Observation,
  { also = [], accepted: onAccepted = 'failed' }: RefusalOptions,
): Finding {
  const { status } = observation;
  const expected = ['401', ...also.map(statusWord)].join(' or ');
  const observed = describe(observation);
  if (isAccepted(observation))
    return { outcome: onAccepted, expected, observed: `${observed}: it was accepted` };
  if (status === 401 || status === 429 || also.includes(status)) return passed(expected, observed);
  const isWarning = status >= 400 && status < 500 && status !== 404;
  return { outcome: isWarning ? 'warned' : 'failed', expected, observed };
}

function judgeStatus(observation: Observation, statuses: Statuses): Finding {
  const expected = statuses.map(statusWord).join(' or ');
  const fits = statuses.some((status) => fitsInto(observation, status));
  return { outcome: fits ? 'passed' : 'failed', expected, observed: describe(observation) };
}

/** A sender that may be refused for its proof may be refused for asking too often. */
function fitsInto(observation: Observation, status: Statuses[number]): boolean {
  if (status === '2xx') return isAccepted(observation);
  return status === observation.status || (status === 401 && observation.status === 429);
}

function statusWord(status: number | '2xx'): string {
  return status === 0 ? 'no reply' : String(status);
}
