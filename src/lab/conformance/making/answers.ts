import type { EndpointUnderTest, Finding, Trial } from '../rule.ts';
import { describe, isAccepted, tried, type Make, type Statuses, type TrialOptions } from '../trials.ts';
import type { Observation } from '../wire.ts';

/** How an answer is judged. */
export interface Answers {
  readonly passes: Statuses;
  /** Not wrong, and not as it should be. */
  readonly warns?: Statuses;
  /** Also after the reply, on the same connection, nothing may be accepted. */
  readonly alone?: true;
}

/** One request of a rule's own making, between two genuine ones, where several answers are right and some are doubtful. */
export function oneOf(name: string, make: Make, answers: Answers, options: TrialOptions = {}): Trial {
  return tried(
    name,
    async (stage) => judgeAnswer(await stage.send(await make(stage), 'attack', options), answers),
    options,
  );
}

export function judgeAnswer(observation: Observation, { passes, warns = [], alone }: Answers): Finding {
  const expected = passes.map((status) => (status === 0 ? 'no reply' : String(status))).join(' or ');
  const observed = describe(observation);
  if (alone && /HTTP\/1\.[01] 2\d\d/.test(observation.rest.toString('latin1'))) {
    return {
      outcome: 'failed',
      expected: `${expected}, and nothing accepted behind it`,
      observed: `${observed}, and a second request was accepted`,
    };
  }
  if (isOneOf(observation, passes)) return { outcome: 'passed', expected, observed };
  return { outcome: isOneOf(observation, warns) ? 'warned' : 'failed', expected, observed };
}

function isOneOf(observation: Observation, statuses: Statuses): boolean {
  // Time running out is no way of hanging up.
  if (observation.trouble === 'TIMEOUT' && observation.status === 0) return false;
  return statuses.some((status) =>
    status === '2xx' ? isAccepted(observation) : status === observation.status,
  );
}

/** Trials that apply at some endpoints only. */
export function where(
  applies: (at: EndpointUnderTest) => boolean,
  trials: (at: EndpointUnderTest) => readonly Trial[],
): (at: EndpointUnderTest) => readonly Trial[] {
  return (at) => (applies(at) ? trials(at) : []);
}
