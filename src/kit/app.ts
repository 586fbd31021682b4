import { DeadLetter } from './errors.ts';
import type { Inbox } from './inbox/inbox.ts';
import type { Sealing } from './inbox/sealed/sealing.ts';
import type { Log } from './log.ts';
import type {
  ApiDefinition,
  Catalogue,
  EndpointDefinition,
  HandlersOf,
  NamedSource,
  SettingDefinitions,
  SettingValues,
  Source,
} from './source.ts';
import type { RunnableStep } from './step.ts';

/** An application on this kit: which sources it listens to, what can be set, and what it does with each event. */
export interface App<
  Sources extends readonly NamedSource[] = readonly NamedSource[],
  Own extends SettingDefinitions = SettingDefinitions,
  Tools = unknown,
> {
  /** Where it is, for messages: `src/app`. */
  readonly folder: string;
  /** A sentence for the person who starts it, printed under the endpoints. */
  readonly greeting?: string;
  /** Whose events it takes. What is not in this list has no endpoint and no setting, and needs no handler. */
  readonly sources: Sources;
  /** Your own environment variables, read, checked and listed together with the kit's. */
  readonly settings?: Own;
  /** Endpoints besides the one that every event type has: a second webhook of one event, a second tenant. */
  readonly endpoints?: readonly EndpointDefinition[];
  /** Opens what the handlers work with: a client of your own system, a mail server. Called once, before the inbox opens. */
  open(context: AppContext<Sources, Own>): Tools | Promise<Tools>;
  /** One function per event; the compiler says what is missing. */
  handlers(tools: Tools): HandlersBySource<Sources>;
  /** What is done for each step that a handler asks for with `followUp`. */
  steps?(tools: Tools): readonly RunnableStep[];
  /** Called once the inbox is open, in a process that handles entries. What it returns is called before the inbox closes. */
  started?(tools: Tools, context: StartedContext<Own>): Awaitable<(() => void) | undefined>;
  /** Closes what `open` opened, after everything else. */
  close?(tools: Tools): Awaitable<void>;
}

type Awaitable<T> = T | Promise<T>;

/** What an app can open its tools with. */
export interface AppContext<Sources extends readonly NamedSource[], Own extends SettingDefinitions> {
  readonly settings: SettingValues<Own>;
  /** The clients of the products' APIs, those that are configured. */
  readonly apis: Apis<Sources[number]>;
  /** The clients to be used for an event, or a step: those of its installation, where that has an API of its own. */
  readonly apisOf: ApisOf<Sources[number]>;
  /** For what it keeps itself: encrypts with INBOX_KEYS, as the inbox does, those of each moment. */
  readonly sealing: Sealing;
  readonly log: Log;
}

export interface StartedContext<Own extends SettingDefinitions = SettingDefinitions> {
  readonly settings: SettingValues<Own>;
  readonly inbox: Inbox;
  readonly log: Log;
}

/** Chooses the clients by whose event it is. */
export type ApisOf<Sources extends NamedSource> = (event: {
  readonly installation: string | undefined;
}) => Apis<Sources>;

/** By the source's name. */
export type Apis<Sources extends NamedSource> = {
  readonly [Name in Sources['name']]?: ClientOf<Extract<Sources, { readonly name: Name }>> | undefined;
};

type ClientOf<S> = S extends { readonly api?: infer Api } ? OpenedBy<Extract<Api, ApiDefinition>> : never;

/** Nothing for a source without an API. */
type OpenedBy<Api> = Api extends { open(settings: never): Promise<infer Client> }
  ? Exclude<Client, undefined>
  : never;

/** One handler for each event of each source; none for a product that is not among the sources. */
export type HandlersBySource<Sources extends readonly NamedSource[]> = {
  readonly [Name in Sources[number]['name']]: HandlersFor<Extract<Sources[number], { readonly name: Name }>>;
} & Partial<Readonly<Record<Exclude<Product, Sources[number]['name']>, never>>>;

type HandlersFor<S> = S extends Source<infer Events extends Catalogue> ? HandlersOf<Events> : never;

/** The products that the kit knows: forgotten handlers of one that is not listened to do not compile. */
type Product = 'hotdocs' | 'phenixid' | 'risr';

/** Checks an app and keeps its exact types. */
export function defineApp<
  const Sources extends readonly NamedSource[],
  // eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- an app without settings of its own
  const Own extends SettingDefinitions = Record<never, never>,
  Tools = unknown,
>(app: App<Sources, Own, Tools>): App<Sources, Own, Tools> {
  return app;
}

/**
 * The handler of an event for which nobody has written one yet. The event is not lost: its entry becomes a dead letter,
 * and `npm run inbox -- replay --dead` handles it once the handler is there. Where somebody waits for an answer, he gets
 * the source's harmless one.
 */
export function notWritten({ type }: { readonly type: string }): never {
  throw new DeadLetter(
    'handler_not_written',
    `The app has no handler for ${type} yet. Write it, then replay.`,
  );
}
