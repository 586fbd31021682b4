import { setImmediate as immediately } from 'node:timers/promises';
import { shortNote, type Entry } from '../inbox/inbox.ts';
import { acceptTaped, type Acceptance } from '../tape/accept.ts';
import type { Kept } from '../tape/tape.ts';
import type { ConsoleParts } from './console.ts';
import type { Visitor } from './page.ts';
import { groupsOf } from './state.ts';

/** Something that somebody did here. */
export interface Done {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly who: string;
  readonly what: string;
}

/** What may be done on the console: each is written down with who and when, in the log for good. */
export class Actions {
  readonly #parts: ConsoleParts;
  readonly #done: Done[] = [];

  constructor(parts: ConsoleParts) {
    this.#parts = parts;
  }

  /** Since the process started, the last of it, oldest first. */
  get done(): readonly Done[] {
    return this.#done;
  }

  async replay(seq: number, visitor: Visitor): Promise<Entry | null> {
    const entry = await this.#parts.inbox.replay(seq);
    if (entry === null || entry.status === 'running') return entry;
    this.record(visitor, `replayed entry ${seq}`);
    this.#parts.journal.seen(entry);
    return entry;
  }

  async discard(seq: number, reason: string, visitor: Visitor): Promise<Entry | null> {
    const short = reason.slice(0, LONGEST_REASON);
    const note = shortNote(`discarded by ${visitor.name}: ${short}`);
    const entry = await this.#parts.inbox.discard(seq, note);
    if (entry?.note !== note) return entry;
    this.record(visitor, `discarded entry ${seq}: ${short}`);
    this.#parts.journal.seen(entry);
    return entry;
  }

  /** All dead letters of one cause, oldest first: out of order they would run out of order. Resolves with how many. */
  async replayGroup(name: string, dead: readonly Entry[], visitor: Visitor): Promise<number> {
    const group = groupsOf(dead).find((one) => one.name === name);
    if (group === undefined) return 0;
    const { source, type, seqs } = group;
    this.record(
      visitor,
      `replayed ${seqs.length} dead letters of ${source} ${type}, from entry ${seqs[0] ?? ''} on`,
    );
    for (const [index, seq] of seqs.entries()) {
      if (index % 20 === 19) await immediately(); // deliveries first
      const entry = await this.#parts.inbox.replay(seq);
      if (entry !== null) this.#parts.journal.seen(entry);
    }
    return seqs.length;
  }

  async accept(kept: Kept, althoughStale: boolean, visitor: Visitor): Promise<Acceptance> {
    const { tape, configs, inbox } = this.#parts;
    const endpoints = configs();
    const accepted = await acceptTaped(kept, { endpoints, inbox, now: Date.now(), althoughStale });
    if (!accepted.accepted) return accepted;
    const stale = althoughStale ? ', although its token might have expired' : '';
    this.record(visitor, `accepted refused delivery ${kept.number} as entry ${accepted.seq}${stale}`);
    await tape?.accepted(kept, accepted.seq);
    const entry = await inbox.find(accepted.seq);
    if (entry !== null) this.#parts.journal.seen(entry);
    return accepted;
  }

  record({ name: who }: Visitor, what: string): void {
    const at = Date.now();
    this.#done.push({ at, who, what });
    if (this.#done.length > MOST) this.#done.shift();
    this.#parts.log.warn({ outcome: 'console', who, why: what });
  }
}

const MOST = 100;
const LONGEST_REASON = 200;
