import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Readiness } from './readiness.ts';

export interface OperationsOptions {
  readonly readiness: Pick<Readiness, 'reasons'>;
  /** What it was told to listen on: under this name it may be asked, too. */
  readonly host: string;
}

/** What whoever runs the process asks it, on a port of its own: never the one that deliveries come to. */
export function createOperationsServer({ readiness, host }: OperationsOptions): Server {
  const pages = new Map<string, () => Promise<Answer>>([
    ['/live', async () => ({ status: 200, body: { live: true } })],
    ['/ready', () => readyOrNot(readiness)],
  ]);
  const limits = { requestTimeout: 10_000, headersTimeout: 10_000, maxHeaderSize: 8_192 };
  return createServer(limits, (request, response) => {
    void answer(request, pages, host).then((found) => {
      send(response, found);
    });
  });
}

interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

async function readyOrNot({ reasons }: Pick<Readiness, 'reasons'>): Promise<Answer> {
  const because = await reasons();
  if (because.length === 0) return { status: 200, body: { ready: true } };
  return { status: 503, body: { ready: false, because } };
}

async function answer(
  request: IncomingMessage,
  pages: ReadonlyMap<string, () => Promise<Answer>>,
  host: string,
): Promise<Answer> {
  if (!isAskedByOurName(request, host)) return { status: 421, body: { error: 'Misdirected Request' } };
  const page = pages.get(request.url ?? '');
  if (page === undefined) return { status: 404, body: { error: 'Not Found' } };
  if (request.method !== 'GET')
    return { status: 405, body: { error: 'Method Not Allowed' }, headers: { Allow: 'GET' } };
  return page();
}

/**
 * A web page can give a name of its own our address, and then read what is answered under that name. It cannot choose
 * how the browser spells it in `Host`.
 */
function isAskedByOurName({ headers, socket }: IncomingMessage, host: string): boolean {
  const asked = /^(\[[\da-f:.]+\]|[\w.-]+)(?::\d+)?$/i.exec(headers.host ?? '')?.[1]?.toLowerCase();
  if (asked === undefined) return false;
  const own = [host.toLowerCase(), socket.localAddress ?? ''].map(asHostname);
  return LOOPBACK.test(asked) || own.includes(asked);
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** An address as it stands in `Host`. */
function asHostname(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  return plain.includes(':') ? `[${plain}]` : plain;
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    ...headers,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(text);
}
