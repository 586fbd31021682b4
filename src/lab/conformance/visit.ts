import type { Attempt } from './attempt.ts';
import type { Exchange } from './exchange.ts';
import type { Case } from './plan.ts';
import type { Outcome } from './tell.ts';

/** Where every reply is waited for in vain, or every effect, a run would take hours: an endpoint is given up then. */
const MOST_LATE = 10;
const MOST_ALIKE = 3;
const SLOW_MS = 1_000;

/** Once a request was left without a reply: so much longer than any genuine one, and at least so long. */
const TIMES_SLOWEST = 10;
const LEAST_WAIT_MS = 2_000;

/** What a run has learnt of one endpoint: whether it is worth going on there, and how long to wait for a reply. */
export class Visit {
  /** Why nothing can be found out here any more. */
  closed: string | undefined;
  /** Why nothing can be found out by effects any more. */
  unseen: string | undefined;
  #late = 0;
  #hasHung = false;
  #slowestMs = 0;
  readonly #alike = new Map<string, Alike>();

  /** How long a reply is waited for at most: for good where all that has been asked was answered. */
  get longestMs(): number {
    return this.#hasHung ? Math.max(LEAST_WAIT_MS, this.#slowestMs * TIMES_SLOWEST) : Infinity;
  }

  /** What a case comes to without being tried; nothing where it is worth it. */
  settled({ rule, trial }: Case): Outcome | undefined {
    const expected = 'a genuine request is accepted first';
    if (this.closed !== undefined && trial.opens !== true) return inconclusive(expected, this.closed);
    if (rule.level > 1 && this.unseen !== undefined)
      return inconclusive('a genuine delivery has an effect', this.unseen);
    const alike = this.#alike.get(rule.id);
    if (alike === undefined || alike.count < MOST_ALIKE) return undefined;
    const reason = `left out after ${MOST_ALIKE} slow failures alike, the first in ${alike.caseId}`;
    return { outcome: 'skipped', expected: '', observed: '', reason, ms: 0 };
  }

  /** Whatever the case comes to in the end. */
  watch(exchanges: readonly Exchange[]): void {
    const isLate = exchanges.some(isHung);
    this.#late = isLate ? this.#late + 1 : 0;
    this.#hasHung ||= isLate;
    if (this.#late >= MOST_LATE)
      this.closed ??= `after ${MOST_LATE} cases in a row without a whole reply in time`;
    for (const { observation } of exchanges.filter(isGenuine)) {
      if (observation.trouble === undefined) this.#slowestMs = Math.max(this.#slowestMs, observation.ms);
    }
  }

  /** What a case has come to, and is told of it. */
  note({ id, rule }: Case, { outcome: { outcome, observed, ms } }: Attempt): void {
    if (outcome !== 'failed' || ms < SLOW_MS) return;
    const before = this.#alike.get(rule.id);
    if (before?.observed === observed) before.count += 1;
    else this.#alike.set(rule.id, { observed, caseId: id, count: 1 });
  }
}

interface Alike {
  readonly observed: string;
  readonly caseId: string;
  count: number;
}

export function isHung({ observation: { trouble } }: Pick<Exchange, 'observation'>): boolean {
  return trouble === 'TIMEOUT';
}

export function isGenuine({ role }: Exchange): boolean {
  return role.startsWith('positive');
}

function inconclusive(expected: string, observed: string): Outcome {
  return { outcome: 'inconclusive', expected, observed, ms: 0 };
}
