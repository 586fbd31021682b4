import { messageOf } from '../errors.ts';
import { withoutPassword } from '../inbox/address.ts';
import { createLog, type Log } from '../log.ts';
import { ConfigInvalid, readConfig, type Config } from './config.ts';
import { start, type Program, type Startable } from './start.ts';
import { startupProblems, startupTable } from './startup.ts';

/**
 * Runs an app as the program of this process: reads the environment, starts, says so, and ends with SIGTERM or Ctrl-C.
 * What is wrong with the configuration is said in full, and ends the process with code 1.
 */
export async function run(app: Startable): Promise<void> {
  const config = configOrExit(app);
  const log = createLog(config.general.LOG_LEVEL);
  const program = await startOrExit(app, config, log);
  stopOnSignal(program, config, log);
  process.stderr.write(startupTable(app, config, program));
}

function configOrExit(app: Startable): Config {
  try {
    return readConfig(process.env, app);
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    process.stderr.write(startupProblems(error));
    process.exit(1);
  }
}

async function startOrExit(app: Startable, config: Config, log: Log): Promise<Program> {
  try {
    return await start(app, config, log);
  } catch (error) {
    process.stderr.write(`Not started: ${withoutPassword(messageOf(error), config.general.INBOX_URL)}\n`);
    process.exit(1);
  }
}

/** What is left to close when everything is answered and given back has this long. */
const LAST_MS = 1_000;

/** The first signal stops the program in order, the second at once. */
function stopOnSignal(program: Program, { general }: Config, log: Log): void {
  const say = (why: string) => {
    log.error({ outcome: 'trouble', why });
  };
  // What a handler that does not stop still waits for must not keep the process alive.
  const exit = (code: number) => {
    log.flush(() => process.exit(code));
  };
  const stop = () => {
    process.removeListener('SIGTERM', stop).removeListener('SIGINT', stop);
    // A database that is away, or a call without end, must not keep the process alive.
    setTimeout(() => {
      say('Not everything could be closed in SHUTDOWN_MS.');
      exit(1);
    }, general.SHUTDOWN_MS + LAST_MS).unref();
    program.stop().then(
      () => {
        exit(0);
      },
      (error: unknown) => {
        say(withoutPassword(messageOf(error), general.INBOX_URL));
        exit(1);
      },
    );
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
}
