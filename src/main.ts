import type { App } from './kit/program/app.ts';
import { ConfigInvalid, readConfig, type Config } from './kit/program/config.ts';
import { messageOf } from './kit/errors.ts';
import { withoutPassword } from './kit/inbox/address.ts';
import { createLog, type Log } from './kit/log.ts';
import { addExamplePeople } from './example/records/examples.ts';
import { openRecords, type Records } from './example/records/records.ts';
import { furtherEndpoints, sources } from './kit/sources/index.ts';
import { startWithHandlers } from './example/start.ts';
import { startupProblems, startupTable } from './kit/program/startup.ts';

const config = configOrExit();
const log = createLog(config.general.LOG_LEVEL);
const records = recordsOrExit(config);
const app = await startOrExit(config, log);
process.stderr.write(startupTable(config, app.url, app.adminUrl));
process.on('SIGTERM', stop).on('SIGINT', stop);

function configOrExit(): Config {
  try {
    return readConfig(process.env, sources, furtherEndpoints);
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    process.stderr.write(startupProblems(error));
    process.exit(1);
  }
}

function recordsOrExit({ general }: Config): Records {
  try {
    const records = openRecords(general.RECORDS_FILE);
    addExamplePeople(records);
    return records;
  } catch (error) {
    return exit(`RECORDS_FILE cannot be used: ${messageOf(error)}`);
  }
}

async function startOrExit(config: Config, log: Log): Promise<App> {
  try {
    return await startWithHandlers(config, records, log);
  } catch (error) {
    return exit(withoutPassword(messageOf(error), config.general.INBOX_URL));
  }
}

function exit(why: string): never {
  process.stderr.write(`Not started: ${why}\n`);
  process.exit(1);
}

/** What is left to close when all is answered and given back has this long. */
const LAST_MS = 1_000;

/** Once: in order. Twice: at once. */
function stop(): void {
  process.removeListener('SIGTERM', stop).removeListener('SIGINT', stop);
  setTimeout(giveUp, config.general.SHUTDOWN_MS + LAST_MS).unref();
  void stopApp().then((code) => {
    records.close();
    // What a handler that does not stop still waits for must not keep the process alive.
    log.flush(() => process.exit(code));
  });
}

/** Resolves with the exit code. */
async function stopApp(): Promise<number> {
  try {
    await app.stop();
    return 0;
  } catch (error) {
    log.error({ outcome: 'trouble', why: withoutPassword(messageOf(error), config.general.INBOX_URL) });
    return 1;
  }
}

/** A database that is away, or a call without end, must not keep the process alive. */
function giveUp(): void {
  log.error({ outcome: 'trouble', why: 'Not everything could be closed in SHUTDOWN_MS.' });
  log.flush(() => process.exit(1));
}
