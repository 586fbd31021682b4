import { once, setMaxListeners } from 'node:events';
import type { Server } from 'node:http';
import { createBackground } from './background.ts';
import type { Config } from './config.ts';
import { credentialVariable, isOpen } from '../endpoints.ts';
import { messageOf, shuttingDown } from '../errors.ts';
import { backoffMs } from '../inbox/worker/backoff.ts';
import type { Inbox } from '../inbox/inbox.ts';
import { listen, urlOf } from '../http/listen.ts';
import type { Log } from '../log.ts';
import type { Tools } from '../receiver/answer.ts';
import type { Endpoint } from '../receiver/endpoint.ts';
import type { Calling } from '../handling/handle.ts';
import { createFailureCounter } from '../http/rate-limit.ts';
import { createRouter } from '../http/router.ts';
import { createReceiverServer } from '../http/server.ts';

/** The half of the program that deliveries come to: it stores, and answers. */
export interface Receiving {
  /** Without a slash at the end. */
  readonly url: string;
  /** Resolves when nothing goes on that was begun before its sender was answered. */
  settled(): Promise<void>;
  /** Accepts nothing more. What is in flight is answered, all within this time. */
  stop(withinMs: number): Promise<void>;
}

export interface ReceivingParts {
  readonly endpoints: readonly Endpoint[];
  readonly calling: Calling;
  readonly inbox: Inbox;
  readonly log: Log;
}

/** @throws PortTaken */
export async function startReceiving(config: Config, parts: ReceivingParts): Promise<Receiving> {
  const { general } = config;
  const { endpoints, log } = parts;
  const background = createBackground((error) => {
    log.error({ outcome: 'trouble', why: messageOf(error) });
  });
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // one for each handler that somebody waits for is no leak
  let draining = false;

  const server = createReceiverServer({
    route: createRouter({
      endpoints: endpoints.filter((_, index) => isOpenAt(config, index)),
      closed: closedPaths(config),
      tools: toolsOf(config, parts, stopping.signal, (work) => {
        background.add(work);
      }),
      countFailure: createFailureCounter(general.FAILED_PROOF_LIMIT),
      isDraining: () => draining,
      log,
    }),
    requestTimeoutMs: general.REQUEST_TIMEOUT_MS,
    trustProxyHops: general.TRUST_PROXY_HOPS,
    tls: config.tls,
    log,
  });
  await listen(server, { host: general.HOST, port: general.PORT, variable: 'PORT' });

  return {
    url: urlOf(server, config.tls ? 'https' : 'http'),
    settled: () => background.settled(),
    async stop(withinMs) {
      draining = true;
      await Promise.all([drain(server, stopping, withinMs), background.settledWithin(withinMs)]);
    },
  };
}

function toolsOf(
  { general }: Config,
  { calling, inbox }: ReceivingParts,
  stopping: AbortSignal,
  afterwards: Tools['afterwards'],
): Tools {
  return {
    ...calling,
    inbox,
    handlerTimeoutMs: general.HANDLER_TIMEOUT_MS,
    retryAt: (attempts) => Date.now() + backoffMs(attempts),
    afterwards,
    stopping,
    inFlight: new Map(),
  };
}

/** The last part of the time is for the replies to those whose handlers go on and on. */
const LAST_PART_MS = 1_000;

async function drain(server: Server, stopping: AbortController, withinMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const handlers = setTimeout(
    () => {
      stopping.abort(shuttingDown());
    },
    withinMs - Math.min(LAST_PART_MS, withinMs / 2),
  );
  const connections = setTimeout(() => {
    server.closeAllConnections();
  }, withinMs);
  await closed;
  clearTimeout(handlers);
  clearTimeout(connections);
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
