import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Console } from '../../console/console.ts';
import type { Metrics } from './metrics.ts';
import type { Readiness } from './readiness.ts';

/**
 * What whoever runs the process asks it, on a port of its own: never the one that deliveries come to. It answers any probe,
 * by whatever name: a web page that gives a name of its own our address learns no more than whether we are ready, and how much comes.
 */
export function createOperationsServer(
  readiness: Pick<Readiness, 'reasons'>,
  metrics: Pick<Metrics, 'text' | 'contentType'>,
  /** Has all other paths; it looks at who asks. */
  console?: Pick<Console, 'answer'>,
): Server {
  const pages = new Map<string, () => Promise<Answer>>([
    ['/live', async () => ({ status: 200, body: { live: true } })],
    ['/ready', () => readyOrNot(readiness)],
    ['/metrics', async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() })],
  ]);
  const limits = {
    requestTimeout: 10_000,
    headersTimeout: 10_000,
    // Browsers send the cookies of all that listens on this machine.
    maxHeaderSize: 16_384,
    requireHostHeader: false,
  };
  return createServer(limits, (request, response) => {
    if (console !== undefined && !pages.has(pathOf(request.url ?? ''))) {
      void console.answer(request, response);
      return;
    }
    void answer(request, pages).then((found) => {
      send(response, found);
    });
  });
}

interface Answer {
  readonly status: number;
  /** Text as it is; anything else as JSON. */
  readonly body: object | string;
  readonly type?: string;
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
): Promise<Answer> {
  const page = pages.get(pathOf(request.url ?? ''));
  if (page === undefined) return { status: 404, body: { error: 'Not Found' } };
  if (!METHODS.includes(request.method ?? ''))
    return { status: 405, body: { error: 'Method Not Allowed' }, headers: { Allow: METHODS.join(', ') } };
  return page();
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** OPTIONS is what HAProxy asks with, unless it is told otherwise. */
const METHODS = ['GET', 'HEAD', 'OPTIONS'];

/** Some probes give the whole address in place of the path, or a slash at its end. */
function pathOf(target: string): string {
  const [address = ''] = target.split('?', 1);
  return address.replace(/^https?:\/\/[^/]*/i, '').replace(/\/$/, '');
}

function send(response: ServerResponse, { status, body, type = JSON_TYPE, headers = {} }: Answer): void {
  const text = typeof body === 'string' ? body : `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    ...headers,
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(text);
}
