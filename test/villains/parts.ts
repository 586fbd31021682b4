import type { IncomingHttpHeaders, IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { ServerOptions as SecureServerOptions } from 'node:https';
import type { Journal } from './journal.ts';

// What a small receiver is put together from. It shares no code with this kit, so that a mistake of the kit's is not
// also its own; each villain replaces one part.

/** What proves deliveries to a path: `SECRET` signs them, `TOKEN` is sent along with them. */
export interface Credential {
  readonly kind: string;
  readonly text: string;
  /** What `?key=` must say, where PhenixID has several installations. */
  readonly key?: string;
}

/** By path, `?key=` behind it for a second installation of PhenixID. */
export type Credentials = ReadonlyMap<string, Credential>;

export type SourceName = 'hotdocs' | 'phenixid' | 'risr';

/** Where a request goes. */
export interface Route {
  readonly path: string;
  readonly source: SourceName;
  /** `undefined` where one path serves all events of its source. */
  readonly type: string | undefined;
  readonly credential: Credential;
}

/** A request, its body read. */
export interface Delivery {
  readonly route: Route;
  readonly method: string;
  /** Without question mark. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** What a proven delivery says. */
export interface Event {
  readonly source: SourceName;
  readonly type: string;
  /** HotDocs eventId (of an action link the workItemId), risr webhook_request_id, PhenixID taskId. */
  readonly ref: string;
  /** Two with the same key are one event. */
  readonly key: string | undefined;
  /** What the event is about. */
  readonly subject: string | undefined;
  /** Which state of a document it tells, the higher the newer; nothing where states are not counted. */
  readonly revision: number | undefined;
  /** Why it cannot be acted upon, and waits for a human instead. */
  readonly misfit: string | undefined;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answered with its status, and not stored. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, headers: Readonly<Record<string, string>> = {}) {
    super(`refused with ${status}`);
    this.status = status;
    this.headers = headers;
  }
}

/** Each may throw a `Refusal`. */
export interface Parts {
  /** Settings of Node's server. */
  readonly http: ServerOptions;
  /** Speaks TLS with these, and plain HTTP without. */
  readonly tls?: SecureServerOptions;
  /** Requests that may wait for their turn on one connection; with more of them it is ended. */
  readonly mostWaiting: number;
  /** What else the server is told before it listens. */
  prepare(server: Server): void;
  route(request: IncomingMessage, credentials: Credentials): Route;
  /** Whether `?key=` names the installation that it must. */
  checkKey(query: string, credential: Credential): void;
  readBody(request: IncomingMessage, response: ServerResponse, route: Route): Promise<Buffer>;
  /** What the proof vouches for: the bytes to read the event from. */
  prove(delivery: Delivery, parts: Parts): Buffer;
  /** Where HotDocs puts its token. */
  findToken(delivery: Delivery): string;
  verifyToken(token: string, delivery: Delivery, parts: Parts): Buffer;
  readTokenHeader(bytes: Buffer): Members;
  checkTokenHeader(header: Members, delivery: Delivery): void;
  /** The bytes of one part of a token. */
  decodePart(part: string): Buffer;
  checkClaims(content: Buffer, delivery: Delivery): void;
  /** The bytes that a header's text stands for. */
  decodeSignature(text: string): Buffer;
  verifySignature(delivery: Delivery, parts: Parts): Buffer;
  verifyAccessToken(delivery: Delivery): Buffer;
  /** Never throws. */
  read(content: Buffer, delivery: Delivery): Event;
  /** Resolves when the event is on disk. */
  store(event: Event, journal: Journal): Promise<void> | void;
  answer(event: Event, delivery: Delivery): Promise<Reply> | Reply;
  /** The reply to whatever was thrown on the way. */
  refuse(thrown: unknown, request: IncomingMessage): Reply;
  /** Last look at every reply before it is written. */
  finish(reply: Reply, request: IncomingMessage): Reply;
}

/** The members of a JSON object. */
export type Members = Readonly<Record<string, unknown>>;

/** @throws SyntaxError, Refusal if it is another JSON value */
export function membersIn(json: string): Members {
  const value: unknown = JSON.parse(json);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refusal(401);
  return value as Members; // an object that JSON.parse made
}
