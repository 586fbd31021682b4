import type { Entry } from '../inbox.ts';
import { createHeap } from './heap.ts';
import type { Shelf } from './shelf.ts';
import { createSubjectLines } from './subject-lines.ts';

interface DueItem {
  readonly seq: number;
  readonly dueAt: number;
}

/** Which entries run, and which may run next: the first of each subject, what is due earlier before what is due later. */
export class Queue {
  readonly #shelf: Shelf;
  readonly #lines = createSubjectLines();
  readonly #running = new Set<number>();
  // An item counts while its entry still waits at the head of its line with this dueAt; the others are skipped later.
  readonly #due = createHeap<DueItem>((a, b) => a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.seq < b.seq));
  readonly #listeners: (() => void)[] = [];
  #announced = false;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /** Called back, soon, after an entry became claimable. */
  onReady(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Whether an entry leads its line; a dead one, whether it would if it waited. */
  mayRun(entry: Entry): boolean {
    if (entry.status === 'waiting') return this.leads(entry);
    if (entry.status !== 'dead') return false;
    const head = this.#lines.headOf(entry);
    return head === undefined || (head >= entry.seq && !this.#running.has(head));
  }

  leads(entry: Entry): boolean {
    return this.#lines.headOf(entry) === entry.seq;
  }

  /** Puts an entry that waits, as the shelf has it, into the line of its subject. */
  join(waiting: Entry): void {
    this.#lines.join(waiting);
    this.elect(waiting);
  }

  begin({ seq }: Entry): void {
    this.#running.add(seq);
  }

  /** Takes an entry that runs or waits out of its line. Elect once the shelf has what it is now. */
  leave(entry: Entry): void {
    this.#running.delete(entry.seq);
    if (entry.status !== 'dead') this.#lines.leave(entry);
  }

  /** Lets the first of this entry's line lead, unless one is running. */
  elect(ofLine: Entry): void {
    const head = this.#shelf.get(this.#lines.elect(ofLine, (seq) => this.#running.has(seq)));
    if (head?.status !== 'waiting') return;
    this.#due.push({ seq: head.seq, dueAt: head.dueAt });
    this.#announce();
  }

  /** Takes out the entry that is due first, if it is due by then, for it to begin. */
  takeDue(now: number): Entry | undefined {
    const next = this.#nextWaiting();
    if (!next || next.dueAt > now) return undefined;
    this.#due.pop();
    return next;
  }

  lapsed(now: number): Entry[] {
    return [...this.#running].flatMap((seq) => {
      const entry = this.#shelf.get(seq);
      return entry?.leaseUntil !== undefined && entry.leaseUntil <= now ? [entry] : [];
    });
  }

  nextDue(): number | undefined {
    const leases = [...this.#running].map((seq) => this.#shelf.get(seq)?.leaseUntil ?? Infinity);
    const next = Math.min(this.#nextWaiting()?.dueAt ?? Infinity, ...leases);
    return next === Infinity ? undefined : next;
  }

  #nextWaiting(): Entry | undefined {
    for (let item = this.#due.peek(); item; item = this.#due.peek()) {
      const entry = this.#shelf.get(item.seq);
      if (entry?.status === 'waiting' && entry.dueAt === item.dueAt && this.mayRun(entry)) return entry;
      this.#due.pop();
    }
    return undefined;
  }

  #announce(): void {
    if (this.#announced || this.#listeners.length === 0) return;
    this.#announced = true;
    setImmediate(() => {
      this.#announced = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
