import { pino, type DestinationStream, type Logger } from 'pino';
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
  };
  return pino(options, destination ?? standardOutput());
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
