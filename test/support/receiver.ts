import { hash, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { readConfig, type Config } from '../../src/kit/program/config.ts';
import { createLog } from '../../src/kit/log.ts';
import type { AllHandlers } from '../../src/kit/handling/handle.ts';
import { addExamplePeople } from '../../src/example/records/examples.ts';
import { example } from '../../src/example/index.ts';
import type { Records } from '../../src/example/records/records.ts';
import type { Tools } from '../../src/example/tools.ts';
import type { EndpointDefinition, NamedSource } from '../../src/kit/source.ts';
import { sources } from '../../src/kit/sources/index.ts';
import type { RunnableStep } from '../../src/kit/step.ts';
import { start, type Program, type Startable } from '../../src/kit/program/start.ts';
import { appOf } from '../../src/lab/rig/app.ts';
import { secretsFor as makeSecrets } from '../../src/lab/rig/secrets.ts';
import { createTestSender, type TestSender } from './test-sender.ts';

/** A whole receiver on a free port, every endpoint open, with what a test wants to look at. */
export interface TestReceiver {
  readonly app: Program;
  readonly url: string;
  readonly records: Records;
  readonly config: Config;
  /** Every log line so far. */
  readonly log: readonly LogLine[];
  /** Sends to it; closed with it. */
  readonly sender: TestSender;
  /** The secret of an endpoint's path. */
  secretOf(path: string): string;
  /** As when SIGHUP comes, these variables being otherwise than before. */
  renew(env: TestReceiverOptions['env']): Promise<void>;
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
  readonly sources?: readonly NamedSource[];
  /** Its console is that of a developer's machine, where nobody need log in. */
  readonly development?: boolean;
  /** Default `info`. */
  readonly logLevel?: 'debug';
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
  let env = { ...usual, ...secrets, ...options.env };
  const lines: LogLine[] = [];
  const log = createLog(options.logLevel ?? 'info', lineWriter(lines));
  const changed: Startable<Tools> = {
    ...example,
    sources: among,
    endpoints: options.further ?? [],
    handlers: (tools) => {
      const handlers = merged(example.handlers(tools), options.handlers ?? {});
      return appOf({ handlers, sources: among }).handlers(undefined);
    },
    steps: (tools) => [...(example.steps?.(tools) ?? []), ...(options.steps ?? [])],
  };
  const config = readConfig(env, changed);
  const development = options.development === true ? { pages: [] } : undefined;
  const app = await start(changed, config, log, { development, environment: () => env });
  const { records } = app.tools;
  addExamplePeople(records);
  const secretOf = (path: string) => {
    const endpoint = config.endpoints.find(({ definition }) => definition.path === path);
    return endpoint?.credentials.get('')?.texts[0] ?? '';
  };
  const sender = createTestSender({ url: app.url, secretOf });
  return {
    app,
    url: app.url,
    records,
    config,
    log: lines,
    sender,
    secretOf,
    renew: (changes) => {
      env = { ...env, ...changes };
      return app.renew(readConfig(env, changed));
    },
    stop: async () => {
      sender.close();
      await app.stop();
      rmSync(archive, { recursive: true, force: true });
    },
  };
}

/** A secret for every endpoint, the same in every run, so that a failing test fails again. */
export function secretsFor(
  among: readonly NamedSource[],
  further: readonly EndpointDefinition[] = [],
): Record<string, string> {
  const secretOf = (_path: string, variable: string) => hash('sha256', `secret of ${variable}`);
  return makeSecrets({ sources: among, endpoints: further }, secretOf);
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
