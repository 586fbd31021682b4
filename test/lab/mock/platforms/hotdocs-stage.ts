import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { z } from 'zod';
import { createFire } from '../../../../src/lab/mock/platforms/firing.ts';
import {
  createHotdocsPlatform,
  type HotdocsOptions,
  type HotdocsPlatform,
} from '../../../../src/lab/mock/platforms/hotdocs/platform.ts';
import type { webhookFields } from '../../../../src/lab/mock/platforms/hotdocs/webhooks.ts';
import { createRandom } from '../../../../src/lab/mock/random.ts';
import { createMockApp } from '../../../../src/lab/mock/server.ts';
import type { Switches } from '../../../../src/kit/source.ts';
import { readAnswers, writeAnswers } from '../../../../src/kit/sources/hotdocs/answers/dialects.ts';
import { hotdocs } from '../../../../src/kit/sources/hotdocs/index.ts';
import { listening } from '../../../support/fixtures.ts';

type Fields = z.input<typeof webhookFields>;

export const TEMPLATE = '0f9e8d7c-6b5a-4938-8271-605f4e3d2c1b';
export const GROUP = '44b0d1f2-8c3e-4a5b-9d6f-70e1f2a3b4c5';
export const SECRET = 'a-secret-of-thirty-two-characters';
export const PASSWORD = 'the password of the principal';
export const CREDENTIALS = { ClientName: 'kit', PrincipalName: 'service', PrincipalPassword: PASSWORD };

/** A request at a receiver that keeps what comes and replies as told. */
export interface Arrival {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly token: string;
  readonly body: string;
}

type Answerer = (arrival: Arrival, count: number) => Promise<Reply | undefined> | Reply | undefined;

export interface Reply {
  readonly status?: number;
  readonly type?: string;
  readonly body?: string;
}

export function receiverOf(arrivals: Arrival[], answer: Answerer): RequestListener {
  return (incoming, outgoing) => {
    const reply = async () => {
      const arrival = await arrivalOf(incoming);
      arrivals.push(arrival);
      const {
        status = 200,
        type = 'application/json',
        body = '',
      } = (await answer(arrival, arrivals.length)) ?? {};
      outgoing.writeHead(status, { 'Content-Type': type }).end(body);
    };
    void reply();
  };
}

async function arrivalOf(incoming: IncomingMessage): Promise<Arrival> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://receiver');
  const body = Buffer.concat(chunks).toString();
  return {
    method: incoming.method ?? '',
    path: pathname,
    authorization: incoming.headers.authorization,
    token: searchParams.get('token') ?? new URLSearchParams(body).get('token') ?? '',
    body,
  };
}

interface Claims {
  readonly data: { readonly documents: readonly { readonly id: string; readonly url: string }[] };
}

/** Written out here on purpose: shares no code with the kit's own proof. */
export function claimsOf(arrival: Arrival | undefined, secret = SECRET): Claims {
  const [head = '', content = '', signature] = (arrival?.token ?? '').split('.');
  const right = createHmac('sha256', secret).update(`${head}.${content}`).digest('base64url');
  if (signature !== right) throw new Error('not signed with this secret');
  // What a test reads of it is what that test is about.
  return JSON.parse(Buffer.from(content, 'base64url').toString()) as Claims;
}

export interface Stage {
  readonly platform: HotdocsPlatform;
  readonly arrivals: readonly Arrival[];
  readonly receiver: string;
  readonly origin: string;
  readonly clock: { ms: number };
  /** A webhook of the receiver's; its id. */
  readonly add: (fields: Partial<Fields> & Pick<Fields, 'eventType'>) => string;
  /** A call of the API, with a token unless `headers` say otherwise. */
  readonly call: (method: string, path: string, options?: CallOptions) => Promise<Called>;
  readonly admin: (method: string, path: string, json?: unknown) => Promise<Called>;
  readonly logIn: (body: string | object, type?: string) => Promise<Called>;
}

export interface CallOptions {
  readonly headers?: Record<string, string>;
  readonly body?: Buffer | string;
}

interface Called {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly text: string;
  readonly json: unknown;
}

export async function setUp(answer: Answerer = () => undefined, switches: Switches = {}): Promise<Stage> {
  const arrivals: Arrival[] = [];
  const receiver = `http://127.0.0.1:${await listening(createServer(receiverOf(arrivals, answer)))}`;
  const mock = createServer();
  const origin = `http://127.0.0.1:${await listening(mock)}/hotdocs`;
  const clock = { ms: Date.UTC(2026, 0, 2, 3, 4, 5, 6) };
  const random = createRandom(7);
  const now = () => new Date(clock.ms);
  const platform = createHotdocsPlatform({
    fire: createFire(hotdocs, random, now),
    random,
    now,
    baseUrl: origin,
    readAnswers: (json, dialect) =>
      JSON.parse(writeAnswers(readAnswers(json, { dialect }).answers, 'A')) as Record<string, unknown>,
    switches,
    seed: seedFor(receiver),
  });
  mock.on('request', createMockApp([], [platform]));
  let token: string | undefined;
  const logIn = (body: string | object, type = 'application/json') =>
    request('POST', `${origin}/HdaAuth/Authorize/ServicePrincipalLogIn`, {
      headers: { 'Content-Type': type },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return {
    platform,
    arrivals,
    receiver,
    origin,
    clock,
    logIn,
    add(fields) {
      const defaults = {
        name: fields.eventType as string,
        url: `${receiver}/hotdocs/${fields.eventType as string}`,
      };
      return platform.webhooks.create(
        { ...defaults, workGroups: [GROUP], templates: [TEMPLATE], ...fields },
        SECRET,
      ).webhook.id;
    },
    async call(method, path, { headers, body } = {}) {
      token ??= (await logIn(CREDENTIALS)).text.replace(/"|Bearer /g, '');
      const url = path.startsWith('http') ? path : `${origin}/HdaApi/rest/v2.0/${path}`;
      const given = {
        headers: { Authorization: `Bearer ${token}`, ...headers },
        ...(body !== undefined && { body }),
      };
      return request(method, url, given);
    },
    admin: (method, path, json) =>
      request(method, `${origin}/admin/${path}`, json === undefined ? {} : { body: JSON.stringify(json) }),
  };
}

function seedFor(receiver: string): NonNullable<HotdocsOptions['seed']> {
  const client = { clientName: 'kit', principalName: 'service', principalPassword: PASSWORD };
  return {
    clients: [
      { ...client, tokenLifeS: 60 },
      { ...client, clientName: 'reader', scope: 'Query' },
      { ...client, clientName: 'inactive', active: false },
      { ...client, clientName: 'without principal', principalActive: false },
      { ...client, clientName: 'implicit', flow: 'Implicit' },
    ],
    actionLinks: [
      { name: 'Sign', url: `${receiver}/hotdocs/ActionLink`, hmacSecret: SECRET },
      { name: 'Off', url: `${receiver}/hotdocs/ActionLink`, hmacSecret: SECRET, active: false },
      { name: 'Theirs', url: `${receiver}/x`, hmacSecret: SECRET, workGroups: [TEMPLATE] },
    ],
  };
}

async function request(method: string, url: string, { headers = {}, body }: CallOptions = {}) {
  const response = await fetch(url, {
    method,
    headers,
    ...(body !== undefined && { body: new Uint8Array(Buffer.from(body)) }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const text = bytes.toString();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  const json = isJson ? (JSON.parse(text) as unknown) : undefined;
  return { status: response.status, headers: response.headers, bytes, text, json };
}
