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

/** A name that a sender chose, cut to a length that a log line can bear. JSON escapes the rest. */
export function logged(name: string | undefined): string | undefined {
  return name !== undefined && name.length > LOGGED_LENGTH ? `${name.slice(0, LOGGED_LENGTH)}…` : name;
}
