import type { Source, Switches } from '../../kit/source.ts';
import type { Stage } from './stage.ts';

/** What a receiver must do, why, and how it is found out: one row of the catalogue, whatever the receiver is written in. */
export interface Rule {
  /** Never changes: `A15-alphabet`. */
  readonly id: string;
  readonly group: Group;
  /** What a right receiver does, without its subject: "refuses a token signed with another secret". */
  readonly title: string;
  readonly severity: Severity;
  /** What it belongs to; a receiver that breaks it has not reached this grade. */
  readonly grade: Grade;
  readonly level: Level;
  /** Takes many connections, much memory or minutes: tried on demand only. */
  readonly exhausting?: true;
  /** Waits for seconds, whatever the receiver does: in no sample. */
  readonly slow?: true;
  /** Would disturb other cases, or be disturbed by them: tried when no other is. */
  readonly alone?: true;
  /** Tried at endpoints whose secret nobody has told, and at no others. */
  readonly sealed?: true;
  /** The same for all endpoints of a source: tried at the first of them only. */
  readonly oncePerSource?: true;
  /** What the receiver's owner must have lent to the run besides. */
  readonly needs?: Loan;
  /** What can happen where it is broken. */
  readonly why: string;
  /** What to change, in any language. */
  readonly fix: string;
  /** Where it is written: an RFC, a sender's manual. */
  readonly source?: string;
  /** Its trials at an endpoint; none where it does not apply. `others` are the further endpoints of the run. */
  trials(at: EndpointUnderTest, others: readonly EndpointUnderTest[]): readonly Trial[];
}

/** As the catalogue of attacks names them. */
export const groups = {
  A: 'Tokens',
  B: 'Signature headers',
  C: 'Keys in the address, access tokens',
  D: 'TLS and client certificates',
  E: 'Bytes and encodings',
  F: 'Content',
  G: 'HTTP framing and resources',
  H: 'Routing',
  I: 'Duplicates and order',
  J: 'What genuine content leads to',
  K: "The receiver's own failures",
  L: 'Ways past the proof',
  U: 'Every reply',
} as const;
export type Group = keyof typeof groups;

/** What a receiver can be said to be, in this order; each rule is about one of them. */
export const grades = {
  authentic: 'only what is genuine has an effect',
  durable: 'nothing that was accepted is lost, and nothing genuine turned away',
  correct: 'senders and users get what they should, once and in order',
  hardened: 'nothing is let through that frameworks usually let through, though it harms nobody here',
} as const;
export type Grade = keyof typeof grades;
export const gradeNames = ['authentic', 'durable', 'correct', 'hardened'] as const satisfies readonly Grade[];

export function isBefore(grade: Grade, other: Grade): boolean {
  return gradeNames.indexOf(grade) < gradeNames.indexOf(other);
}

/** Whether a receiver of the grade that is asked for must have reached this one. */
export function isAsked(grade: Grade, asked: Grade): boolean {
  return !isBefore(asked, grade);
}

export type Severity = 'critical' | 'high' | 'medium' | 'low';

/** The address of a health check; a way to have the receiver end in order, and start again. */
export type Loan = 'health' | 'terminate';

/** 1: by its replies alone. 2: by its effects, which a probe tells. 3: across a restart. */
export type Level = 1 | 2 | 3;

/** One thing that is tried. Its case is named `rule/endpoint/trial`. */
export interface Trial {
  /** A few words, unlike those of the rule's other trials in more than punctuation. */
  readonly name: string;
  /** Where it is about another grade than its rule. */
  readonly grade?: Grade;
  /** Tried also where the usual request is not accepted: it finds out why. */
  readonly opens?: true;
  run(stage: Stage): Promise<Finding>;
}

/** What a trial needs is not there at this endpoint: no switch, no such header, content of another kind. It is left out. */
export class DoesNotApply extends Error {
  override readonly name = 'DoesNotApply';
}

/** The outcome of a trial. */
export interface Finding {
  /** `inconclusive`: what should have been accepted was not, so that a refusal would prove nothing. */
  readonly outcome: 'passed' | 'warned' | 'failed' | 'inconclusive';
  readonly expected: string;
  readonly observed: string;
  /** The case in which it was seen, where that is another one. */
  readonly firstSeenIn?: string;
  /** What that one is about. */
  readonly grade?: Grade;
}

/** An endpoint of the receiver under test, and what its owner told of it. */
export interface EndpointUnderTest {
  /** `hotdocs/InterviewLoadEvent`. */
  readonly name: string;
  readonly source: Source;
  readonly type: string;
  readonly url: URL;
  readonly credential: { readonly kind: string; readonly text: string };
  /** Nobody has told its secret, and its credential is a stranger's: only what must be refused can be tried. */
  readonly sealed?: true;
  /** Choices of the source's switches where the receiver wants others than the usual ones. */
  readonly switches: Switches;
  /** Spellings that its owner says it accepts besides: `switch=choice`; `all` of them. */
  readonly accepts: ReadonlySet<string>;
  /** The largest body that it reads, where it is known. */
  readonly maxBodyBytes: number;
  /** The sender waits this long for a reply. */
  readonly deadlineMs: number;
}
