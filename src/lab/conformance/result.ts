import type { Finding, Grade, Group, Level, Severity } from './rule.ts';

/** What a run tells while it goes on, in this order; every report is made from these and nothing else. */
export type RunEvent = RunStarted | CaseEnded | RunEnded;

export interface RunStarted {
  readonly event: 'started';
  /** Of the target, without query. */
  readonly target: string;
  readonly sources: readonly string[];
  readonly level: Level;
  /** The grade that was asked for: what is wrong beyond it is a warning. */
  readonly grade: Grade;
  readonly seed: number;
  /** How many cases will be tried. */
  readonly cases: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly version: string;
  /** Endpoints that were not tried, having no secret. */
  readonly leftOut?: readonly string[];
}

export interface CaseEnded {
  readonly event: 'case';
  /** `rule/endpoint/trial`, never changes. */
  readonly id: string;
  readonly rule: RuleSummary;
  /** `hotdocs/InterviewLoadEvent`. */
  readonly endpoint: string;
  readonly trial: string;
  readonly outcome: Finding['outcome'] | 'skipped' | 'waived';
  readonly expected: string;
  readonly observed: string;
  /** Why it was skipped or waived. */
  readonly reason?: string;
  readonly ms: number;
  /** Every request of the case, in order; secrets and proofs redacted. */
  readonly exchanges: readonly ExchangeSummary[];
  /** Command lines that do it again, without a secret in them. */
  readonly reproduce: readonly string[];
}

export interface RuleSummary {
  readonly id: string;
  readonly group: Group;
  readonly title: string;
  readonly severity: Severity;
  readonly grade: Grade;
  readonly level: Level;
  readonly why: string;
  readonly fix: string;
  readonly source?: string;
}

export interface ExchangeSummary {
  /** What it was for: `positive`, `attack`, `positive again`, or a trial's own word. */
  readonly role: string;
  /** `POST /risr/profile_updated`; query values left out. */
  readonly request: string;
  readonly bytes: number;
  /** SHA-256 of all bytes of the request, in hex. */
  readonly sha256: string;
  /** File that holds the request's bytes, where they are kept. */
  readonly file?: string;
  /** 0 when no reply came. */
  readonly status: number;
  readonly ms: number;
  /** First bytes of the reply's body, printable, redacted. */
  readonly reply: string;
}

export interface RunEnded {
  readonly event: 'ended';
  readonly verdict: Verdict;
  /** What the receiver has shown itself to be, in the order of `grades`; one that no case was about is left out. */
  readonly reached: readonly Grade[];
  /** A sentence for people. */
  readonly says: string;
  readonly counts: Readonly<Record<CaseEnded['outcome'], number>>;
  readonly ms: number;
}

/** And the exit code of the command: see `exitCodes`. */
export type Verdict =
  'conformant' | 'not conformant' | 'unreachable' | 'inconclusive' | 'interrupted' | 'broken';

/** 2 is wrong usage, which comes before any run. */
export const exitCodes: Readonly<Record<Verdict, number>> = {
  conformant: 0,
  'not conformant': 1,
  unreachable: 3,
  inconclusive: 4,
  broken: 5,
  interrupted: 130,
};
