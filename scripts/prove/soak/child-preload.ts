import { registerHooks, syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';

// Preloaded with --import into the real program. Puts child-handlers.ts in the place of src/handlers/index.ts, which is
// what an integrator does by writing into that folder, and makes its days shorter: what is done every few minutes is
// done after LONG_PAUSE_MS.
registerHooks({
  resolve: (specifier, context, next) =>
    next(
      specifier === './handlers/index.ts' ? new URL('child-handlers.ts', import.meta.url).href : specifier,
      context,
    ),
});

const MINUTE_MS = 60_000;
const longPauseMs = Number(process.env['LONG_PAUSE_MS'] ?? MINUTE_MS);
const inFull = timers.setTimeout;

timers.setTimeout = (ms, ...further) =>
  inFull(ms !== undefined && ms > MINUTE_MS ? longPauseMs : ms, ...further);
syncBuiltinESMExports();
