/** Looks when it is woken, and otherwise after the time that the last look gave. */
export class Lookout {
  readonly #look: () => Promise<number>;
  #started = false;
  #wanted = false;
  #looking: Promise<void> | undefined;
  #alarm: NodeJS.Timeout | undefined;

  /** `look` resolves with the milliseconds until the next look, and does not reject. */
  constructor(look: () => Promise<number>) {
    this.#look = look;
  }

  get started(): boolean {
    return this.#started;
  }

  start(): void {
    this.#started = true;
    void this.wake();
  }

  /** Looks now; while a look is under way, another one follows it. Resolves after the last one. */
  async wake(): Promise<void> {
    if (!this.#started) return;
    this.#wanted = true;
    await (this.#looking ??= this.#lookWhileWanted());
  }

  /** Looks still in this turn of the event loop, once for all that wakes it in it. */
  wakeInTurn(): void {
    process.nextTick(() => void this.wake());
  }

  /** No further look begins. Resolves when the one under way is over. */
  async stop(): Promise<void> {
    this.#started = false;
    clearTimeout(this.#alarm);
    await this.#looking;
  }

  async #lookWhileWanted(): Promise<void> {
    while (this.#wanted && this.#started) {
      this.#wanted = false;
      clearTimeout(this.#alarm);
      this.#alarm = setTimeout(() => void this.wake(), await this.#look()).unref();
    }
    this.#looking = undefined;
  }
}
