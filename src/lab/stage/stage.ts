import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { PortTaken, urlOf } from '../../kit/http/listen.ts';
import { createLog, type Log } from '../../kit/log.ts';
import { sleepUnlessAborted } from '../../kit/outgoing/retry.ts';
import { readConfig } from '../../kit/program/config.ts';
import type { Environment } from '../../kit/program/reader.ts';
import { start, type Program, type Startable } from '../../kit/program/start.ts';
import { startReconciliation, type OpenTask } from '../../kit/sources/phenixid/reconciliation.ts';
import { createMockPage } from '../console/mock-page.ts';
import { createChaos, type Chaos } from '../mock/chaos.ts';
import { createRandom } from '../mock/random.ts';
import type { ReceiverView, World } from '../mock/scenarios/scenario.ts';
import type { Fired, Sender } from '../mock/sender.ts';
import { secretsFor } from '../rig/secrets.ts';
import { listenOnFree, openMock, type Mock } from './mock.ts';
import { apiEnvironment, type Products } from './products.ts';

/** The app that plays the receiver's part, and what a stage must know of it. */
export interface Staged<Tools = unknown> {
  readonly app: Startable<Tools>;
  /** Where it keeps its things: in this folder, or nowhere on disk as far as it can do without. */
  env(folder: string, fleeting: boolean): Environment;
  /** Puts there what the first event must find. */
  furnish(tools: Tools): void;
  view(tools: Tools, folder: string): ReceiverView;
  openTasks(tools: Tools): readonly OpenTask[];
}

/** Receiver and mock in one process, for demonstrations. */
export interface Stage {
  readonly app: Program;
  readonly mockUrl: string;
  readonly senders: readonly Sender[];
  readonly world: World;
  /** What the products have sent, in that order. */
  readonly fired: readonly Fired[];
  readonly chaos: Chaos | undefined;
  readonly log: LogLines;
  /** What the receiver was started with. */
  readonly env: Environment;
  /** Resolves when all that was sent is handled and nothing more is on its way, or never will be. */
  settle(): Promise<void>;
  tearDown(): Promise<void>;
}

export interface StageOptions {
  /** Of a bad day on the network; without it all is well. */
  readonly chaosSeed?: number | undefined;
  /** Any ports, and neither inbox nor records on disk. */
  readonly fleeting?: boolean;
  /** Of the receiver, over what it has by itself. */
  readonly env?: Environment;
}

/** Starts both with fresh secrets, all their files in one folder; on the usual ports if those are free. */
export async function setUp<Tools>(
  staged: Staged<Tools>,
  folder: string,
  options: StageOptions = {},
): Promise<Stage> {
  const server = createServer();
  await listenOnFree(server, options.fleeting === true ? 0 : 4000);
  try {
    return await setUpWith(staged, server, folder, options);
  } catch (error) {
    server.close();
    throw error;
  }
}

async function setUpWith<Tools>(
  staged: Staged<Tools>,
  server: Server,
  folder: string,
  { chaosSeed, fleeting = false, env: further }: StageOptions,
): Promise<Stage> {
  const env = {
    ...freshEnvironment(staged.app, folder, urlOf(server, 'http')),
    ...staged.env(folder, fleeting),
    ...(fleeting && { PORT: '0', ADMIN_PORT: 'off', INBOX_URL: 'memory:' }),
    ...further,
  };
  const log = createLogLines();
  const opened = Promise.withResolvers<Mock>();
  const app = await startOnFreePort(staged.app, env, log.log, {
    ...(chaosSeed !== undefined && { apiTools: hasty }),
    development: { pages: [createMockPage(opened.promise)] },
    environment: () => env,
  });
  staged.furnish(app.tools);

  const seed = chaosSeed ?? randomInt(2 ** 31);
  const chaos = chaosSeed === undefined ? undefined : createChaos({ seed, maxDelayMs: 30, isLost });
  const mock = openMock(server, { app: staged.app, env, receiver: new URL(app.url), seed, chaos });
  opened.resolve(mock);
  const { products, senders, fired } = mock;

  const openTasks = () => staged.openTasks(app.tools);
  const parts = { app, openTasks, log: log.log, products, chaos };
  return {
    app,
    mockUrl: mock.origin,
    senders,
    world: { ...products, receiver: staged.view(app.tools, folder), random: createRandom(seed) },
    fired,
    chaos,
    log,
    env,
    settle: () => settle(parts),
    async tearDown() {
      await app.stop();
      mock.close();
    },
  };
}

/**
 * Signing Workflow sends nothing again. A task of which nothing ever arrived stays unknown, and one that is reopened
 * after it had expired is not asked after.
 */
function isLost(source: string, type: string): boolean {
  return source === 'phenixid' && type !== 'OrderCreated' && type !== 'OrderDueDateUpdated';
}

interface Parts {
  readonly app: Program;
  readonly openTasks: () => readonly OpenTask[];
  readonly log: Log;
  readonly products: Products;
  readonly chaos: Chaos | undefined;
}

async function settle(parts: Parts): Promise<void> {
  await untilQuiet(parts);
  if (parts.chaos === undefined) return;
  const { openTasks, app, log } = parts;
  const stopAsking = await startReconciliation({ openTasks, inbox: app.inbox, everyMs: HOUR_MS, log });
  stopAsking();
  await untilQuiet(parts);
}

const HOUR_MS = 3_600_000;
const PATIENCE_MS = 15_000;

/** Of what failed is not waited for longer than a moment: an operator looks after it. */
async function untilQuiet({ app, products, chaos }: Parts): Promise<void> {
  const begun = performance.now();
  let before = -1;
  while (performance.now() - begun < PATIENCE_MS) {
    const { hotdocs, phenixid, risr } = products;
    await Promise.all([hotdocs.settled(), phenixid.settled(), risr.settled()]);
    await chaos?.settled();
    await app.idle();
    const { waiting, running, done, dead } = await app.inbox.stats();
    if (waiting + running === 0 && done + dead === before) return;
    before = done + dead;
    for (const { seq } of await app.inbox.list({ status: 'waiting', limit: 100 }))
      await app.inbox.replay(seq);
    await pause(5);
  }
}

function freshEnvironment(app: Startable, folder: string, mockUrl: string): Environment {
  return {
    ...secretsFor(app),
    INBOX_URL: `sqlite:${join(folder, 'inbox.db')}`,
    ...apiEnvironment(mockUrl),
    PHENIXID_API_UNKNOWN_DELAYS_MS: '50,200',
    PHENIXID_API_CALLS_PER_SECOND: '1000',
    RISR_API_CALLS_PER_SECOND: '1000',
  };
}

/** On a bad day the clients of the APIs hardly wait before they try again, so that it passes in a second. */
const hasty = {
  sleep: (ms: number, signal: AbortSignal | undefined) => sleepUnlessAborted(Math.min(ms, 10), signal),
};

async function startOnFreePort<Tools>(
  app: Startable<Tools>,
  env: Environment,
  log: Log,
  options: Parameters<typeof start>[3],
): Promise<Program<Tools>> {
  try {
    return await start(app, readConfig(env, app), log, options);
  } catch (error) {
    if (!(error instanceof PortTaken)) throw error;
    return start(app, readConfig({ ...env, PORT: '0', ADMIN_PORT: '0' }, app), log, options);
  }
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
