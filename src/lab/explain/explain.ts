import { isDeepStrictEqual } from 'node:util';
import { variablePrefix, type EndpointConfig } from '../../kit/endpoint/definition.ts';
import type { TapedOutcome } from '../../kit/tape/tape.ts';
import {
  secretsIn,
  variableOf,
  viewOf,
  type Case,
  type Change,
  type Family,
  type Further,
  type Hypothesis,
} from './case.ts';
import type { RawRequest } from '../raw-request.ts';
import { hypothesesFor } from './hypotheses/index.ts';
import { Judge, type Judgement } from './judge.ts';

/** What is to be explained: of a tape, also what became of it. */
export interface Explained extends RawRequest {
  readonly outcome?: TapedOutcome | undefined;
  readonly why?: string | undefined;
}

export interface Context {
  readonly endpoints: readonly EndpointConfig[];
  readonly further?: readonly Further[];
  /** For a request that does not say when it came (ms since 1970). */
  readonly now: number;
}

/** What would have to be otherwise, in words; of two changes both. */
export interface Explanation {
  readonly ids: readonly string[];
  /** Ids of what cannot be told apart from it here. */
  readonly twins: readonly string[];
  /** What those mean. */
  readonly orElse: readonly string[];
  readonly means: readonly string[];
  readonly remedies: readonly string[];
  /** It is proven so, but what is proven cannot be read. */
  readonly unreadable?: string;
}

export interface Report {
  /** `verifies`: as it came, by what is set now. */
  readonly verdict: 'verifies' | 'one' | 'several' | 'none';
  readonly judged: Judgement;
  readonly fits: readonly Explanation[];
  /** What is seen of it, and is nothing that would verify. */
  readonly named: readonly Explanation[];
  /** Where nothing fits: what it is not, and what it can still be. */
  readonly excluded: readonly string[];
  /** How many changes were tried alone, and in pairs. */
  readonly tried: number;
  readonly pairs: number;
  /** Whether everything was tried that there is to try. */
  readonly complete: boolean;
  readonly elapsedMs: number;
}

/** One change, and what came of it. */
interface Try {
  readonly hypothesis: Hypothesis;
  readonly change: Change;
  readonly of: Case;
  readonly judgement: Judgement;
}

type Code = Extract<Judgement, { accepted: false }>['code'];

/** How far a delivery has come that is refused so: a change that takes it further is likely one of two. */
const STAGES: readonly (readonly Code[])[] = [
  ['path_unknown'],
  ['endpoint_closed'],
  ['method_not_allowed', 'request_malformed'],
  ['body_encoded', 'body_too_large'],
  ['installation_unknown'],
  ['proof_missing'],
  ['proof_ambiguous', 'proof_malformed', 'proof_header_refused'],
  ['proof_mismatch'],
  ['proof_stale', 'proof_foreign'],
  ['content_unreadable'],
];

/** What else can be wrong with a delivery that is refused so. */
const MENDING: Partial<Record<Code, readonly Family[]>> = {
  path_unknown: ['endpoint'],
  endpoint_closed: ['endpoint', 'secret'],
  method_not_allowed: ['endpoint', 'setting', 'token'],
  body_encoded: ['body'],
  installation_unknown: ['endpoint'],
  proof_missing: ['body', 'token', 'signature', 'endpoint', 'secret'],
  proof_ambiguous: ['body', 'token', 'signature', 'endpoint'],
  proof_malformed: ['body', 'token', 'signature', 'endpoint'],
  proof_header_refused: ['token', 'body'],
  proof_mismatch: ['secret', 'body', 'setting', 'endpoint', 'signature', 'token'],
  proof_stale: ['time', 'setting'],
  proof_foreign: ['setting', 'time'],
  content_unreadable: ['endpoint', 'body'],
};

/** Pairs of mistakes, the likelier first. What was changed last on the way is undone first: the outer before the inner. */
const FAMILY_PAIRS: readonly (readonly [outer: Family, inner: Family])[] = [
  ['body', 'secret'],
  ['token', 'secret'],
  ['signature', 'secret'],
  ['endpoint', 'secret'],
  ['secret', 'setting'],
  ['body', 'token'],
  ['token', 'token'],
  ['body', 'signature'],
  ['body', 'setting'],
  ['endpoint', 'endpoint'],
  ['endpoint', 'body'],
  ['endpoint', 'token'],
  ['setting', 'time'],
  ['setting', 'setting'],
  ['secret', 'secret'],
  ['signature', 'signature'],
  ['signature', 'setting'],
  ['body', 'body'],
];

/** Finds what would make a delivery verify, by trying: first one change, then two. Never rejects for what came. */
export async function explain(
  came: Explained,
  context: Context,
  { ms }: { readonly ms: number },
): Promise<Report> {
  const started = performance.now();
  const { at = context.now, outcome, why } = came;
  const known = { endpoints: context.endpoints, further: context.further ?? [], outcome, why };
  const search = new Search({ request: came, at, known }, started + ms);
  return { ...(await search.run()), elapsedMs: Math.round(performance.now() - started) };
}

const NOTHING = { fits: [], named: [], excluded: [], tried: 0, pairs: 0, complete: true } as const;

class Search {
  readonly #judge = new Judge();
  readonly #base: Case;
  readonly #until: number;
  readonly #hypotheses: readonly Hypothesis[];
  #tried = 0;
  #pairs = 0;

  constructor(base: Case, until: number) {
    this.#base = base;
    this.#until = until;
    this.#hypotheses = hypothesesFor([...new Set(base.known.endpoints.map(({ source }) => source))]);
  }

  async run(): Promise<Omit<Report, 'elapsedMs'>> {
    const judged = await this.#judge.judge(this.#base);
    if (judged.accepted || judged.code === 'content_unreadable')
      return { ...NOTHING, verdict: 'verifies', judged };
    const [fits, complete] = await this.#search(judged);
    const verdict = (['none', 'one'] as const)[fits.length] ?? 'several';
    const excluded = verdict === 'none' ? exclusions(judged, this.#base) : [];
    const counts = { tried: this.#tried, pairs: this.#pairs, complete };
    return { verdict, judged, fits, named: this.#named(), excluded, ...counts };
  }

  async #search({ code }: { readonly code: Code }): Promise<[fits: Explanation[], complete: boolean]> {
    const singles: Try[] = [];
    for (const hypothesis of this.#hypotheses) singles.push(...(await this.#tries(hypothesis, this.#base)));
    this.#tried = singles.length;
    const alone = singles.filter(({ judgement }) => judgement.accepted);
    if (alone.length > 0)
      return [
        explanations(
          alone.map((one) => [one]),
          this.#base,
        ),
        !this.#isOver(),
      ];
    for (const [first, families] of inLikelyOrder(singles, code)) {
      const found = await this.#seconds(first, families);
      if (found.length > 0) return [explanations(found, this.#base), !this.#isOver()];
      if (this.#isOver()) break;
    }
    const unreadable = singles.filter(({ judgement }) => isProven(judgement)).map((one) => [one]);
    return [explanations(unreadable, this.#base), !this.#isOver()];
  }

  async #seconds(first: Try, families: readonly Family[]): Promise<Try[][]> {
    const found: Try[][] = [];
    for (const hypothesis of this.#hypotheses) {
      if (!families.includes(hypothesis.family) || isOdd(first.hypothesis, hypothesis) || this.#isOver())
        continue;
      const seconds = await this.#tries(hypothesis, first.of);
      this.#pairs += seconds.length;
      found.push(...seconds.filter(({ judgement }) => judgement.accepted).map((second) => [first, second]));
    }
    return found;
  }

  async #tries(hypothesis: Hypothesis, of: Case): Promise<Try[]> {
    if (hypothesis.variants === undefined || !isAbout(hypothesis, of)) return [];
    const tries: Try[] = [];
    for (const change of hypothesis.variants(of)) {
      if (this.#isOver()) break;
      if (change.request !== undefined && isDeepStrictEqual(change.request, of.request)) continue;
      const next: Case = { ...of, ...change };
      tries.push({ hypothesis, change, of: next, judgement: await this.#judge.judge(next) });
    }
    return tries;
  }

  #named(): Explanation[] {
    return this.#hypotheses.flatMap((hypothesis) => {
      if (hypothesis.sees === undefined || !isAbout(hypothesis, this.#base)) return [];
      const [detail] = hypothesis.sees(this.#base);
      if (detail === undefined) return [];
      const fill = (text: string) => filled(text, { of: this.#base, base: this.#base, detail });
      return [
        {
          ids: [hypothesis.id],
          twins: [],
          orElse: [],
          means: [fill(hypothesis.means)],
          remedies: [fill(hypothesis.remedy)],
        },
      ];
    });
  }

  #isOver(): boolean {
    return performance.now() > this.#until;
  }
}

/** Sent to another endpoint and signed with another secret: that is another delivery. */
function isOdd(first: Hypothesis, second: Hypothesis): boolean {
  return first.id === 'endpoint-other' && second.id.startsWith('secret-of-');
}

/** What is certain of a delivery that nothing fits, by how far it came. */
function exclusions({ code }: { readonly code: Code }, { known }: Case): string[] {
  const count = new Set(secretsIn(known).map(({ text }) => text)).size;
  if (code === 'path_unknown')
    return ['Its path is none that is known here, nor nearly one at which it would verify.'];
  if (code === 'endpoint_closed')
    return [
      'Its endpoint has no secret here, so nothing can be said of its proof. Set the secret, then ask again.',
    ];
  if (stageOf(code) < stageOf('proof_mismatch'))
    return ['It shows no proof that could be put in order with the changes that were tried.'];
  return [
    'Its path, its method and the form of its proof are in order.',
    `No secret that is known here has made it: ${count === 1 ? 'one was' : `${count} were`} tried, in every spelling. Another one was used (was it made anew at the ` +
      'sender?), or what it proves was changed on its way as nobody has thought of.',
    'A forgery looks exactly like this.',
  ];
}

/** Proven, whether what is proven can be read or not. */
function isProven(judgement: Judgement): boolean {
  return judgement.accepted || judgement.code === 'content_unreadable';
}

/** Of a path that is nobody's, only the path can be wrong. */
function isAbout({ applies, family }: Hypothesis, of: Case): boolean {
  const { proofKind } = viewOf(of);
  return proofKind === undefined ? family === 'endpoint' : applies.includes(proofKind);
}

function stageOf(code: Code): number {
  const stage = STAGES.findIndex((codes) => codes.includes(code));
  return stage === -1 ? 0 : stage;
}

/** What to begin pairs with, each with the families of what to try besides. */
function* inLikelyOrder(
  singles: readonly Try[],
  base: Code,
): Generator<[first: Try, families: readonly Family[]]> {
  const begun = stageOf(base);
  const firsts = singles.flatMap((one) => {
    const code = one.judgement.accepted ? undefined : one.judgement.code;
    return code === undefined ? [] : [{ one, stage: stageOf(code), mending: MENDING[code] ?? [] }];
  });
  const further = firsts.filter(({ stage }) => stage > begun).sort((one, other) => other.stage - one.stage);
  for (const { one, mending } of further) yield [one, mending];
  for (const [outer, inner] of FAMILY_PAIRS) {
    for (const { one, stage, mending } of firsts)
      if (stage === begun && one.hypothesis.family === outer && mending.includes(inner)) yield [one, [inner]];
  }
}

/** What the same changes can mean as well is one explanation, told by the first of them. */
function explanations(found: readonly (readonly Try[])[], base: Case): Explanation[] {
  const groups: (readonly Try[])[][] = [];
  for (const one of found) {
    const group = groups.find((others) => others.some((other) => areTwins(one, other)));
    if (group === undefined) groups.push([one]);
    else group.push(one);
  }
  return groups.map((group) => explanation(group, base));
}

function explanation(group: readonly (readonly Try[])[], base: Case): Explanation {
  const [first = []] = group;
  const ids = first.map(({ hypothesis }) => hypothesis.id);
  const others = new Map(group.flat().map((one) => [one.hypothesis.id, one]));
  for (const id of ids) others.delete(id);
  const words = (tries: Iterable<Try>, word: (one: Try) => string) =>
    Array.from(tries, (one) => filled(word(one), { of: one.of, base, detail: one.change.detail ?? '' }));
  const means = ({ hypothesis }: Try) => hypothesis.means;
  const last = first.at(-1)?.judgement;
  return {
    ids,
    twins: [...others.keys()],
    orElse: words(others.values(), means),
    means: words(first, means),
    remedies: words(first, ({ hypothesis, change }) => change.remedy ?? hypothesis.remedy),
    ...(last?.accepted === false && { unreadable: last.why }),
  };
}

function areTwins(ones: readonly Try[], others: readonly Try[]): boolean {
  const same = (one: Try | undefined, other: Try | undefined) =>
    one !== undefined && other !== undefined && isTwin(one.hypothesis, other.hypothesis);
  const [first, second] = ones;
  if (second === undefined) return same(first, others[0]);
  return (
    (same(first, others[0]) && same(second, others[1])) || (same(first, others[1]) && same(second, others[0]))
  );
}

function isTwin(one: Hypothesis, other: Hypothesis): boolean {
  const names = ({ id, twins = [] }: Hypothesis, { id: named }: Hypothesis) =>
    id === named || twins.some((twin) => twin === named || named.startsWith(`${twin}=`));
  return names(one, other) || names(other, one);
}

interface Words {
  readonly of: Case;
  readonly base: Case;
  readonly detail: string;
}

function filled(text: string, { of, base, detail }: Words): string {
  const { config } = viewOf(of);
  const words: Readonly<Record<string, string>> = {
    secret: variableOf(of),
    endpoint: config?.definition.path ?? 'this endpoint',
    prefix: config === undefined ? '' : variablePrefix(config.definition),
    path: viewOf(base).path,
    docs: config?.source.docs.href ?? 'the documentation of the sender',
    detail,
  };
  return text.replace(/\{(\w+)\}/g, (_, name: string) => words[name] ?? '');
}
