import type { Entry } from '../inbox.ts';
import type { Attempted } from './attempt.ts';

export interface RunsOptions {
  readonly concurrency: number;
  /** Whether a claimed entry still belongs to this worker. */
  readonly renew: (entry: Entry) => Promise<boolean>;
  /** Runs the handler once, and calls back when it has ended. Resolves when the outcome is recorded, and never rejects. */
  readonly attempt: (entry: Entry, onHandlerEnded: () => void) => Promise<Attempted>;
  /** In the turn in which its outcome is handed to the inbox: a claim in this turn shares the inbox's commit. */
  readonly onHandlerEnded: () => void;
  readonly onRecorded: (entry: Entry, attempted: Attempted) => void;
}

/**
 * How many times `concurrency` may be held, running or being recorded: a process that ends leaves them all to be run again.
 * Measured: with two, PostgreSQL is waited for.
 */
const MOST_HELD = 4;

/** The entries that a worker holds: some run, and some wait to run alone. */
export class Runs {
  /** Each until its outcome is recorded. */
  readonly running = new Set<Promise<void>>();
  /** They wait to run alone. */
  readonly suspects: Entry[] = [];
  /** The last claim got all it asked for: more may be due already. */
  moreDue = false;
  readonly #options: RunsOptions;
  #handlers = 0;
  #aloneRuns = false;

  constructor(options: RunsOptions) {
    this.#options = options;
  }

  /** How many more may begin now: a slot is free when its handler has ended, though its outcome may not be recorded yet. */
  free(): number {
    if (this.suspects.length > 0 || this.#aloneRuns) return 0;
    const { concurrency } = this.#options;
    return Math.min(concurrency - this.#handlers, MOST_HELD * concurrency - this.running.size);
  }

  take(entry: Entry): void {
    if (mayEndTheProcess(entry)) this.suspects.push(entry);
    else this.#begin(entry);
  }

  /** What ended the process once may do it again: then nothing else is interrupted, and counted, with it. */
  async tryAlone(): Promise<void> {
    if (this.running.size > 0) return;
    const suspect = this.#nextSuspect();
    // Others may have taken it by now: the ones before it had their time.
    if (suspect === undefined || !(await this.#options.renew(suspect))) return;
    this.#aloneRuns = true;
    this.#begin(suspect);
  }

  /**
   * From the one end and from the other in turn: each end of the process counts for all that wait, and those behind the one
   * that ends it must not be given up because of it.
   */
  #nextSuspect(): Entry | undefined {
    const fromBehind = (this.suspects[0]?.attempts ?? 0) % 2 === 1;
    return fromBehind ? this.suspects.pop() : this.suspects.shift();
  }

  #begin(entry: Entry): void {
    const { attempt, onHandlerEnded, onRecorded } = this.#options;
    this.#handlers += 1;
    const handlerEnded = () => {
      this.#handlers -= 1;
      onHandlerEnded();
    };
    const recorded = attempt(entry, handlerEnded).then((attempted) => {
      this.running.delete(recorded);
      this.#aloneRuns = false;
      onRecorded(entry, attempted);
    });
    this.running.add(recorded);
  }
}

/** It ran when a process ended or hung, and nobody knows which of those that ran did that. */
function mayEndTheProcess({ attempts, note }: Entry): boolean {
  return attempts > 1 && note?.startsWith('interrupted') === true;
}
