import type { Exchange } from './exchange.ts';
import { isBefore, type EndpointUnderTest, type Grade } from './rule.ts';

/** What was wrong with one reply, by a rule that holds for every reply. */
export interface Fault {
  readonly caseId: string;
  readonly exchange: Exchange;
  readonly says: string;
  /** What the case was about in which it was seen. */
  readonly grade: Grade;
}

/** What a check may compare a reply with. */
export interface Context {
  readonly endpoint: EndpointUnderTest;
  /** The first refusal of a failed proof at this endpoint that said 401. */
  readonly firstRefusal: Exchange | undefined;
}

/** The case in which a reply came, and what that is about. */
export type SeenIn = Pick<Fault, 'caseId' | 'grade'>;

/** Looks at one reply, and says what is wrong with it. */
export type Check = (exchange: Exchange, context: Context) => string | undefined;

/** Takes up every exchange of a run, and what breaks a rule for every reply. */
export interface Ledger {
  take(exchange: Exchange, endpoint: EndpointUnderTest, seenIn: SeenIn): void;
  faultsOf(rule: string, endpoint: EndpointUnderTest): readonly Fault[];
  /** Whether this endpoint has both accepted and refused something. */
  hasAnswered(endpoint: EndpointUnderTest): boolean;
  /** True the first time it is asked. */
  isFirstLook(endpoint: EndpointUnderTest): boolean;
}

interface Page {
  readonly faults: Map<string, Fault[]>;
  firstRefusal: Exchange | undefined;
  accepted: boolean;
  refused: boolean;
  looked: boolean;
}

/** Enough to show a pattern. */
const MOST_FAULTS = 20;

export function createLedger(checks: ReadonlyMap<string, Check>): Ledger {
  const pages = new Map<string, Page>();
  const pageOf = ({ name }: EndpointUnderTest): Page => {
    const page = pages.get(name) ?? {
      faults: new Map(),
      firstRefusal: undefined,
      accepted: false,
      refused: false,
      looked: false,
    };
    pages.set(name, page);
    return page;
  };
  return {
    take(exchange, endpoint, seenIn) {
      const page = pageOf(endpoint);
      const { status } = exchange.observation;
      if (status >= 200 && status < 300) page.accepted = true;
      if (status >= 400) page.refused = true;
      for (const [rule, check] of checks) {
        const says = check(exchange, { endpoint, firstRefusal: page.firstRefusal });
        if (says !== undefined) note(page, rule, { ...seenIn, exchange, says });
      }
      if (exchange.failedProof && status === 401) page.firstRefusal ??= exchange;
    },
    faultsOf: (rule, endpoint) => pageOf(endpoint).faults.get(rule) ?? [],
    hasAnswered(endpoint) {
      const { accepted, refused } = pageOf(endpoint);
      return accepted && refused;
    },
    isFirstLook(endpoint) {
      const page = pageOf(endpoint);
      const first = !page.looked;
      page.looked = true;
      return first;
    },
  };
}

/** The first of them is that of the lowest grade: what framework do under an odd attack must not hide it. */
function note(page: Page, rule: string, fault: Fault): void {
  const faults = page.faults.get(rule) ?? [];
  const [first] = faults;
  if (first !== undefined && isBefore(fault.grade, first.grade)) {
    page.faults.set(rule, [fault, ...faults].slice(0, MOST_FAULTS));
  } else if (faults.length < MOST_FAULTS) page.faults.set(rule, [...faults, fault]);
}
