import type { Entry } from '../inbox.ts';
import type { Attempted } from './attempt.ts';

export interface RunsOptions {
  readonly concurrency: number;
  /** Whether a claimed entry still belongs to this worker. */
  readonly renew: (entry: Entry) => Promise<boolean>;
  /** Runs the handler once. Never rejects. */
  readonly attempt: (entry: Entry) => Promise<Attempted>;
  readonly onEnded: (entry: Entry, attempted: Attempted) => void;
}

/** The entries that a worker holds: some run, and some wait to run alone. */
export class Runs {
  readonly running = new Set<Promise<void>>();
  /** They wait to run alone. */
  readonly suspects: Entry[] = [];
  readonly #options: RunsOptions;
  #aloneRuns = false;

  constructor(options: RunsOptions) {
    this.#options = options;
  }

  /** How many more may begin now. */
  free(): number {
    return this.suspects.length > 0 || this.#aloneRuns ? 0 : this.#options.concurrency - this.running.size;
  }

  take(entry: Entry): void {
    if (mayEndTheProcess(entry)) this.suspects.push(entry);
    else this.#begin(entry);
  }

  /** What ended the process once may do it again: then nothing else is interrupted, and counted, with it. */
  async tryAlone(): Promise<void> {
    if (this.running.size > 0) return;
    const suspect = this.suspects.shift();
    // Others may have taken it by now: the ones before it had their time.
    if (suspect === undefined || !(await this.#options.renew(suspect))) return;
    this.#aloneRuns = true;
    this.#begin(suspect);
  }

  #begin(entry: Entry): void {
    const ended = this.#options.attempt(entry).then((attempted) => {
      this.running.delete(ended);
      this.#aloneRuns = false;
      this.#options.onEnded(entry, attempted);
    });
    this.running.add(ended);
  }
}

/** It ran when a process ended or hung, and nobody knows which of those that ran did that. */
function mayEndTheProcess({ attempts, note }: Entry): boolean {
  return attempts > 1 && note?.startsWith('interrupted') === true;
}
