import type { z } from 'zod';
import type { Fact } from './facts/fact.ts';
import type { ApiTools } from './outgoing/caller.ts';
import type { CertificateDemand } from './proofs/client-certificate.ts';
import type { Proof } from './proofs/proof.ts';
import type { JsonObject } from './reading/json.ts';
import type { FollowUp, Said } from './step.ts';

/**
 * One sending system, written down once and in both directions: what the receiver verifies, the mock signs; what it
 * reads, the mock writes; what it replies, the mock judges. Router, inbox keys, handler types, mock, contract tests and
 * the tables of the READMEs are computed from it.
 */
export interface Source<
  Events extends Catalogue = Catalogue,
  Setting extends SettingDefinitions = SettingDefinitions,
  Switch extends SwitchDefinitions = SwitchDefinitions,
  Api extends ApiDefinition | undefined = ApiDefinition | undefined,
> {
  /** First segment of its paths, prefix of its environment variables. */
  readonly name: string;
  readonly title: string;
  readonly docs: URL;
  /** `event`: one endpoint per event type, at `/source/EventType`. `source`: one for all, at `/source`. */
  readonly endpointPer: 'event' | 'source';
  /** The sender may write a slash or two behind the path, and `?key=` names one of several installations. */
  readonly installations?: boolean;
  /** What an operator can set, each as `SOURCE_ENDPOINT_NAME`, or `SOURCE_NAME` for all its endpoints. */
  readonly settings: Setting;
  /** Its API, where handlers call back. */
  readonly api?: Api;
  /** What the mock can vary in a request. */
  readonly switches: Switch;
  readonly events: Events;
  /** What is assumed of it, and how a delivery shows whether it is so. */
  readonly facts?: readonly Fact[];
  /** The order in which its events happen in life, for demonstrations; those left out come last. */
  readonly story?: readonly (keyof NoInfer<Events> & string)[];
  /**
   * The HTTP methods this sender uses for an event type (of any, when `undefined`), the usual one first; with settings,
   * those of them that are taken.
   */
  methods(type: string | undefined, settings?: SettingValues<Setting>): readonly string[];
  limits(settings: SettingValues<Setting>): Limits;
  /** For a sender that can show a client certificate: what it must be, where one is demanded besides the proof. */
  clientCertificate?(settings: SettingValues<Setting>): CertificateDemand;
  readonly proof: {
    /** By kind of credential: the variable's last word (`…_SECRET`, `…_TOKEN`) chooses the proof. */
    readonly kinds: Readonly<Record<string, CredentialKind<SettingValues<Setting>>>>;
    /** The proof used with no credential at all, where an operator has chosen so in words; else `undefined`. */
    without?(settings: SettingValues<Setting>): Proof | undefined;
    /** Puts proven content into the request that this sender would make. */
    sign(content: Buffer, to: Destination, switches: SwitchValues<Switch>): Promise<OutgoingRequest>;
    /** Names of the requests it can make that only look proven: `alg-none`, `missing-proof`. */
    readonly forgeries: readonly string[];
    forge(
      forgery: string,
      content: Buffer,
      to: Destination,
      switches: SwitchValues<Switch>,
    ): Promise<OutgoingRequest>;
  };
  readonly envelope: {
    /** The headers that `read` is given besides the content, in lower case, and whether the proof covers them. */
    readonly headers?: Readonly<Record<string, 'signed' | 'unsigned'>>;
    /**
     * Reads authenticated bytes, and of the delivery no more than the headers that are named above. Of those, what is
     * unsigned may say what the sender calls the event; as a key it would let anybody send a recorded delivery again.
     * `value` is the JSON in the bytes, where the proof has read it already.
     * @throws DeadLetter when they are not what this sender writes
     */
    read(
      content: Buffer,
      endpoint: EndpointDefinition,
      settings: SettingValues<Setting>,
      headers: EnvelopeHeaders,
      value?: JsonObject,
    ): Envelope;
    write(event: OutgoingEvent, switches: SwitchValues<Switch>): Buffer;
  };
  readonly reply: {
    /** To a stored notification, and to its duplicate. */
    readonly accepted: ReplyContent;
    /**
     * To a *reply* event: `answer` has passed the event's answer schema.
     * @throws DeadLetter `answer_too_large`
     */
    answer(answer: unknown, type: string, settings: SettingValues<Setting>): ReplyContent;
    /** To a *reply* event whose handler failed: what does the waiting person the least harm. */
    harmless(type: string, settings: SettingValues<Setting>): ReplyContent;
    /** What this sender makes of a reply. */
    judge(reply: ReceivedReply, type: string, switches: SwitchValues<Switch>): Verdict;
  };
}

/** Checks a data sheet and keeps its name and the exact types of its events for the handlers. */
export function defineSource<
  const Name extends string,
  Events extends Catalogue,
  const Setting extends SettingDefinitions,
  const Switch extends SwitchDefinitions,
  Api extends ApiDefinition | undefined = undefined,
>(sheet: Source<Events, Setting, Switch, Api> & { readonly name: Name }): NamedSource<Name, Events, Api> {
  return sheet;
}

/** A data sheet whose name, events and API the compiler knows. */
export type NamedSource<
  Name extends string = string,
  Events extends Catalogue = Catalogue,
  Api extends ApiDefinition | undefined = ApiDefinition | undefined,
> = Source<Events, SettingDefinitions, SwitchDefinitions, Api> & { readonly name: Name };

// Events

/** A source's events by their type, spelled exactly as the sender spells it. */
export type Catalogue = Readonly<Record<string, EventDefinition>>;

export type EventDefinition = NotifyEvent<z.ZodType> | ReplyEvent<z.ZodType, z.ZodType>;

/** Nobody waits: stored, answered, then handled by the worker. */
export interface NotifyEvent<Schema extends z.ZodType> extends EventBasics<Schema> {
  readonly mode: 'notify';
}

/** Someone waits in a browser: handled within a deadline, and the handler's answer is the reply. */
export interface ReplyEvent<Schema extends z.ZodType, Answer extends z.ZodType> extends EventBasics<Schema> {
  readonly mode: 'reply';
  /** What the handler must answer. */
  readonly answer: Answer;
  /** A few words on an answer, kept with the entry; nothing personal. */
  describe(answer: z.output<Answer>): string;
  /** After a failure: `retry` lets the worker do the work later; `record` only keeps the cause, the moment is gone. */
  readonly afterFailure: 'retry' | 'record';
}

interface EventBasics<Schema extends z.ZodType> {
  readonly summary: string;
  readonly schema: Schema;
  readonly example: z.output<Schema>;
  /** Handlers of one subject never run at the same time. Events without one have nothing to protect. */
  subject?(payload: Listed<z.output<Schema>>): string;
}

// In this order of the two, the compiler's complaint about an example names the member that is wrong.
/** One entry of a catalogue; the example is checked against the schema by the compiler. */
export function event<Schema extends z.ZodType, Answer extends z.ZodType>(
  definition: ReplyEvent<Schema, Answer>,
): ReplyEvent<Schema, Answer>;
export function event<Schema extends z.ZodType>(definition: NotifyEvent<Schema>): NotifyEvent<Schema>;
export function event(definition: EventDefinition): EventDefinition {
  return definition;
}

/** The definition of an event type, or `undefined`; never one of Object's own members. */
export function definitionOf(source: Source, type: string): EventDefinition | undefined {
  return Object.hasOwn(source.events, type) ? source.events[type] : undefined;
}

// Handlers

/** What a handler is told. */
export interface Occurrence<Type extends string = string, Payload = unknown> {
  readonly type: Type;
  /** The sender's own id of the event, where it has one. */
  readonly id: string | undefined;
  readonly payload: Payload;
  /** Path of the endpoint it came to, for integrators with several. */
  readonly endpoint: string;
  /** Whose event it is: what `?key=` named, or the endpoint is defined for. Their ids are not unique among them. */
  readonly installation: string | undefined;
  /** First is 1. More than 1: an earlier attempt failed or was interrupted, and may have done part of its work. */
  readonly attempt: number;
  /** When it fails, the entry is a dead letter: what others must be told of the failure has to be told now. */
  readonly lastAttempt: boolean;
  readonly receivedAt: Date;
  /** Aborts when the handler's time is over. */
  readonly signal: AbortSignal;
  /** Asks for durable work to be done after this: see `defineStep`. */
  readonly followUp: FollowUp;
}

type Awaitable<T> = T | Promise<T>;

/**
 * A payload by the members that its schema lists: a misspelt one does not compile, and the compiler says which was meant.
 * `allMembers` gives what a loose schema lets through besides.
 */
export type Listed<Value> = Value extends (...parameters: never) => unknown
  ? Value
  : Value extends readonly unknown[]
    ? { [Index in keyof Value]: Listed<Value[Index]> }
    : Value extends object
      ? ListedMembers<Value>
      : Value;

/** What has no member of a fixed name is a record, and stays one. */
type ListedMembers<Value> = keyof Fixed<Value> extends never
  ? Value
  : { [Name in keyof Fixed<Value>]: Listed<Fixed<Value>[Name]> };
type Fixed<Value> = {
  [Name in keyof Value as string extends Name ? never : number extends Name ? never : Name]: Value[Name];
};

/**
 * One function per event type. A notify handler may return a few words on what it did, which are kept with the entry, or
 * say with `unchanged` that the event told it nothing new.
 */
export type HandlersOf<Events extends Catalogue> = {
  readonly [Type in keyof Events & string]: (
    event: Occurrence<Type, Listed<z.output<Events[Type]['schema']>>>,
  ) => Awaitable<Events[Type] extends ReplyEvent<z.ZodType, infer Answer> ? z.input<Answer> : Said>;
};

// Endpoints and settings

/** One path that deliveries of a source come to. */
export interface EndpointDefinition {
  readonly source: string;
  /** The one event type it serves; `undefined` serves all of its source. */
  readonly type: string | undefined;
  readonly path: string;
  /** Whose deliveries come to it, where it is that of a second tenant. */
  readonly installation?: string | undefined;
}

export interface SettingDefinition<Value = unknown> {
  /** From the text of an environment variable to the value. */
  readonly schema: z.ZodType<Value, string>;
  /** As one would write it in the environment. */
  readonly default: string;
  readonly summary: string;
  /** The value may be kept in a file, named by the variable with `_FILE` behind it: passwords, certificates. */
  readonly file?: true;
}
export type SettingDefinitions = Readonly<Record<string, SettingDefinition>>;
export type Settings = Readonly<Record<string, unknown>>;
export type SettingValues<Definitions extends SettingDefinitions> = {
  readonly [Name in keyof Definitions]: z.output<Definitions[Name]['schema']>;
};

/**
 * A source's API: what an operator can set of it, each as `SOURCE_NAME` for all its endpoints, or all of it again as
 * `SOURCE_INSTALLATION_NAME`; and its client.
 */
export interface ApiDefinition<
  Api extends SettingDefinitions = SettingDefinitions,
  Client extends ApiClient = ApiClient,
> {
  readonly settings: Api;
  /** Without these there is no API to call; some of them without the others are a mistake. */
  readonly needed: readonly string[];
  /**
   * Opens the client; nothing where the API is not set up. Its code is loaded only then.
   * @throws if a host or certificate in the settings cannot be read
   */
  open(settings: SettingValues<Api>, tools?: Partial<ApiTools>): Promise<Client | undefined>;
}

/** What every client of an API has. */
export interface ApiClient {
  close(): Promise<void>;
}

/** Keeps the types of an API's settings and client. */
export function defineApi<const Api extends SettingDefinitions, Client extends ApiClient>(
  api: ApiDefinition<Api, Client>,
): ApiDefinition<Api, Client> {
  return api;
}

/** What the receiver itself must know of an endpoint. */
export interface Limits {
  readonly maxBodyBytes: number;
  /** A reply event's handler has this long. */
  readonly deadlineMs: number;
  /** When a reply event's handler fails: the source's harmless answer, or status 503. */
  readonly onFailure: 'harmless' | 'error';
}

export interface CredentialKind<Values = Settings> {
  readonly summary: string;
  /** Where at the sender the text stands, for whoever changes it: the rest of a sentence. */
  readonly place?: string;
  /** The sender makes the text, and takes no other. */
  readonly madeThere?: true;
  /** How the credential's text becomes key bytes; two entries try both. */
  keyEncodings(settings: Values): readonly ('utf8' | 'base64')[];
  proof(settings: Values): Proof;
  /** Why its sender may not use this text as we do, if it may not; said at start, behind the name of the variable. */
  doubt?(text: string): string | undefined;
}

// What comes out of a delivery

/** By name; nothing where it was not there, or more than once. */
export type EnvelopeHeaders = Readonly<Record<string, string | undefined>>;

/** What a source wraps around its business data. */
export interface Envelope {
  readonly type: string;
  /** The sender's own id of the event, for people. */
  readonly id: string | undefined;
  /** Two deliveries of one endpoint with the same key are one event; without a key repeats are legitimate. */
  readonly key: string | undefined;
  readonly payload: unknown;
  /** The sender is only trying the connection: verified, stored, answered, and no handler called. */
  readonly test?: true;
}

export interface ReplyContent {
  readonly status: number;
  readonly type: 'json' | 'html' | 'none';
  readonly body: string;
  /** Texts of the scripts in a page that may run: constant ones, with nothing in them that came from outside. */
  readonly scripts?: readonly string[];
}

// The sender's half

/** Choices offered by one switch, the default first; a switch without choices takes any text. */
export interface SwitchDefinition {
  readonly values?: readonly [string, ...string[]];
  /** Default of a switch that takes any text; where it is a whole number, of one that takes whole numbers. */
  readonly text?: string;
  readonly summary: string;
  /** Choices besides the first that any receiver must take: the sender's papers show them, or leave open which it is. */
  readonly expected?: (type: string) => readonly string[];
  /** One choice that both sides are set to: no receiver takes several. */
  readonly agreed?: true;
}
export type SwitchDefinitions = Readonly<Record<string, SwitchDefinition>>;
export type Switches = Readonly<Record<string, string>>;
export type SwitchValues<Definitions extends SwitchDefinitions> = {
  readonly [Name in keyof Definitions]: Definitions[Name] extends {
    readonly values: readonly (infer Value extends string)[];
  }
    ? Value
    : string;
};

/** An event about to happen on the sender's side. */
export interface OutgoingEvent {
  readonly type: string;
  readonly id: string;
  readonly payload: unknown;
  readonly at: Date;
}

/** Where the mock sends, and what it proves itself with. */
export interface Destination {
  readonly path: string;
  readonly type: string;
  /** Of the event, for a sender that writes it outside of the content. */
  readonly id?: string;
  readonly credential: { readonly kind: string; readonly text: string };
}

export interface OutgoingRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface ReceivedReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly ms: number;
}

/** Whether this sender would count the reply as success, and what it would say about it. */
export interface Verdict {
  readonly ok: boolean;
  readonly says: string;
}
