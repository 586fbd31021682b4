import type { App } from './app.ts';
import { ConfigInvalid, readConfig, type Config } from './config.ts';
import { messageOf } from './errors.ts';
import { createLog, type Log } from './log.ts';
import { addExamplePeople } from './records/examples.ts';
import { openRecords, type Records } from './records/records.ts';
import { furtherEndpoints, sources } from './sources/index.ts';
import { startWithHandlers } from './start.ts';
import { startupProblems, startupTable } from './startup.ts';

const config = configOrExit();
const log = createLog(config.general.LOG_LEVEL);
const records = recordsOrExit(config);
const app = await startOrExit(config, log);
process.stderr.write(startupTable(config, app.url));
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
    const { HOST, PORT } = config.general;
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    const why = taken ? `port ${PORT} on ${HOST} is taken; set PORT to another one.` : messageOf(error);
    return exit(why);
  }
}

function exit(why: string): never {
  process.stderr.write(`Not started: ${why}\n`);
  process.exit(1);
}

/** Once: in order. Twice: at once. */
function stop(): void {
  process.removeListener('SIGTERM', stop).removeListener('SIGINT', stop);
  void app.stop().finally(() => {
    records.close();
    // What a handler that does not stop still waits for must not keep the process alive.
    log.flush(() => process.exit());
  });
}
