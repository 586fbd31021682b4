import { app as yours } from '../src/app/index.ts';
import { example } from '../src/example/index.ts';
import type { Startable } from '../src/kit/program/start.ts';

/** The app that KIT_APP names: src/app, or the reference receiver. Any other ends the process. */
export function appNamed(folder = 'src/app'): Startable {
  const apps: readonly Startable[] = [yours, example];
  const found = apps.find((one) => one.folder === folder);
  if (found !== undefined) return found;
  console.error(`KIT_APP: expected src/app, or src/example for the reference receiver.`);
  process.exit(2);
}
