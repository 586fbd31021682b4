import {
  createServer,
  request as send,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer, request as sendSecurely, type ServerOptions } from 'node:https';
import { listening } from '../../support/fixtures.ts';

/** A request between the two sides of a proxy. */
export interface Passing {
  method: string;
  target: string;
  /** Names and values in turn. */
  headers: string[];
  body: Buffer;
  /** The client certificate is one that the proxy trusts. */
  readonly trusted: boolean;
}

/** What it answers by itself, in place of what is behind it. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a proxy does to requests, and to the replies. */
export interface Doing {
  /** Changes a request, or answers it. */
  readonly pass?: (passing: Passing) => Answer | undefined;
  /** Headers that it adds to each reply. */
  readonly adds?: (target: string) => Record<string, string>;
  /** Hangs up in place of a reply with this status. */
  readonly swallows?: number;
  /** Answers one that asks first. */
  readonly expecting?: Answer;
  readonly tls?: ServerOptions;
  readonly behind?: RequestOptions & { readonly ca?: string };
}

/** Starts a proxy that does so, and nothing else; until the test is over. Resolves with its address. */
export async function startProxy(receiver: string, doing: Doing): Promise<URL> {
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    void handle(receiver, doing, request, response).catch(() => response.destroy());
  };
  const options = { maxHeaderSize: 65_536 };
  const server = doing.tls
    ? createSecureServer({ ...doing.tls, ...options }, listener)
    : createServer(options, listener);
  const { expecting } = doing;
  if (expecting)
    server.on('checkContinue', (_request, response: ServerResponse) => answer(response, expecting));
  return new URL(`${doing.tls ? 'https' : 'http'}://127.0.0.1:${await listening(server)}`);
}

async function handle(receiver: string, doing: Doing, request: IncomingMessage, response: ServerResponse) {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const socket = request.socket as typeof request.socket & { readonly authorized?: boolean };
  const { method = '', url: target = '', rawHeaders: headers } = request;
  const passing: Passing = {
    method,
    target,
    headers,
    body: Buffer.concat(pieces),
    trusted: socket.authorized === true,
  };
  const own = doing.pass?.(passing);
  if (own !== undefined) {
    answer(response, own);
    return;
  }
  const reply = await exchanged(receiver, passing, doing.behind);
  const { statusCode = 502, rawHeaders } = reply;
  if (statusCode === doing.swallows) {
    response.destroy();
    return;
  }
  response.writeHead(statusCode, [...rawHeaders, ...Object.entries(doing.adds?.(target) ?? {}).flat()]);
  reply.pipe(response);
}

function answer(response: ServerResponse, { status, headers = {}, body = '' }: Answer): void {
  response.writeHead(status, { Connection: 'close', ...headers }).end(body);
}

function exchanged(
  receiver: string,
  passing: Passing,
  behind: Doing['behind'] = {},
): Promise<IncomingMessage> {
  const { method, target: path, headers, body } = passing;
  const url = new URL(receiver);
  const framed = without(headers, /^(?:content-length|transfer-encoding|connection|expect)$/i);
  const length = body.length > 0 || method !== 'GET' ? ['Content-Length', String(body.length)] : [];
  const { hostname, port } = url;
  const options = { hostname, port, method, path, headers: [...framed, ...length], agent: false, ...behind };
  return new Promise((resolve, reject) => {
    const outgoing = (url.protocol === 'https:' ? sendSecurely : send)(options, resolve).on('error', reject);
    outgoing.end(body);
  });
}

export function without(headers: readonly string[], name: RegExp): string[] {
  return headers.filter((_text, at) => !name.test(headers[at - (at % 2)] ?? ''));
}

export function valueOf({ headers }: Pick<Passing, 'headers'>, name: RegExp): string | undefined {
  const at = headers.findIndex((text, index) => index % 2 === 0 && name.test(text));
  return at < 0 ? undefined : headers[at + 1];
}
