import { hash, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { App } from '../../src/kit/program/app.ts';
import { readConfig, type Config } from '../../src/kit/program/config.ts';
import { credentialVariable, endpointsOf } from '../../src/kit/endpoints.ts';
import { createHandlers, createSteps } from '../../src/example/handlers/index.ts';
import { createLog } from '../../src/kit/log.ts';
import type { AllHandlers } from '../../src/kit/handling/handle.ts';
import { addExamplePeople } from '../../src/example/records/examples.ts';
import { openRecords, type Records } from '../../src/example/records/records.ts';
import type { EndpointDefinition, Source } from '../../src/kit/source.ts';
import { sources } from '../../src/kit/sources/index.ts';
import type { RunnableStep } from '../../src/kit/step.ts';
import { startWithHandlers } from '../../src/example/start.ts';

/** A whole receiver on a free port, every endpoint open, with what a test wants to look at. */
export interface TestReceiver {
  readonly app: App;
  readonly url: string;
  readonly records: Records;
  readonly config: Config;
  /** Every log line so far. */
  readonly log: readonly LogLine[];
  /** The secret of an endpoint's path. */
  secretOf(path: string): string;
  stop(): Promise<void>;
}

export type LogLine = Readonly<Record<string, unknown>>;

export interface TestReceiverOptions {
  /** Variables besides the secrets; `undefined` takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** In place of the reference handlers, by source and type. */
  readonly handlers?: AllHandlers;
  /** Besides the reference steps. */
  readonly steps?: readonly RunnableStep[];
  readonly further?: readonly EndpointDefinition[];
  readonly sources?: readonly Source[];
}

export async function startReceiver(options: TestReceiverOptions = {}): Promise<TestReceiver> {
  const among = options.sources ?? sources;
  const secrets = secretsFor(among, options.further);
  const archive = join(tmpdir(), `kit-archive-${randomUUID()}`);
  const usual = {
    PORT: '0',
    ADMIN_PORT: 'off',
    INBOX_URL: 'memory:',
    RECORDS_FILE: ':memory:',
    ARCHIVE_DIR: archive,
  };
  const env = { ...usual, ...secrets, ...options.env };
  const config = readConfig(env, among, options.further);
  const records = openRecords(config.general.RECORDS_FILE);
  addExamplePeople(records);
  const lines: LogLine[] = [];
  const log = createLog('info', lineWriter(lines));
  const app = await startWithHandlers(config, records, log, (tools) => ({
    handlers: merged(createHandlers(tools), options.handlers ?? {}),
    steps: [...createSteps(tools), ...(options.steps ?? [])],
  }));
  return {
    app,
    url: app.url,
    records,
    config,
    log: lines,
    secretOf: (path) => {
      const endpoint = config.endpoints.find(({ definition }) => definition.path === path);
      return endpoint?.credentials.get('')?.texts[0] ?? '';
    },
    stop: async () => {
      await app.stop();
      records.close();
      rmSync(archive, { recursive: true, force: true });
    },
  };
}

/** A secret for every endpoint, the same in every run, so that a failing test fails again. */
export function secretsFor(
  among: readonly Source[],
  further: readonly EndpointDefinition[] = [],
): Record<string, string> {
  const definitions = among.flatMap((source) =>
    [...endpointsOf(source), ...further.filter((endpoint) => endpoint.source === source.name)].map(
      (definition) => credentialVariable({ definition, source }),
    ),
  );
  return Object.fromEntries(
    definitions.map((variable) => [variable, hash('sha256', `secret of ${variable}`)]),
  );
}

function merged(reference: AllHandlers, own: AllHandlers): AllHandlers {
  const names = new Set([...Object.keys(reference), ...Object.keys(own)]);
  return Object.fromEntries([...names].map((name) => [name, { ...reference[name], ...own[name] }]));
}

function lineWriter(lines: LogLine[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().split('\n').filter(Boolean)) {
        // pino writes objects only.
        lines.push(JSON.parse(line) as LogLine);
      }
      done();
    },
  });
}
