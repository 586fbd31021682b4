import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Effects } from '../../src/lab/conformance/stage.ts';
import type { Event } from './parts.ts';

/** Events on disk, a line each. What has an effect, once and in which order, is worked out from them alone. */
export class Journal {
  readonly events: Event[];
  readonly #file: number;
  #closed = false;

  constructor(path: string) {
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
    // Written by `append`.
    this.events = lines.map((line) => JSON.parse(line) as Event);
    this.#file = openSync(path, 'a');
  }

  has(event: Event): boolean {
    return event.key !== undefined && this.events.some(({ key }) => key === event.key);
  }

  /** On disk when it returns. */
  append(event: Event): void {
    this.remember(event);
    this.write(event);
  }

  /** In memory only. */
  remember(event: Event): void {
    this.events.push(event);
  }

  /** A receiver that is gone writes no more. */
  write(event: Event): void {
    if (this.#closed) return;
    writeSync(this.#file, `${JSON.stringify(event)}\n`);
    fsyncSync(this.#file);
  }

  close(): void {
    this.#closed = true;
    closeSync(this.#file);
  }
}

/** Once for each event. */
export function store(event: Event, journal: Journal): void {
  if (!journal.has(event)) journal.append(event);
}

/** A newer state of a document is never followed by an older one, nor the end of a signing task by its middle. */
export function effectsOf({ events }: Journal): Effects {
  const fitting = events.filter(({ misfit }) => misfit === undefined);
  const newest = new Map<string, number>();
  const effects = fitting.filter(({ subject, revision }) => {
    if (subject === undefined || revision === undefined) return true;
    const stale = revision < (newest.get(subject) ?? 0);
    if (!stale) newest.set(subject, revision);
    return !stale;
  });
  const named = ({ type, ref }: Event) => ({ type, ref });
  const quarantined = events.filter(({ misfit }) => misfit !== undefined);
  return { effects: effects.map(named), quarantined: quarantined.map(named) };
}
