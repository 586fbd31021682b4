import { InboxUnavailable } from '../inbox.ts';

/** Runs all operations of one turn of the event loop in one transaction: they share its one fsync. */
export interface GroupCommit {
  /**
   * Queues an operation; resolves with its result after the commit. An operation may refuse with `InboxUnavailable`,
   * but only before its first write. Whatever else goes wrong rolls the whole turn back and rejects all of it.
   */
  run<Result>(operation: () => Result): Promise<Result>;
  /** Commits what is queued, now. */
  flush(): void;
}

export interface GroupCommitOptions {
  /** Runs its work in one transaction: commits what it did, or rolls it back and throws. */
  readonly transact: <Result>(work: () => Result) => Result;
  /** Turns what failed into the error that every operation of the turn rejects with. */
  readonly failure: (thrown: unknown) => InboxUnavailable;
  /** Called after each commit, when its promises are resolved. */
  readonly committed: () => void;
}

interface Queued {
  /** Runs the operation; what it returns settles the promise, once the commit is there. */
  readonly execute: () => () => void;
  readonly reject: (reason: InboxUnavailable) => void;
}

export function createGroupCommit({ transact, failure, committed }: GroupCommitOptions): GroupCommit {
  let queue: Queued[] = [];

  function run<Result>(operation: () => Result): Promise<Result> {
    // Input is read in one phase of the event loop, immediates run right after it: no delivery waits for a timer.
    if (queue.length === 0) setImmediate(flush);
    return new Promise((resolve, reject) => {
      queue.push({
        execute: () => attempted(operation, resolve, reject),
        reject,
      });
    });
  }

  function flush(): void {
    const turn = queue;
    if (turn.length === 0) return;
    queue = [];
    try {
      const settle = transact(() => turn.map(({ execute }) => execute()));
      for (const each of settle) each();
    } catch (thrown) {
      const reason = failure(thrown);
      for (const { reject } of turn) reject(reason);
      return;
    }
    committed();
  }

  return { run, flush };
}

function attempted<Result>(
  operation: () => Result,
  resolve: (result: Result) => void,
  reject: (reason: InboxUnavailable) => void,
): () => void {
  try {
    const result = operation();
    return () => {
      resolve(result);
    };
  } catch (thrown) {
    if (!(thrown instanceof InboxUnavailable)) throw thrown;
    return () => {
      reject(thrown);
    };
  }
}
