import type { App } from '../kit/app.ts';
import type { Entry, Inbox } from '../kit/inbox/inbox.ts';
import { createSealing } from '../kit/inbox/sealed/sealing.ts';
import { createLog } from '../kit/log.ts';
import { readConfig } from '../kit/program/config.ts';
import type { Environment } from '../kit/program/reader.ts';
import { start, type Startable } from '../kit/program/start.ts';
import {
  definitionOf,
  type Catalogue,
  type NamedSource,
  type Occurrence,
  type SettingDefinitions,
} from '../kit/source.ts';
import { parse } from '../kit/reading/json.ts';
import type { Step } from '../kit/step.ts';
import { bytesOf, exchange, type Observation, type WireRequest } from './conformance/wire.ts';
import { createRandom } from './mock/random.ts';
import { createSender, type Fired, type FireOptions } from './mock/sender.ts';
import { secretsFor } from './rig/secrets.ts';
import { credentialsFrom } from './stage/credentials.ts';

// For tests of one's own handlers: without HTTP, and through the front door.

type EventsOf<Sources extends readonly NamedSource[], Name> =
  Extract<Sources[number], { readonly name: Name }> extends NamedSource<
    string,
    infer Events extends Catalogue
  >
    ? Events
    : never;
type PayloadOf<Events, Type> = Type extends keyof Events
  ? Events[Type] extends { readonly example: infer Payload }
    ? Payload
    : never
  : never;

export interface CallOptions<Payload, Tools> {
  /** The catalogue's example by default. */
  readonly payload?: Payload;
  /** What the handler works with, in place of what the app opens. */
  readonly tools?: Tools;
  /** For the app's own settings. */
  readonly env?: Environment;
  readonly occurrence?: Partial<
    Pick<Occurrence, 'id' | 'installation' | 'attempt' | 'lastAttempt' | 'signal'>
  >;
}

/** What a handler did. */
export interface Called {
  /** What it returned: the answer of a reply event, checked; else a note, `unchanged`, or nothing. */
  readonly returned: unknown;
  /** What it asked to be done after it. */
  readonly followUps: readonly { readonly step: string; readonly data: unknown }[];
}

/**
 * Calls one handler of an app as the worker does, without HTTP and without an inbox. The payload goes through the event's
 * schema, and so does an answer.
 * @throws what the handler throws, DeadLetter for a payload or answer that does not fit
 */
export async function callHandler<
  const Sources extends readonly NamedSource[],
  Own extends SettingDefinitions,
  Tools,
  Name extends Sources[number]['name'],
  Type extends keyof EventsOf<Sources, Name> & string,
>(
  app: App<Sources, Own, Tools>,
  source: Name,
  type: Type,
  {
    payload,
    tools: given,
    env = {},
    occurrence = {},
  }: CallOptions<PayloadOf<EventsOf<Sources, Name>, Type>, Tools> = {},
): Promise<Called> {
  const sheet = app.sources.find(({ name }) => name === source);
  const definition = sheet && definitionOf(sheet, type);
  if (definition === undefined) throw new Error(`${app.folder} has no event ${source} ${type}.`);
  const tools = given ?? (await openTools(app, env));
  try {
    const followUps: { step: string; data: unknown }[] = [];
    const event: Occurrence = {
      type,
      id: undefined,
      payload: parse(definition.schema, payload ?? definition.example, 'payload_invalid'),
      endpoint: `/${source}/${type}`,
      installation: undefined,
      attempt: 1,
      lastAttempt: false,
      receivedAt: new Date(),
      signal: new AbortController().signal,
      followUp: (step: Step, data) => {
        followUps.push({ step: step.name, data: parse(step.schema, data, 'step_data_invalid') });
      },
      ...occurrence,
    };
    const handlers = app.handlers(tools) as Readonly<Record<string, Readonly<Record<string, Handler>>>>; // `App` says so
    const returned: unknown = await handlers[source]?.[type]?.(event);
    const answer =
      definition.mode === 'reply' ? parse(definition.answer, returned, 'answer_invalid') : returned;
    return { returned: answer, followUps };
  } finally {
    if (given === undefined) await app.close?.(tools);
  }
}

type Handler = (event: Occurrence) => unknown;

async function openTools<Sources extends readonly NamedSource[], Own extends SettingDefinitions, Tools>(
  app: App<Sources, Own, Tools>,
  env: Environment,
): Promise<Tools> {
  const { own } = readConfig({ ...secretsFor(app), ...env }, app);
  // Read by this app's definitions; no API is configured.
  const [sealing, log] = [createSealing([]), createLog('silent')];
  return app.open({ settings: own, apis: {}, apisOf: () => ({}), sealing, log } as never);
}

/** A receiver under test, and the products as its senders. */
export interface UnderTest<Tools> {
  /** Sends an event as its product would; resolves when it is handled, with the reply and what became of it. */
  readonly send: (source: string, type: string, options?: FireOptions) => Promise<Sent>;
  /** Sends a request as it is. */
  readonly deliver: (request: WireRequest) => Promise<Pick<Observation, 'status'> & Pick<Sent, 'entry'>>;
  readonly inbox: Inbox;
  /** What the app has opened. */
  readonly tools: Tools;
  /** Every log line so far. */
  readonly log: readonly LogLine[];
}

export interface Sent extends Fired {
  /** The entry of the inbox that it became, as it ended; `undefined` when it was refused. */
  readonly entry: Entry | undefined;
}

const TIMEOUT_MS = 30_000;

type LogLine = Readonly<Record<string, unknown>>;

/** Starts an app on a free port, its inbox in memory and every endpoint open, and stops it when `use` has ended. */
export async function withReceiver<Tools, Result>(
  app: Startable<Tools>,
  use: (receiver: UnderTest<Tools>) => Promise<Result>,
  env: Environment = {},
): Promise<Result> {
  const whole = { ...secretsFor(app), PORT: '0', ADMIN_PORT: 'off', INBOX_URL: 'memory:', ...env };
  const log: LogLine[] = [];
  // pino writes one JSON object a line.
  const write = (line: string) => void log.push(JSON.parse(line) as LogLine);
  const program = await start(app, readConfig(whole, app), createLog('info', { write }));
  const url = new URL(program.url);
  const credentialsOf = credentialsFrom(whole, app);
  const random = createRandom(1);
  /** What is sent, and the entry that came of it. */
  async function watched<Sending>(sending: () => Promise<Sending>): Promise<Sending & Pick<Sent, 'entry'>> {
    const [before] = await program.inbox.list({ limit: 1 });
    const sent = await sending();
    await program.idle();
    const entries = await program.inbox.list({ limit: 100 });
    // Follow-up work is of our own making, and has no path.
    const isNews = ({ seq, endpoint }: Entry) => seq > (before?.seq ?? 0) && endpoint.startsWith('/');
    return { ...sent, entry: entries.findLast(isNews) };
  }
  try {
    return await use({
      inbox: program.inbox,
      tools: program.tools,
      log,
      deliver: (request) => watched(() => exchange(bytesOf(request, url), { url, timeoutMs: TIMEOUT_MS })),
      async send(name, type, options = {}) {
        const source = app.sources.find((candidate) => candidate.name === name);
        if (source === undefined) throw new Error(`${app.folder} has no source ${name}.`);
        const sender = createSender({ source, url, random, credentialFor: credentialsOf(source) });
        return watched(() => sender.fire(type, options).finally(() => sender.close()));
      },
    });
  } finally {
    await program.stop();
  }
}
