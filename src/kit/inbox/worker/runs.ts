import type { Entry } from '../inbox.ts';
import type { Attempted } from './attempt.ts';

/** The entries that a worker holds: some run, and some wait to run alone. */
export interface Runs {
  /** How many more may begin now. */
  free(): number;
  take(entry: Entry): void;
  /** Begins one that waits to run alone, if nothing else runs. */
  tryAlone(): Promise<void>;
  readonly running: ReadonlySet<Promise<void>>;
  /** They wait to run alone. */
  readonly suspects: Entry[];
}

export interface RunsOptions {
  readonly concurrency: number;
  /** Whether a claimed entry still belongs to this worker. */
  readonly renew: (entry: Entry) => Promise<boolean>;
  /** Runs the handler once. Never rejects. */
  readonly attempt: (entry: Entry) => Promise<Attempted>;
  readonly onEnded: (entry: Entry, attempted: Attempted) => void;
}

export function createRuns({ concurrency, renew, attempt, onEnded }: RunsOptions): Runs {
  const running = new Set<Promise<void>>();
  const suspects: Entry[] = [];
  let aloneRuns = false;

  function begin(entry: Entry): void {
    const ended = attempt(entry).then((attempted) => {
      running.delete(ended);
      aloneRuns = false;
      onEnded(entry, attempted);
    });
    running.add(ended);
  }

  return {
    running,
    suspects,
    free: () => (suspects.length > 0 || aloneRuns ? 0 : concurrency - running.size),
    take(entry) {
      if (mayEndTheProcess(entry)) suspects.push(entry);
      else begin(entry);
    },
    /** What ended the process once may do it again: then nothing else is interrupted, and counted, with it. */
    async tryAlone() {
      if (running.size > 0) return;
      const suspect = suspects.shift();
      // Others may have taken it by now: the ones before it had their time.
      if (suspect === undefined || !(await renew(suspect))) return;
      aloneRuns = true;
      begin(suspect);
    },
  };
}

/** It ran when a process ended or hung, and nobody knows which of those that ran did that. */
function mayEndTheProcess({ attempts, note }: Entry): boolean {
  return attempts > 1 && note?.startsWith('interrupted') === true;
}
