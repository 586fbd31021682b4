import type { RequestListener } from 'node:http';
import { createLog, type Log } from '../log.ts';
import { watchClock } from './clock.ts';
import { readConfig } from './config.ts';
import { mountDoor } from './door.ts';
import type { NotReady } from './operations/readiness.ts';
import type { Environment } from './reader.ts';
import { startRenewal } from './renewal.ts';
import { startAt, type Startable } from './start.ts';

/** A receiver inside a server that is there already. */
export interface Mounted {
  /**
   * For `server.on('request', …)`, `app.use('/hooks', …)` in Express, and the like. Nothing before it may read the body, and
   * the server should be made with `maxHeaderSize: 32768`, since HotDocs may put its token into the address.
   */
  readonly listener: RequestListener;
  /** Why it should be sent nothing right now; empty when it is ready. For the host's readiness probe. */
  reasons(): Promise<readonly NotReady[]>;
  /** What Prometheus reads, for a page of the host's; empty where nothing is counted. */
  metrics(): Promise<string>;
  /** Reads `env` and the files that it names again: what SIGHUP does to a receiver with a server of its own. */
  renew(): Promise<void>;
  /**
   * After SHUTDOWN_DELAY_MS refuses new deliveries, finishes what is in flight, closes the inbox; within SHUTDOWN_MS. Then the
   * server may close.
   */
  stop(): Promise<void>;
}

export interface MountOptions {
  /** In place of the process's environment. */
  readonly env?: Environment;
  readonly log?: Log;
  /** Counts also with ADMIN_PORT=off, for `metrics()`. */
  readonly counts?: boolean;
}

/**
 * Starts an app whose deliveries another server brings: what `run` does, without a server, signals and exit codes. HOST,
 * PORT, TLS_…, MAX_CONNECTIONS, REQUEST_TIMEOUT_MS and KEEP_ALIVE_MS have no effect; the host sets what corresponds to
 * them.
 * @throws ConfigInvalid, and when the inbox cannot be opened
 */
export async function mount(
  app: Startable,
  { env = process.env, log, counts }: MountOptions = {},
): Promise<Mounted> {
  const config = readConfig(env, app);
  const { LOG_LEVEL, ROLE } = config.general;
  if (ROLE === 'worker')
    throw new Error('ROLE is worker, so nothing could be received: mount needs both, or receiver.');
  const told = log ?? createLog(LOG_LEVEL);
  const program = await startAt(app, config, told, { openDoor: mountDoor, counts });
  if (program.door === undefined) throw new Error('A receiver has a door.');
  const unwatch = watchClock(told);
  const variables = { read: () => ({ env: { ...env }, warnings: [], doubts: [] }) };
  const renewal = startRenewal(app, { program, config, variables, log: told });
  return {
    listener: program.door.listener,
    reasons: () => program.readiness.reasons(),
    metrics: async () => (await program.metrics?.text()) ?? '',
    renew: () => renewal.renew(),
    stop() {
      renewal.stop();
      unwatch();
      return program.stop();
    },
  };
}
