import { once } from 'node:events';
import http, { type RequestListener } from 'node:http';
import https, { type ServerOptions } from 'node:https';
import { CallFailed, CallRefused } from '../../../src/kit/outgoing/client.ts';
import { listenOn } from '../../../src/lab/rig/ports.ts';

/** Whoever is called: a real server on a free port of 127.0.0.1, which counts what reaches it. */
export interface OtherSide {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  readonly port: number;
  /** Connections accepted so far, used or not. */
  readonly connections: () => number;
  /** `GET /path?query` of each request so far. */
  readonly requests: readonly string[];
  readonly stop: () => Promise<void>;
}

export async function startOtherSide(answer: RequestListener, tls?: ServerOptions): Promise<OtherSide> {
  let connections = 0;
  const requests: string[] = [];
  const listener: RequestListener = (request, response) => {
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
    answer(request, response);
  };
  const server = tls ? https.createServer(tls, listener) : http.createServer(listener);
  server.on('connection', () => connections++);
  const port = await listenOn(server);
  return {
    origin: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    connections: () => connections,
    requests,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** How a call ended: `refused host_not_listed`, `failed late`, or its status. */
export async function outcomeOf(call: Promise<{ readonly status: number }>): Promise<string | number> {
  try {
    return (await call).status;
  } catch (thrown) {
    if (thrown instanceof CallRefused) return `refused ${thrown.code}`;
    if (thrown instanceof CallFailed) return `failed ${thrown.code}`;
    throw thrown;
  }
}

/** What a call was rejected with. */
export async function errorOf(call: Promise<unknown>): Promise<CallRefused | CallFailed> {
  try {
    await call;
  } catch (thrown) {
    if (thrown instanceof CallRefused || thrown instanceof CallFailed) return thrown;
    throw thrown;
  }
  throw new Error('The call succeeded.');
}
