import { resolve } from 'node:path';
import { messageOf } from '../errors.ts';
import { describeFailure, whyAndWhere } from '../failure.ts';
import { readAddress, withoutPassword } from '../inbox/address.ts';
import { createLog, since, type Log } from '../log.ts';
import { logConfiguration, logStart } from './announce.ts';
import { watchClock } from './clock.ts';
import { ConfigInvalid, readConfig, type Config } from './config.ts';
import type { Development } from './console.ts';
import { start, type Program, type Startable } from './start.ts';
import { startRenewal, type Renewal } from './renewal.ts';
import { openToAll, variablesOf, type Variables } from './text-file.ts';
import { startupProblems, startupTable } from './startup.ts';

export interface RunOptions {
  /** It runs on a developer's machine, with these parts; never in production. */
  readonly development?: Development | undefined;
}

/**
 * Runs an app as the program of this process: reads the environment, starts, says so, and ends with SIGTERM or Ctrl-C.
 * What is wrong with the configuration is said in full, and ends the process with code 1.
 */
export async function run(app: Startable, { development }: RunOptions = {}): Promise<void> {
  // What is made from here on is personal data, and nobody else's: files, and what SQLite puts beside them.
  process.umask(0o077);
  // Node would open its debugger, which can read everything, to whoever is on this machine.
  process.on('SIGUSR1', () => undefined);
  // As the end of a terminal it must not end a receiver; later on it renews the secrets.
  process.on('SIGHUP', () => undefined);
  // The terminal may be gone: what is said there must not end the process.
  process.stderr.on('error', () => undefined);
  const variables = variablesOf(process);
  const config = configOrExit(app, variables);
  const log = createLog(config.general.LOG_LEVEL);
  endOnUncaught(config, log);
  logConfiguration(log, config, variables);
  const environment = () => variables.read().env;
  const program = await startOrExit(app, config, log, { development, environment });
  watchClock(log);
  const renewal = startRenewal(app, { program, config, variables, log });
  process.on('SIGHUP', () => void renewal.renew());
  stopOnSignal(program, config, log, renewal);
  logStart(log, app, config, program);
  process.stderr.write(startupTable(app, config, program));
}

function configOrExit(app: Startable, variables: Variables): Config {
  try {
    const { env, warnings, doubts } = variables.read();
    const config = readConfig(env, app, doubts);
    return {
      ...config,
      warnings: [...warnings, ...config.warnings, ...looseFiles(config, variables.files)],
    };
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    process.stderr.write(startupProblems(error));
    process.exit(1);
  }
}

/** What was made before, by whatever means, is said and left as it is. */
function looseFiles({ general, own }: Config, envFiles: readonly string[]): string[] {
  const address = readAddress(general.INBOX_URL);
  const inbox = address?.engine === 'sqlite' ? [address.file, `${address.file}.lock`] : [];
  const owned = Object.entries(own).flatMap(([name, value]) =>
    name.endsWith('_FILE') && typeof value === 'string' ? [value] : [],
  );
  return [...envFiles, ...inbox, ...owned].flatMap((file) => {
    const open = openToAll(file);
    return open === undefined ? [] : [`Every user of this machine may ${open} ${resolve(file)}: chmod 600.`];
  });
}

async function startOrExit(
  app: Startable,
  config: Config,
  log: Log,
  options: Parameters<typeof start>[3],
): Promise<Program> {
  try {
    return await start(app, config, log, options);
  } catch (error) {
    process.stderr.write(`Not started: ${withoutPassword(messageOf(error), config.general.INBOX_URL)}\n`);
    process.exit(1);
  }
}

/**
 * A rejection that nobody awaits, or a throw in a timer: whose it is cannot be told, so nothing may go on. What was stored
 * is handled after the next start.
 */
function endOnUncaught({ general }: Config, log: Log): void {
  const end = (error: unknown) => {
    const { why = '', where } = whyAndWhere(describeFailure(error));
    const ends =
      'The process ends with code 1, because of an error that nobody caught: a promise without await, or a throw in a timer. ' +
      'What it had begun is tried again after the next start.';
    log.fatal({ outcome: 'trouble', why: `${ends} ${withoutPassword(why, general.INBOX_URL)}`, where });
    const exit = () => process.exit(1);
    setTimeout(exit, LAST_MS);
    log.flush(exit);
  };
  // Node brings unhandled rejections here, too. Of several errors at once the first is the cause.
  process.once('uncaughtException', (error) => {
    process.on('uncaughtException', () => undefined);
    end(error);
  });
}

/** What is left to close when everything is answered and given back, and the log, have this long. */
const LAST_MS = 1_000;

/** The first signal stops the program in order, the second at once. */
function stopOnSignal(program: Program, { general }: Config, log: Log, renewal: Renewal): void {
  const stop = (signal?: NodeJS.Signals) => {
    const began = performance.now();
    log.info({ outcome: 'stopping', signal });
    renewal.stop();
    process.removeListener('SIGTERM', stop).removeListener('SIGINT', stop);
    // A database that is away, a call without end, or a log that nobody reads must not keep the process alive.
    setTimeout(
      () => {
        if (process.exitCode === undefined) sayTrouble(log, 'Not everything could be closed in SHUTDOWN_MS.');
        process.exit(process.exitCode ?? 1);
      },
      general.SHUTDOWN_DELAY_MS + general.SHUTDOWN_MS + LAST_MS,
    ).unref();
    void program
      .stop()
      .then(
        () => 0,
        (error: unknown) => {
          sayTrouble(log, withoutPassword(messageOf(error), general.INBOX_URL));
          return 1;
        },
      )
      .then((code) => {
        process.exitCode = code;
        log.info({ outcome: 'stopped', code, ms: since(began) });
        // What a handler that does not stop still waits for must not keep the process alive.
        log.flush(() => process.exit());
      });
  };
  // `node --watch` ends with its terminal and tells nobody; only the line between the two is cut.
  process.on('SIGTERM', stop).on('SIGINT', stop).once('disconnect', stop);
}

function sayTrouble(log: Log, why: string): void {
  log.error({ outcome: 'trouble', why });
}
