import { listen, urlOf } from '../../http/listen.ts';
import type { Metrics } from './metrics.ts';
import type { Readiness } from './readiness.ts';
import { createOperationsServer } from './server.ts';

export interface OperationsSettings {
  readonly ADMIN_HOST: string;
  /** `undefined`: none. */
  readonly ADMIN_PORT: number | undefined;
  /** The descriptor of a socket that listens already, in their place. */
  readonly handed?: number | undefined;
}

/** Where the process can be asked how it is. */
export interface Operations {
  /** Without a slash at the end. */
  readonly url: string;
  stop(): void;
}

/** @throws PortTaken */
export async function startOperations(
  { ADMIN_HOST: host, ADMIN_PORT: port, handed }: OperationsSettings,
  readiness: Readiness,
  metrics: Metrics | undefined,
): Promise<Operations | undefined> {
  if (port === undefined || metrics === undefined) return undefined;
  const server = createOperationsServer(readiness, metrics);
  await listen(server, { host, port, variable: 'ADMIN_PORT', handed });
  return {
    url: urlOf(server, 'http'),
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
