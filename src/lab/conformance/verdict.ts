import type { CaseEnded, RunEnded, Verdict } from './result.ts';
import { gradeNames, isAsked, type Grade } from './rule.ts';

/** Why a run ends before its last case, or without a verdict on the receiver. */
export type Stop =
  | { readonly kind: 'unreachable' | 'broken'; readonly says: string }
  | { readonly kind: 'gone' | 'too many failures'; readonly caseId: string }
  | { readonly kind: 'interrupted' };

type Outcome = CaseEnded['outcome'];

/** The verdict on a receiver, from the cases that ended and from why there are no more. */
export function endOf(
  ended: readonly CaseEnded[],
  stop: Stop | undefined,
  asked: Grade = 'correct',
): Omit<RunEnded, 'ms'> {
  const counts = countOutcomes(ended);
  const isUndecided = ended.some(
    ({ outcome, rule }) => outcome === 'inconclusive' && isAsked(rule.grade, asked),
  );
  const verdict = verdictOf(counts, stop, isUndecided);
  const reached = isVerdict(verdict) ? reachedIn(ended, asked) : [];
  const graded = isVerdict(verdict) ? [gradesIn(reached, ended, asked)] : [];
  const words = wordsFor(verdict, counts, stop);
  const says = [...graded, words, ...hindrance(verdict, ended), ...rateLimited(ended)].join(' ');
  return { event: 'ended', verdict, reached, says, counts };
}

function isVerdict(verdict: Verdict): boolean {
  return verdict === 'conformant' || verdict === 'not conformant';
}

/** Up to the first grade that something speaks against; one that nothing was tried of is left out. */
function reachedIn(ended: readonly CaseEnded[], asked: Grade): Grade[] {
  const reached: Grade[] = [];
  for (const grade of gradeNames) {
    const outcomes = outcomesOf(ended, grade);
    if (outcomes.some((outcome) => speaksAgainst(outcome, isAsked(grade, asked)))) break;
    if (outcomes.length > 0) reached.push(grade);
  }
  return reached;
}

function outcomesOf(ended: readonly CaseEnded[], grade: Grade): Outcome[] {
  const tried = ended.filter(({ rule, outcome }) => rule.grade === grade && outcome !== 'skipped');
  return tried.map(({ outcome }) => outcome);
}

/** Beyond the grade that was asked for, what failed has become a warning. */
function speaksAgainst(outcome: Outcome, asked: boolean): boolean {
  return outcome === 'failed' || outcome === 'inconclusive' || (outcome === 'warned' && !asked);
}

/** `Authentic and durable, but not correct.` */
function gradesIn(reached: readonly Grade[], ended: readonly CaseEnded[], asked: Grade): string {
  const wanted = gradeNames.filter((grade) => isAsked(grade, asked));
  const failing = wanted.find((grade) => outcomesOf(ended, grade).includes('failed'));
  const not = failing === undefined ? [] : [`not ${failing}`];
  const unseen = wanted.filter((grade) => outcomesOf(ended, grade).length === 0);
  const open = unseen.length > 0 ? ` Not examined: ${listed(unseen)}.` : '';
  const all = [...(reached.length > 0 ? [listed(reached)] : []), ...not].join(', but ');
  return `${all.charAt(0).toUpperCase()}${all.slice(1)}.${open}`;
}

function listed(names: readonly string[]): string {
  return new Intl.ListFormat('en').format(names);
}

function countOutcomes(ended: readonly CaseEnded[]): Record<Outcome, number> {
  const counts = { passed: 0, warned: 0, failed: 0, inconclusive: 0, skipped: 0, waived: 0 };
  for (const { outcome } of ended) counts[outcome] += 1;
  return counts;
}

function verdictOf(
  counts: Readonly<Record<Outcome, number>>,
  stop: Stop | undefined,
  isUndecided: boolean,
): Verdict {
  switch (stop?.kind) {
    case 'unreachable':
    case 'broken':
    case 'interrupted':
      return stop.kind;
    case 'gone':
    case 'too many failures':
      return 'not conformant';
    case undefined:
      break;
  }
  if (counts.failed > 0) return 'not conformant';
  const nothingShown = counts.passed + counts.warned + counts.waived === 0;
  return isUndecided || nothingShown ? 'inconclusive' : 'conformant';
}

function wordsFor(
  verdict: Verdict,
  counts: Readonly<Record<Outcome, number>>,
  stop: Stop | undefined,
): string {
  switch (stop?.kind) {
    case 'unreachable':
      return unreachable(stop.says);
    case 'broken':
      return stop.says;
    case 'interrupted':
      return 'Interrupted; what was tried before counts for nothing.';
    case 'gone':
      return `The receiver was gone in ${stop.caseId}; nothing behind it was tried.`;
    case 'too many failures':
      return `${failures(counts.failed)}; stopped after ${stop.caseId}.`;
    case undefined:
      break;
  }
  if (verdict === 'not conformant') return `${failures(counts.failed)} of ${triedIn(counts)}.`;
  if (verdict === 'conformant') return `All ${triedIn(counts)} cases passed${aside(counts)}.`;
  if (counts.passed + counts.warned + counts.waived > 0) {
    return `${counts.inconclusive} cases prove nothing, because a genuine request was not accepted before them.`;
  }
  return counts.inconclusive > 0
    ? 'Nothing was accepted, so that no refusal proves anything. Check the secrets, the addresses and the clock.'
    : 'Nothing was tried.';
}

/** As Node names what is wrong with a certificate, and what to do about it. */
const TLS_TROUBLES: readonly (readonly [code: RegExp, hint: string])[] = [
  [
    /SELF_SIGNED_/,
    'Its certificate is self-signed, or that of its authority is not known here: give the PEM file with --ca.',
  ],
  [
    /UNABLE_TO_/,
    'Nobody known here has issued its certificate: give the PEM file of the authority with --ca.',
  ],
  [/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/, 'Its certificate is not valid today.'],
  [/ALTNAME_INVALID/, 'Its certificate is for another name than the one in the address.'],
  [/EPROTO|ERR_SSL_/, 'Does it speak TLS there? Then it may demand a client certificate: --cert and --key.'],
];

function unreachable(says: string): string {
  const [, hint] = TLS_TROUBLES.find(([code]) => code.test(says)) ?? [];
  return hint === undefined
    ? says
    : `${says.replace(/^Nothing answers at/, 'TLS cannot be set up with')} ${hint}`;
}

/** The first of what was not accepted: most often it is the same for all. */
function hindrance(verdict: Verdict, ended: readonly CaseEnded[]): string[] {
  const first = ended.find(({ outcome }) => outcome === 'inconclusive');
  return verdict === 'inconclusive' && first !== undefined ? [`First seen: ${first.observed}.`] : [];
}

/** A sender refused for asking too often has not been refused for its proof. */
function rateLimited(ended: readonly CaseEnded[]): string[] {
  const cases = ended.filter(({ exchanges }) => exchanges.some(({ status }) => status === 429)).length;
  if (cases === 0) return [];
  return [`In ${cases} cases a rate limit answered: raise it for the test, or go slower with --rate.`];
}

function failures(count: number): string {
  return count === 1 ? '1 case failed' : `${count} cases failed`;
}

function triedIn({
  passed,
  warned,
  failed,
  inconclusive,
  waived,
}: Readonly<Record<Outcome, number>>): number {
  return passed + warned + failed + inconclusive + waived;
}

function aside({ warned, waived, inconclusive }: Readonly<Record<Outcome, number>>): string {
  const parts = [
    ...(warned > 0 ? [`${warned} with a warning`] : []),
    ...(waived > 0 ? [`${waived} waived`] : []),
    ...(inconclusive > 0 ? [`${inconclusive} that proved nothing`] : []),
  ];
  return parts.length === 0 ? '' : `, ${parts.join(', ')}`;
}
