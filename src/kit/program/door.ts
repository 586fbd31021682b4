import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  maxHeaderSize,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { Server as NetServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { listen, urlOf } from '../http/listen.ts';
import { createReceiverListener, createReceiverServer, MAX_HEADER_BYTES } from '../http/server.ts';
import { renewIdentity, type TlsIdentity } from '../http/tls.ts';
import type { Log } from '../log.ts';
import type { Config } from './config.ts';
import type { Intake } from './intake.ts';

/** What brings deliveries to an intake. */
export interface Door {
  /** Without a slash at the end; empty where the server is not ours. */
  readonly url: string;
  /** Shows another certificate from now on. @throws and goes on as before, if OpenSSL does not take it */
  renew(identity: TlsIdentity): void;
  /** Whether requests still come through it once it is closed, and are to be refused: the server in front is not ours. */
  readonly goesOn: boolean;
  /** Lets nothing more in, and resolves when everything that was let in is answered, or after this time. */
  close(withinMs: number): Promise<void>;
}

/** A server of our own. @throws PortTaken */
export async function openServer(config: Config, { route, refusals }: Intake, log: Log): Promise<Door> {
  const { general, tls, sockets } = config;
  const server = createReceiverServer({
    route,
    requestTimeoutMs: general.REQUEST_TIMEOUT_MS,
    maxConnections: connectionsWithin(openFilesLimit(), general.MAX_CONNECTIONS, log),
    keepAliveMs: general.KEEP_ALIVE_MS,
    tls,
    refusals,
  });
  await listen(server, {
    host: general.HOST,
    port: general.PORT,
    variable: 'PORT',
    handed: sockets.receiver,
  });
  let shown = tls;
  return {
    url: urlOf(server, tls ? 'https' : 'http'),
    renew(identity) {
      if (isDeepStrictEqual(identity, shown)) return;
      renewIdentity(server, identity);
      shown = identity;
    },
    goesOn: false,
    close: (withinMs) => closeServer(server, withinMs),
  };
}

/**
 * So long a connection that is kept alive may still bring its next request, which gets its reply and the word that the
 * connection ends with it. A sender that writes into one that is just being closed has no reply, and cannot know why.
 */
const LAST_REQUESTS_MS = 100;

async function closeServer(server: Server, withinMs: number): Promise<void> {
  const closed = once(server, 'close');
  // That of HTTP would cut idle connections at once.
  NetServer.prototype.close.call(server);
  const late = setTimeout(() => {
    server.closeAllConnections();
  }, withinMs);
  await Promise.race([closed, sleep(Math.min(LAST_REQUESTS_MS, withinMs / 2))]);
  server.close();
  await closed;
  clearTimeout(late);
}

/** File descriptors for the inbox, the port of the probes, calls to APIs, and what handlers open. */
const OTHER_FILES = 128;

/** Each connection is an open file: with none left, no connection would be accepted, and so none closed for it either. */
function connectionsWithin(openFiles: number, wanted: number, log: Log): number {
  const most = Math.min(wanted, Math.max(openFiles - OTHER_FILES, Math.ceil(openFiles / 2)));
  if (most < wanted)
    log.warn({
      outcome: 'trouble',
      why:
        `This process may open ${openFiles} files, so ${most} connections are kept and not MAX_CONNECTIONS, which is ` +
        `${wanted}: raise the limit (ulimit -n, LimitNOFILE of systemd) to ${wanted + OTHER_FILES}, or set MAX_CONNECTIONS to ${most}.`,
    });
  return most;
}

/** Infinity where the system does not say. Node has raised the soft limit to the hard one when it started. */
function openFilesLimit(): number {
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return Number(soft ?? Infinity);
  } catch {
    return Infinity;
  }
}

/** A listener for a server that is there already, and goes on when this door is closed. */
export interface MountedDoor extends Door {
  readonly listener: RequestListener;
}

export function mountDoor(_config: Config, { route, refusals }: Intake, log: Log): MountedDoor {
  const { listener } = createReceiverListener({ route, refusals });
  const open = new Set<ServerResponse>();
  let looked = false;
  return {
    url: '',
    goesOn: true,
    renew: () => undefined,
    listener(request: IncomingMessage, response: ServerResponse & { readonly req: IncomingMessage }) {
      if (!looked) sayWhatIsShort(request, log);
      looked = true;
      open.add(response);
      response.once('close', () => open.delete(response));
      listener(request, response);
    },
    async close(withinMs) {
      const late = setTimeout(() => {
        for (const response of open) response.destroy();
      }, withinMs);
      await Promise.all([...open].map((response) => once(response, 'close')));
      clearTimeout(late);
    },
  };
}

/** Said once, with the first request: only then is it known which server it is. */
function sayWhatIsShort({ socket }: IncomingMessage, log: Log): void {
  // Node keeps the server on the socket, and has no public name for it.
  const { server } = socket as { readonly server?: { readonly maxHeaderSize?: number } };
  const bytes = server?.maxHeaderSize ?? maxHeaderSize;
  if (bytes >= MAX_HEADER_BYTES) return;
  log.warn({
    outcome: 'trouble',
    why:
      `The server that this receiver is mounted in reads ${bytes} bytes of headers. HotDocs may put its token into the ` +
      `address: make the server with { maxHeaderSize: ${MAX_HEADER_BYTES} }.`,
  });
}
