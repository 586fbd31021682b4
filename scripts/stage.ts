import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { startApp, type App } from '../src/app.ts';
import { readConfig, type Config, type Environment } from '../src/config.ts';
import { credentialVariable, endpointsOf } from '../src/endpoints.ts';
import { createHandlers } from '../src/handlers/index.ts';
import { createLog, type Log } from '../src/log.ts';
import { createRandom } from '../src/mock/random.ts';
import { createSender, type Sender } from '../src/mock/sender.ts';
import { createMockApp } from '../src/mock/server.ts';
import { addExamplePeople } from '../src/records/examples.ts';
import { openRecords } from '../src/records/records.ts';
import type { Source } from '../src/source.ts';
import { furtherEndpoints, sources } from '../src/sources/index.ts';
import { credentialsFrom } from './credentials.ts';

/** Receiver and mock in one process, for the demo. */
export interface Stage {
  readonly app: App;
  readonly mockUrl: string;
  readonly senders: readonly Sender[];
  readonly log: LogLines;
  readonly close: () => void;
}

/** Starts both with fresh secrets, all their files in one folder; on the usual ports if those are free. */
export async function setUp(folder: string): Promise<Stage> {
  const env = freshEnvironment(folder);
  const records = openRecords(join(folder, 'records.db'));
  addExamplePeople(records);
  const log = createLogLines();
  const app = await startOnFreePort(env, (config) => startApp(config, createHandlers(records), log.log));
  const senders = sendersTo(new URL(app.url), env);
  const mock = createServer(createMockApp(senders));
  return {
    app,
    mockUrl: `http://127.0.0.1:${await listenOnFreePort(mock, 4000)}`,
    senders,
    log,
    close: () => {
      mock.close();
      mock.closeAllConnections();
      records.close();
    },
  };
}

export async function tearDown({ app, senders, close }: Stage): Promise<void> {
  for (const sender of senders) sender.close();
  await app.stop();
  close();
}

function freshEnvironment(folder: string): Environment {
  const env: Record<string, string> = {
    INBOX_URL: `sqlite:${join(folder, 'inbox.db')}`,
    RECORDS_FILE: join(folder, 'records.db'),
  };
  for (const source of sources as readonly Source[]) {
    for (const definition of endpointsOf(source)) {
      env[credentialVariable({ definition, source })] = randomBytes(32).toString('hex');
    }
  }
  return env;
}

type Start = (config: Config) => Promise<App>;

async function startOnFreePort(env: Environment, start: Start): Promise<App> {
  try {
    return await start(readConfig(env, sources, furtherEndpoints));
  } catch (error) {
    if (!isPortTaken(error)) throw error;
    return start(readConfig({ ...env, PORT: '0' }, sources, furtherEndpoints));
  }
}

async function listenOnFreePort(server: Server, preferred: number): Promise<number> {
  try {
    await once(server.listen(preferred, '127.0.0.1'), 'listening');
  } catch (error) {
    if (!isPortTaken(error)) throw error;
    await once(server.listen(0, '127.0.0.1'), 'listening');
  }
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : preferred;
}

function isPortTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

function sendersTo(url: URL, env: Environment): Sender[] {
  const credentialsOf = credentialsFrom(env, sources, furtherEndpoints);
  const random = createRandom(randomInt(2 ** 32));
  return sources.map((source: Source) =>
    createSender({ source, url, random, credentialFor: credentialsOf(source) }),
  );
}

interface LogLines {
  readonly log: Log;
  /** The code of the last refusal, for the forged row. */
  lastCode(): string | undefined;
  /** From now on, lines are printed. */
  print(): void;
}

function createLogLines(): LogLines {
  let last = '{}';
  let printing = false;
  const write = (line: string) => {
    last = line;
    if (printing) process.stdout.write(line);
  };
  return {
    log: createLog('info', { write }),
    lastCode: () => {
      // Our own log writes one JSON object per line.
      const { code } = JSON.parse(last) as { readonly code?: string };
      return code;
    },
    print: () => {
      printing = true;
    },
  };
}
