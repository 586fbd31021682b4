import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';

// Loaded before anything else of the program: makes its days shorter. What is done every few minutes is done after
// LONG_PAUSE_MS.

const MINUTE_MS = 60_000;
const longPauseMs = Number(process.env['LONG_PAUSE_MS'] ?? MINUTE_MS);
const inFull = timers.setTimeout;

timers.setTimeout = (ms, ...further) =>
  inFull(ms !== undefined && ms > MINUTE_MS ? longPauseMs : ms, ...further);
syncBuiltinESMExports();
