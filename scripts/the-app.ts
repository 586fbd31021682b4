import { strangeVariables, type Configurable } from '../src/kit/program/config.ts';
import { commandEnvironment, warn } from '../src/lab/command.ts';
import { appNamed } from './apps.ts';

/** What the commands are told, as the receiver reads it. */
export const environment = commandEnvironment(
  // Few receivers that are tried have an .env here, and Node's own switch would say each time that there is none.
  process.env['npm_lifecycle_event'] === 'conform' ? '.env' : undefined,
);

/** The app that a command is about: src/app, or as KIT_APP says the reference receiver, `src/example`. */
export const app: Configurable = appNamed(environment['KIT_APP']);

warn(strangeVariables(environment, app));
