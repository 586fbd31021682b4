import { app as yours } from '../src/app/index.ts';
import { example } from '../src/example/index.ts';
import { strangeVariables, type Configurable } from '../src/kit/program/config.ts';
import { commandEnvironment, warn } from '../src/lab/command.ts';

/** What the commands are told, as the receiver reads it. */
export const environment = commandEnvironment(
  // Few receivers that are tried have an .env here, and Node's own switch would say each time that there is none.
  process.env['npm_lifecycle_event'] === 'conform' ? '.env' : undefined,
);

/** The app that a command is about: src/app, or as KIT_APP says the reference receiver, `src/example`. */
export const app: Configurable = named(environment['KIT_APP'] ?? 'src/app');

warn(strangeVariables(environment, app));

function named(folder: string): Configurable {
  const found = [yours, example].find((one) => one.folder === folder);
  if (found !== undefined) return found;
  console.error(`KIT_APP: expected src/app, or src/example for the reference receiver.`);
  process.exit(2);
}
