import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { listenOn } from '../../../src/lab/rig/ports.ts';

export interface SmallServer {
  readonly url: string;
  /** Path and query of every request, in order. */
  readonly targets: readonly string[];
  stop(): Promise<void>;
}

/** PEM: with these it speaks TLS, and to those alone whom the authority has certified. */
interface Identity {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** A server that reads nothing of a request and answers all alike. */
export async function startServer(status: number, body = '', identity?: Identity): Promise<SmallServer> {
  const targets: string[] = [];
  const answer: RequestListener = (request, response) => {
    targets.push(request.url ?? '');
    request.resume();
    response.writeHead(status, { 'WWW-Authenticate': 'Signature' }).end(body);
  };
  const server =
    identity === undefined
      ? createServer(answer)
      : createSecureServer({ ...identity, requestCert: true, rejectUnauthorized: true }, answer);
  const port = await listenOn(server);
  return {
    url: `${identity === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    targets,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
