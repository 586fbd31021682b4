/** Hands items over in batches: everything that comes while a batch is under way goes into the next one. */
export interface Turns<Item, Outcome> {
  /** Resolves with the outcome of the item. Rejects with what its batch failed with, or with what concerns it alone. */
  take(item: Item): Promise<Outcome>;
  /** Resolves when nothing is under way or queued. */
  drained(): Promise<void>;
}

/** The refusal of one item, which the others of its batch do not share. */
export class Refused {
  readonly reason: Error;

  constructor(reason: Error) {
    this.reason = reason;
  }
}

interface Queued<Item, Outcome> {
  readonly item: Item;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (reason: unknown) => void;
}

/** How many share one statement: more would make the first wait for the last. */
const MOST_ITEMS = 500;
/** One that is larger goes alone: a statement is built in memory, here and in the server. */
const MOST_BYTES = 8_000_000;

/**
 * `run` gets items in the order in which they came, and resolves with an outcome for each. Where one item may be why all of
 * them failed, they are run in halves, down to that one.
 */
export function createTurns<Item, Outcome>(
  run: (items: readonly Item[]) => Promise<readonly (Outcome | Refused)[]>,
  bytesOf: (item: Item) => number,
  isAboutAnItem: (thrown: unknown) => boolean,
): Turns<Item, Outcome> {
  const queue: Queued<Item, Outcome>[] = [];
  let running: Promise<void> | undefined;

  async function runAll(): Promise<void> {
    // Input is read in one phase of the event loop, immediates run right after it: a batch has all that came in one.
    await new Promise((resolve) => setImmediate(resolve));
    while (queue.length > 0) await runBatch(queue.splice(0, batchSize()));
    running = undefined;
  }

  function batchSize(): number {
    let bytes = 0;
    const tooMuch = queue.findIndex(({ item }, index) => {
      bytes += bytesOf(item);
      return index === MOST_ITEMS || (index > 0 && bytes > MOST_BYTES);
    });
    return tooMuch === -1 ? queue.length : tooMuch;
  }

  async function runBatch(batch: readonly Queued<Item, Outcome>[]): Promise<void> {
    try {
      const outcomes = await run(batch.map(({ item }) => item));
      batch.forEach((queued, index) => {
        settle(queued, outcomes[index]);
      });
    } catch (thrown) {
      if (batch.length === 1 || !isAboutAnItem(thrown)) {
        for (const { reject } of batch) reject(thrown);
        return;
      }
      const middle = Math.ceil(batch.length / 2);
      await runBatch(batch.slice(0, middle));
      await runBatch(batch.slice(middle));
    }
  }

  return {
    take: (item) =>
      new Promise((resolve, reject) => {
        queue.push({ item, resolve, reject });
        running ??= runAll();
      }),
    drained: async () => running,
  };
}

function settle<Outcome>(queued: Queued<unknown, Outcome>, outcome: Outcome | Refused | undefined): void {
  if (outcome instanceof Refused) queued.reject(outcome.reason);
  else if (outcome === undefined) queued.reject(new Error('a batch returned too few outcomes'));
  else queued.resolve(outcome);
}
