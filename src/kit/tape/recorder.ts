import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import type { InboxKey } from '../inbox/sealed/keys.ts';
import type { Log } from '../log.ts';
import { toBytes } from './bytes.ts';
import { groupName, groupOf, surplus, type Group, type Taped, type TapeStore } from './tape.ts';

/** Writes deliveries down, off the path of their replies. Nothing here throws, and nobody waits for it. */
export interface TapeRecorder extends AsyncDisposable {
  /** Whether it keeps genuine deliveries, too. */
  readonly all: boolean;
  /** Since it began: `missed` are those that were too many, or that could not be written. */
  readonly counts: { readonly written: number; readonly missed: number };
  /** Whether one more of this group would be kept: if not, it is counted, and need not be made ready. */
  wants(group: Group): boolean;
  record(taped: Taped): void;
}

export interface RecorderOptions {
  readonly all: boolean;
  /** What was answered longer ago is forgotten. */
  readonly keepMs: number;
  /** Encrypts what is written from now on. */
  readonly key: () => InboxKey | undefined;
  readonly log: Log;
}

/** What is written at a time, of a group and in all: a flood costs the disk no more, nor memory. */
const MOST_OF_GROUP = 20;
const MOST_BYTES = 16 * 1_048_576;
const PAUSE_MS = 1_000;
const SWEEP_MS = 3_600_000;
/** A disk or a database that stands still must not hold up the end of the process. */
const PATIENCE_MS = 2_000;

/** Starts with forgetting what is too old, and does so every hour. */
export class StoredTapeRecorder implements TapeRecorder {
  readonly all: boolean;
  readonly counts = { written: 0, missed: 0 };
  readonly #store: TapeStore;
  readonly #options: RecorderOptions;
  readonly #sweep = setInterval(() => {
    this.#writeSoon();
  }, SWEEP_MS).unref();
  #pending: Taped[] = [];
  #bytes = 0;
  readonly #counts = new Map<string, number>();
  #missed = 0;
  #writing: Promise<void> | undefined;
  #trouble: string | undefined;

  constructor(store: TapeStore, options: RecorderOptions) {
    this.#store = store;
    this.#options = options;
    this.all = options.all;
    this.#writeSoon();
  }

  wants(group: Group): boolean {
    const fits = (this.#counts.get(groupName(group)) ?? 0) < MOST_OF_GROUP && this.#bytes < MOST_BYTES;
    if (!fits) {
      this.#missed += 1;
      this.counts.missed += 1;
    }
    return fits;
  }

  record(taped: Taped): void {
    const name = groupName(taped);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    this.#pending.push(taped);
    this.#bytes += sizeOf(taped);
    this.#writeSoon();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#sweep);
    const closed = (async () => {
      await this.#writing;
      await this.#write();
      await this.#store.close();
    })();
    await Promise.race([closed, sleep(PATIENCE_MS, undefined, { ref: false })]);
  }

  /** What comes first is written at once; what comes then, a second later. */
  #writeSoon(): void {
    const pauseMs = this.#pending.length > 0 ? PAUSE_MS : 0;
    this.#writing ??= this.#write().then(() => {
      setTimeout(() => {
        this.#writing = undefined;
        this.#sayMissed();
        if (this.#pending.length > 0) this.#writeSoon();
      }, pauseMs).unref();
    });
  }

  async #write(): Promise<void> {
    const batch = this.#pending;
    [this.#pending, this.#bytes] = [[], 0];
    this.#counts.clear();
    // Also where nothing can be written: what is forgotten may be the room that is missing.
    const causes = [await causeOf(() => this.#keep(batch)), await causeOf(() => this.#forget())];
    const cause = causes.find((one) => one !== undefined);
    if (cause === undefined) this.#trouble = undefined;
    else this.#sayTrouble(cause);
  }

  async #keep(batch: readonly Taped[]): Promise<void> {
    const key = this.#options.key();
    let left = batch.length;
    try {
      for (const taped of batch) {
        await this.#store.write(groupOf(taped), taped.at, toBytes(taped, key));
        left -= 1;
        this.counts.written += 1;
      }
    } finally {
      this.counts.missed += left;
    }
  }

  async #forget(): Promise<void> {
    const numbers = surplus(await this.#store.list(), Date.now() - this.#options.keepMs);
    if (numbers.length > 0) await this.#store.remove(numbers);
  }

  /** Once for each cause: every further delivery would have the same. */
  #sayTrouble(cause: string): void {
    if (cause === this.#trouble) return;
    this.#trouble = cause;
    const why = `The tape cannot be written, and deliveries go on without it: ${cause}`;
    this.#options.log.error({ outcome: 'trouble', why });
  }

  #sayMissed(): void {
    if (this.#missed === 0) return;
    const why = 'More deliveries than the tape keeps of an endpoint and outcome in a second.';
    this.#options.log.info({ outcome: 'ignored', count: this.#missed, why });
    this.#missed = 0;
  }
}

/** What it takes of memory until it is written. */
function sizeOf({ target, headers, body }: Taped): number {
  return headers.reduce((sum, text) => sum + text.length, target.length + body.length);
}

async function causeOf(step: () => Promise<void>): Promise<string | undefined> {
  try {
    await step();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
