import { pino, type DestinationStream, type Logger } from 'pino';
import type { NewEntry } from './inbox/inbox.ts';
import { standardOutput } from './log-output.ts';

/** What the program says while it runs: one JSON object per line. Never a secret, a signature or a payload. */
export type Log = Logger;

/** Writes to `destination`, standard output by default. */
export function createLog(level: string, destination?: DestinationStream): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    // Whoever reads the log at a terminal reads words of senders, of APIs and of handlers there.
    hooks: { streamWrite: printableJson },
  };
  return pino(options, destination ?? standardOutput());
}

/** What a terminal acts upon: control characters, marks without width or that turn the direction of text, half characters. */
export const STEERING = /(?![\n\t])[\p{C}\p{Zl}\p{Zp}]/gu;
const PLAIN = /^[\x20-\x7e\n]*$/;

/** JSON text that means the same, with nothing in it that could steer a terminal. */
export function printableJson(json: string): string {
  if (PLAIN.test(json)) return json;
  return json.replace(STEERING, (mark) => mark.split('').map(escaped).join(''));
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** How a log line names an event: by its sender's id or, where the sender gives it none, by what it is about. */
export function called({ eventId, subject }: Pick<NewEntry, 'eventId' | 'subject'>): {
  readonly id?: string | undefined;
  readonly subject?: string | undefined;
} {
  if (eventId !== undefined) return { id: logged(eventId) };
  return { subject: logged(subject?.slice(subject.indexOf(' ') + 1)) };
}

/** Milliseconds since then, by `performance.now()`, to a tenth. */
export function since(began: number): number {
  return Math.round((performance.now() - began) * 10) / 10;
}

/** Told of each step of a delivery's way, by its request id. What is told is no secret, token or value of a sender. */
export type StepLog = (request: string | undefined, step: string, facts: object) => void;

/** `undefined` unless the log is to have them: then they cost nothing. */
export function stepLog(log: Log): StepLog | undefined {
  if (!log.isLevelEnabled('debug')) return undefined;
  return (request, step, facts) => {
    log.debug({ request, step, ...facts });
  };
}

/** Tells two of each step, as far as they are there. */
export function toldBoth(one: StepLog | undefined, other: StepLog | undefined): StepLog | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return (...step) => {
    one(...step);
    other(...step);
  };
}

const LOGGED_LENGTH = 128;

// eslint-disable-next-line no-control-regex -- they are what is looked for
const CONTROLS = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/g;

/** A name that a sender chose, cut to a length that a log line can bear, without what a terminal would act upon. */
export function logged(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const cut = name.length > LOGGED_LENGTH ? `${name.slice(0, LOGGED_LENGTH)}…` : name;
  return cut.replace(CONTROLS, '\uFFFD');
}
