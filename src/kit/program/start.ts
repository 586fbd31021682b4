import { setTimeout as sleep } from 'node:timers/promises';
import { notWritten, type App, type AppContext } from '../app.ts';
import type { AllHandlers, Calling } from '../handling/handle.ts';
import type { Inbox } from '../inbox/inbox.ts';
import type { Log } from '../log.ts';
import type { ApiTools } from '../outgoing/caller.ts';
import { openEndpoint } from '../endpoint/endpoint.ts';
import { definitionOf, type SettingDefinitions, type Source } from '../source.ts';
import { closest } from '../reading/closest.ts';
import type { InboxKey } from '../inbox/sealed/keys.ts';
import { openTapeStore, tapeIn } from '../tape/open.ts';
import { StoredTapeRecorder, type TapeRecorder } from '../tape/recorder.ts';
import type { Tape } from '../tape/tape.ts';
import { openApis, type OpenApis } from './apis.ts';
import type { Config } from './config.ts';
import type { Development } from './console.ts';
import { openServer, type Door } from './door.ts';
import { openFacts } from './facts.ts';
import { createSealing } from '../inbox/sealed/sealing.ts';
import { loadTracing } from '../tracing.ts';
import { createKeys, openInboxes, type Keys } from './inboxes.ts';
import { createIntake, type Intake } from './intake.ts';
import { openOperations, type Operations } from './operations/open.ts';
import type { Metrics } from './operations/metrics.ts';
import type { Readiness } from './operations/readiness.ts';
import type { Environment } from './reader.ts';
import type { GeneralSettings } from './variables.ts';
import { DAY_MS, startWork, type Work } from './work.ts';

/** A running process: receiver, worker, or both. */
export interface Program<Tools = unknown, At extends Door = Door> {
  /** Where it listens, without a slash at the end; empty in role worker, which takes no deliveries. */
  readonly url: string;
  /** Where it can be asked how it is; `undefined`: nowhere. */
  readonly adminUrl: string | undefined;
  /** Where the console is, or why nobody may look at it; `undefined`: there is none. */
  readonly console: string | undefined;
  readonly inbox: Inbox;
  /** What the app has opened. */
  readonly tools: Tools;
  readonly readiness: Readiness;
  /** `undefined`: nothing is counted, since nobody could ask. */
  readonly metrics: Metrics | undefined;
  /** The events of each source that nobody has written a handler for. */
  readonly notWritten: ReadonlyMap<Source, readonly string[]>;
  /** How many facts on its senders were not as assumed when it started. */
  readonly differing: number;
  /** `undefined` in role worker. */
  readonly door: At | undefined;
  /**
   * Takes the secrets, certificates and keys of another configuration in place of those it has, all of them or none; all
   * else must be the same.
   * @throws where one of them cannot be taken
   */
  renew(config: Config): Promise<void>;
  /** Resolves when nothing that is due is waiting for this process, and nothing runs in it. */
  idle(): Promise<void>;
  /** Is not ready any more; after SHUTDOWN_DELAY_MS stops accepting, finishes what is in flight, gives leases back, closes. */
  stop(): Promise<void>;
}

export interface StartOptions<At extends Door> {
  readonly openDoor: (config: Config, intake: Intake, log: Log) => At | Promise<At>;
  /** What the clients of the APIs work with in place of the clock and the network. */
  readonly apiTools?: Partial<ApiTools>;
  /** Counts without a port to ask at, too. */
  readonly counts?: boolean | undefined;
  /** It runs on a developer's machine, with these parts. */
  readonly development?: Development | undefined;
  /** For commands that the console runs; without it, it runs none. */
  readonly environment?: (() => Environment) | undefined;
}

/** Starts an app with a server of its own. @throws when the inbox cannot be opened or a port is taken, or as the app does */
export function start<Tools>(
  app: Startable<Tools>,
  config: Config,
  log: Log,
  options: Partial<StartOptions<Door>> = {},
): Promise<Program<Tools>> {
  return startAt(app, config, log, { openDoor: openServer, ...options });
}

/** An app whose sources and settings the compiler need not know. */
export type Startable<Tools = unknown> = Pick<
  App,
  'folder' | 'greeting' | 'sources' | 'endpoints' | 'settings'
> & {
  open(context: never): Tools | Promise<Tools>;
  handlers(tools: Tools): AllHandlers;
  steps?(tools: Tools): Calling['steps'];
  started?(tools: Tools, context: never): Stop | Promise<Stop>;
  close?(tools: Tools): void | Promise<void>;
};
type Stop = (() => void) | undefined;

/** One start, from top to bottom. What was opened is closed in the opposite order, also where the start fails. */
export async function startAt<Tools, At extends Door>(
  app: Startable<Tools>,
  config: Config,
  log: Log,
  { openDoor, apiTools, ...options }: StartOptions<At>,
): Promise<Program<Tools, At>> {
  await using opened = new AsyncDisposableStack();
  const { general, own: settings } = config;
  const { ROLE, SHUTDOWN_MS, SHUTDOWN_DELAY_MS } = general;
  const clients = await openApis(app.sources, config, apiTools);
  opened.defer(() => clients.close());
  const keys = createKeys(general);
  const tools = await openTools(app, { settings, clients, sealing: createSealing(keys.all), log });
  opened.defer(() => app.close?.(tools));
  const calling = callingOf(app, tools, config);
  const endpoints = await Promise.all(config.endpoints.map(openEndpoint));

  const { inbox, readiness } = await openInboxes(config, keys, log);
  opened.defer(() => inbox.close());
  const taping = await openTaping(general, keys.all, log);
  opened.use(taping.recorder);
  const notWritten = notWrittenIn(app, calling);
  const seen = { ...taping, endpoints, inbox, readiness, notWritten, log };
  const operations = opened.use(await openOperations(config, { ...app, ...calling, ...seen, ...options }));
  const facts = opened.use(await openFacts(general, app.sources, log));
  const told = { observed: facts.observed, metrics: operations.metrics, tracing: await loadTracing() };
  const parts = { endpoints, calling, tape: taping.recorder, log, step: operations.step, ...told };
  const intake = ROLE === 'worker' ? undefined : createIntake(config, { ...parts, inbox: readiness.inbox });
  const door = intake && (await openDoor(config, intake, log));
  let work: Work | undefined;
  opened.defer(async () => {
    await Promise.all([intake?.drain(SHUTDOWN_MS, door), work?.stop(SHUTDOWN_MS)]);
  });
  if (ROLE !== 'receiver') work = startWork(config, { ...parts, inbox });
  const ended = work && (await app.started?.(tools, { settings, inbox, log } as never)); // as above
  opened.defer(() => ended?.());

  readiness.enter('open');
  const running = opened.move();
  return {
    url: door?.url ?? '',
    ...{ adminUrl: operations.url, console: operations.console },
    inbox,
    tools,
    readiness,
    metrics: operations.metrics,
    notWritten,
    differing: facts.differing,
    door,
    renew: (next) => renewAll(next, { clients, keys, intake, door, operations }),
    idle: () => idleIn(intake, work),
    stop: async () => {
      readiness.enter('draining');
      intake?.leave();
      // Until whoever sends deliveries here has noticed, they still come.
      if (door !== undefined && SHUTDOWN_DELAY_MS > 0) await sleep(SHUTDOWN_DELAY_MS);
      await running.disposeAsync();
    },
  };
}

interface Offered extends Pick<AppContext<[], SettingDefinitions>, 'settings' | 'sealing' | 'log'> {
  readonly clients: OpenApis;
}

function openTools<Tools>(
  app: Startable<Tools>,
  { clients: { apis, apisOf }, ...offered }: Offered,
): Tools | Promise<Tools> {
  return app.open({ ...offered, apis, apisOf } as never); // `defineApp` checked it against these very sources
}

interface Taping {
  /** `undefined`: nothing is taped. */
  readonly recorder: TapeRecorder | undefined;
  readonly tape: Tape | undefined;
}

async function openTaping(
  { ROLE, TAPE, TAPE_DAYS, INBOX_URL }: GeneralSettings,
  keys: readonly InboxKey[],
  log: Log,
): Promise<Taping> {
  if (ROLE === 'worker' || TAPE === 'off') return { recorder: undefined, tape: undefined };
  const store = await openTapeStore(INBOX_URL);
  const options = { all: TAPE === 'all', keepMs: TAPE_DAYS * DAY_MS, key: () => keys[0], log };
  return { recorder: new StoredTapeRecorder(store, options), tape: tapeIn(store, keys) };
}

async function idleIn(intake: Intake | undefined, work: Work | undefined): Promise<void> {
  await intake?.settled();
  await work?.idle();
}

interface Renewed {
  readonly clients: OpenApis;
  readonly keys: Keys;
  readonly intake: Intake | undefined;
  readonly door: Door | undefined;
  readonly operations: Operations;
}

async function renewAll(next: Config, { clients, keys, intake, door, operations }: Renewed): Promise<void> {
  const endpoints = await Promise.all(next.endpoints.map(openEndpoint));
  const takeClients = await clients.prepare(next);
  const takeKeys = keys.prepare(next.general);
  // From here on nothing is waited for, and only the first of them can fail.
  if (next.tls !== undefined) door?.renew(next.tls);
  intake?.renew(next, endpoints);
  operations.renew(next);
  takeClients();
  takeKeys();
}

function notWrittenIn(
  { sources }: Pick<Startable, 'sources'>,
  { handlers }: Calling,
): ReadonlyMap<Source, readonly string[]> {
  const of = ({ name, events }: Source) =>
    Object.keys(events).filter((type) => handlers[name]?.[type] === notWritten);
  return new Map(sources.map((source) => [source, of(source)]));
}

/** The app's functions, with what is wrong with them said before the first delivery. */
function callingOf<Tools>(app: Startable<Tools>, tools: Tools, { general }: Config): Calling {
  const given = app.handlers(tools);
  const steps = app.steps?.(tools) ?? [];
  for (const source of app.sources) refuseStrangers(app, source, given[source.name] ?? {});
  const names = steps.map(({ step }) => step.name);
  // Of two steps with one name only one would ever run.
  const doubled = names.find((name, index) => names.indexOf(name) !== index);
  if (doubled !== undefined) throw new Error(`${app.folder} has two steps with the name ${doubled}.`);
  const handlers = Object.fromEntries(
    app.sources.map((source) => [source.name, completed(source, given[source.name])]),
  );
  return { handlers, steps, maxAttempts: general.HANDLER_ATTEMPTS };
}

function refuseStrangers(
  { folder }: Pick<App, 'folder'>,
  source: Source,
  handlers: AllHandlers[string],
): void {
  const stranger = Object.keys(handlers).find((type) => definitionOf(source, type) === undefined);
  if (stranger === undefined) return;
  const guess = closest(stranger, Object.keys(source.events));
  const hint = guess === undefined ? '' : ` Did you mean ${guess}?`;
  throw new Error(`${folder} has a handler for ${source.name} ${stranger}, which is no event of it.${hint}`);
}

/** The compiler demands every handler; where it was not asked, as after an update, the rest are not written. */
function completed({ events }: Source, handlers: AllHandlers[string] = {}): AllHandlers[string] {
  return { ...Object.fromEntries(Object.keys(events).map((type) => [type, notWritten])), ...handlers };
}
