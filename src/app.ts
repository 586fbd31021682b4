import { once } from 'node:events';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from './config.ts';
import { credentialVariable, isOpen } from './endpoints.ts';
import { DeadLetter, messageOf } from './errors.ts';
import type { Attempted } from './inbox/attempt.ts';
import { backoffMs } from './inbox/backoff.ts';
import type { Entry, Inbox } from './inbox/inbox.ts';
import { openInbox } from './inbox/open.ts';
import { createWorker, type Worker } from './inbox/worker.ts';
import { logged, type Log } from './log.ts';
import { openEndpoint, type Endpoint } from './receiver/endpoint.ts';
import { handle, type AllHandlers, type Calling } from './receiver/handle.ts';
import { createFailureCounter } from './receiver/rate-limit.ts';
import { createRouter } from './receiver/router.ts';
import { createReceiverServer } from './receiver/server.ts';

/** A running receiver. */
export interface App {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  readonly inbox: Inbox;
  /** Resolves when nothing that is due is waiting, and nothing runs. */
  idle(): Promise<void>;
  /** Stops accepting, finishes what is in flight, gives leases back, closes; within the configured time. */
  stop(): Promise<void>;
}

/** Puts all parts together and starts them. @throws when the inbox cannot be opened or the port is taken */
export async function startApp(config: Config, handlers: AllHandlers, log: Log): Promise<App> {
  const { general } = config;
  const endpoints = await Promise.all(config.endpoints.map(openEndpoint));
  const inbox = openInbox(general.INBOX_URL, { maxWaiting: general.INBOX_MAX_WAITING, owner: true });
  const background = new Background(log);
  const calling = { handlers, maxAttempts: general.HANDLER_ATTEMPTS };
  let draining = false;

  const worker = createWorker({
    inbox,
    run: runStored(endpoints, calling),
    concurrency: general.HANDLER_CONCURRENCY,
    maxAttempts: calling.maxAttempts,
    handlerTimeoutMs: general.HANDLER_TIMEOUT_MS,
    onAttempt: (entry, attempted) => {
      logAttempt(log, entry, attempted);
    },
    onTrouble: (error) => {
      log.error({ outcome: 'trouble', why: messageOf(error) });
    },
  });
  const server = createReceiverServer({
    route: createRouter({
      endpoints: endpoints.filter((_, index) => isOpenAt(config, index)),
      closed: closedPaths(config),
      tools: {
        ...calling,
        inbox,
        handlerTimeoutMs: general.HANDLER_TIMEOUT_MS,
        retryAt: (attempts) => Date.now() + backoffMs(attempts),
        afterwards: (work) => {
          background.add(work);
        },
        inFlight: new Map(),
      },
      countFailure: createFailureCounter(general.FAILED_PROOF_LIMIT),
      isDraining: () => draining,
      log,
    }),
    requestTimeoutMs: general.REQUEST_TIMEOUT_MS,
    trustProxyHops: general.TRUST_PROXY_HOPS,
    tls: config.tls,
    log,
  });
  try {
    server.listen(general.PORT, general.HOST);
    await once(server, 'listening');
  } catch (error) {
    await inbox.close();
    throw error;
  }
  worker.start();

  return {
    url: urlOf(server, config.tls ? 'https' : 'http'),
    inbox,
    idle: async () => {
      await background.settled();
      await worker.idle();
    },
    stop: async () => {
      draining = true;
      await stopInOrder(server, worker, background, inbox, general.SHUTDOWN_MS);
    },
  };
}

/** The worker's way to the handlers: by the endpoint an entry came to, open or closed by now. */
function runStored(endpoints: readonly Endpoint[], calling: Calling) {
  const byPath = new Map(endpoints.map((endpoint) => [endpoint.definition.path, endpoint]));
  return async (entry: Entry, signal: AbortSignal): Promise<string | undefined> => {
    const endpoint = byPath.get(entry.endpoint);
    if (endpoint === undefined)
      throw new DeadLetter('event_unknown', `No endpoint ${entry.endpoint} exists now.`);
    const { event } = endpoint;
    if (event?.mode === 'reply' && event.afterFailure === 'record' && entry.attempts > 1) {
      throw new DeadLetter(
        'handler_late',
        'The receiver stopped before the handler was done; nobody waits now.',
      );
    }
    return (await handle(entry, endpoint, calling, signal)).note;
  };
}

function isOpenAt({ endpoints }: Config, index: number): boolean {
  const endpoint = endpoints[index];
  return endpoint !== undefined && isOpen(endpoint);
}

/** Paths that wait for a secret, and the variable it is missing in. */
function closedPaths({ endpoints }: Config): Map<string, string> {
  const closed = endpoints.filter((endpoint) => !isOpen(endpoint));
  return new Map(closed.map((endpoint) => [endpoint.definition.path, credentialVariable(endpoint)]));
}

async function stopInOrder(
  server: Server,
  worker: Worker,
  background: Background,
  inbox: Inbox,
  withinMs: number,
): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const deadline = setTimeout(() => {
    server.closeAllConnections();
  }, withinMs);
  await Promise.all([closed, worker.stop(withinMs), background.settledWithin(withinMs)]);
  clearTimeout(deadline);
  await inbox.close();
}

function urlOf(server: Server, scheme: 'http' | 'https'): string {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('The receiver listens on no TCP port.');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `${scheme}://${host}:${address.port}`;
}

function logAttempt(log: Log, entry: Entry, { outcome, note, ms }: Attempted): void {
  const line = {
    source: entry.source,
    type: logged(entry.type),
    id: logged(entry.eventId),
    outcome,
    seq: entry.seq,
    attempt: entry.attempts,
    ms,
    why: note,
  };
  if (outcome === 'done') log.info(line);
  else if (outcome === 'retry') log.warn(line);
  else log.error(line);
}

/** Work that goes on after its sender was answered. */
class Background {
  readonly #running = new Set<Promise<void>>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  add(work: Promise<void>): void {
    const told = work
      .catch((error: unknown) => {
        this.#log.error({ outcome: 'trouble', why: messageOf(error) });
      })
      .finally(() => this.#running.delete(told));
    this.#running.add(told);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  async settledWithin(ms: number): Promise<void> {
    await Promise.race([this.settled(), sleep(ms, undefined, { ref: false })]);
  }
}
