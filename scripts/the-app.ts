import type { Configurable } from '../src/kit/program/config.ts';

/** The app that a command is about: src/app, or the reference receiver where KIT_APP is `src/example`. */
export const app: Configurable =
  process.env['KIT_APP'] === 'src/example'
    ? (await import('../src/example/index.ts')).example
    : (await import('../src/app/index.ts')).app;
