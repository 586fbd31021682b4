import { summarise, type Exchange } from './exchange.ts';
import { keepBytes, type Kept } from './keep.ts';
import { gradeOf, matches, type Case } from './plan.ts';
import { createMask, createRedact, throughBase64 } from './redact.ts';
import { resendLine, signaturesAround } from './resend.ts';
import type { CaseEnded, RuleSummary } from './result.ts';
import { isAsked, isBefore, type EndpointUnderTest, type Finding, type Grade, type Rule } from './rule.ts';
import type { TlsOptions } from './wire.ts';

/** What a case came to, before waivers. */
export type Outcome = Omit<Finding, 'outcome'> & {
  readonly outcome: CaseEnded['outcome'];
  readonly reason?: string;
  readonly ms: number;
};

/** A failure that is known and put up with. */
export interface Waiver {
  /** Of rule or case ids, `*` standing for anything. */
  readonly pattern: string;
  readonly reason: string;
}

interface TellOptions {
  readonly endpoints: readonly EndpointUnderTest[];
  readonly seed: number;
  readonly grade?: Grade;
  readonly waivers?: readonly Waiver[];
  readonly keep?: string;
  readonly tls?: TlsOptions;
}

/** Makes the event that tells of a case, with no secret in it. */
export function createTelling(
  options: TellOptions,
): (one: Case, exchanges: readonly Exchange[], outcome: Outcome) => CaseEnded {
  const secrets = options.endpoints.map(({ credential }) => credential.text);
  const redact = createRedact(secrets);
  const again = againIn(options, secrets);
  return (one, exchanges, outcome) => {
    const { id, rule, endpoint, trial } = one;
    const files = options.keep === undefined ? [] : keepBytes(options.keep, id, exchanges);
    const { grade: seenIn, firstSeenIn, ...found } = outcome;
    const grade = laterOf(gradeOf(one), seenIn);
    const named = { ...found, observed: whereSeen(found, one, exchanges) };
    const told = waived(remarked(named, grade, options.grade), one, options.waivers);
    return {
      event: 'case',
      id,
      rule: { ...summaryOf(rule), grade },
      endpoint: endpoint.name,
      trial: trial.name,
      ...told,
      exchanges: exchanges.map((exchange, index) => {
        const file = files[index]?.request;
        return { ...summarise(exchange, endpoint, redact), ...(file === undefined ? {} : { file }) };
      }),
      reproduce: isFinding(outcome) ? again(one, exchanges, files, firstSeenIn) : [],
    };
  };
}

/** What is as it should be need not be done again. */
function isFinding({ outcome }: Outcome): boolean {
  return outcome !== 'passed' && outcome !== 'skipped';
}

/** Command lines for a case: that sends its attack again, and that tries all of it again. */
function againIn({ seed, tls }: TellOptions, secrets: readonly string[]) {
  const maskSecrets = createMask(secrets, '<secret>');
  return (
    one: Case,
    exchanges: readonly Exchange[],
    files: readonly Kept[],
    firstSeenIn: string | undefined,
  ): string[] => {
    const at = exchanges.findLastIndex(({ role }) => !role.startsWith('positive'));
    const attack = exchanges[at];
    if (attack === undefined) return [againLine(one, seed, firstSeenIn)];
    const maskProofs = createMask(signaturesAround(attack, exchanges, secrets), '<proof>');
    const mask = throughBase64((text) => maskProofs(maskSecrets(text)));
    const line = resendLine(attack, { url: one.endpoint.url, mask, kept: files[at], tls });
    return [line, againLine(one, seed, firstSeenIn)];
  };
}

/** Where nothing is proven because the genuine was not accepted, that is the finding: it says which address did not. */
function whereSeen(
  { outcome, observed }: Outcome,
  { endpoint }: Case,
  exchanges: readonly Exchange[],
): string {
  const last = exchanges.at(-1);
  const isOfGenuine = last === undefined || last.role === 'positive';
  return outcome === 'inconclusive' && isOfGenuine ? `${endpoint.url.pathname}: ${observed}` : observed;
}

/** What was seen in an odd attack only says no more than that attack would. */
function laterOf(own: Grade, seenIn: Grade = own): Grade {
  return isBefore(own, seenIn) ? seenIn : own;
}

/** What is wrong beyond the grade that was asked for is worth a remark, and no more. */
function remarked(outcome: Outcome, grade: Grade, asked: Grade = 'correct'): Outcome {
  const isRemark = outcome.outcome === 'failed' && !isAsked(grade, asked);
  return isRemark ? { ...outcome, outcome: 'warned' } : outcome;
}

function waived(outcome: Outcome, { id, rule }: Case, waivers: readonly Waiver[] = []): Outcome {
  if (outcome.outcome === 'passed' || outcome.outcome === 'skipped') return outcome;
  const waiver = waivers.find(({ pattern }) => matches(pattern, rule.id, id));
  return waiver === undefined ? outcome : { ...outcome, outcome: 'waived', reason: waiver.reason };
}

function againLine({ id, endpoint }: Case, seed: number, firstSeenIn: string | undefined): string {
  const { url, source } = endpoint;
  const cases = firstSeenIn === undefined || firstSeenIn === id ? [id] : [firstSeenIn, id];
  const only = cases.map((one) => ` --only '${one}'`).join('');
  return `npm run conform -- --url ${url.origin} --source ${source.name} --seed ${seed}${only}`;
}

function summaryOf({ id, group, title, severity, grade, level, why, fix, source }: Rule): RuleSummary {
  return { id, group, title, severity, grade, level, why, fix, ...(source === undefined ? {} : { source }) };
}
