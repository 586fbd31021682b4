import { listen, urlOf } from '../../http/listen.ts';
import { stepLog, toldBoth, type StepLog } from '../../log.ts';
import type { TapeRecorder } from '../../tape/recorder.ts';
import type { Config } from '../config.ts';
import type { OpenedConsole, openConsole } from '../console.ts';
import type { Metrics, MetricsOptions } from './metrics.ts';
import type { Readiness } from './readiness.ts';
import { createOperationsServer } from './server.ts';

/** Where the process can be asked how it is, and looked at. */
export interface Operations extends Disposable {
  /** Without a slash at the end; `undefined`: nowhere. */
  readonly url: string | undefined;
  /** Where the console is, or why nobody may look at it; `undefined`: there is none. */
  readonly console: string | undefined;
  /** To be told of what is done; `undefined`: nothing is counted, since nobody could ask. */
  readonly metrics: Metrics | undefined;
  /** Tells each step on the way to a reply to whoever asks, the log among them; `undefined`: nobody does. */
  readonly step: StepLog | undefined;
  /** From now on, endpoints are as this says. */
  renew(config: Config): void;
}

type ConsoleParts = Parameters<typeof openConsole>[1];

export interface OperationsParts extends Pick<MetricsOptions, 'steps'>, ConsoleParts {
  readonly readiness: Readiness;
  readonly recorder: TapeRecorder | undefined;
  /** Counts without a port to ask at, too. */
  readonly counts?: boolean | undefined;
}

/** @throws PortTaken */
export async function openOperations(config: Config, parts: OperationsParts): Promise<Operations> {
  using opened = new DisposableStack();
  const { ADMIN_HOST: host, ADMIN_PORT: port } = config.general;
  const metrics = await openMetrics(config, parts);
  if (metrics !== undefined) opened.use(metrics);
  const console = await openConsoleOf(config, parts);
  if (console !== undefined) opened.use(console);
  let url: string | undefined;
  if (port !== undefined && metrics !== undefined) {
    const server = createOperationsServer(parts.readiness, metrics, console);
    opened.defer(() => {
      server.close();
      server.closeAllConnections();
    });
    await listen(server, { host, port, variable: 'ADMIN_PORT', handed: config.sockets.admin });
    url = urlOf(server, 'http');
  }
  const running = opened.move();
  return {
    url,
    console:
      console && (console.closed === undefined ? `Console on ${url ?? ''}` : `No console: ${console.closed}`),
    metrics: metrics && (console?.watching(metrics) ?? metrics),
    step: toldBoth(stepLog(parts.log), console?.step),
    renew: (next) => console?.renew(next),
    [Symbol.dispose]: () => {
      running.dispose();
    },
  };
}

/** Its code is loaded only where somebody may ask. */
async function openMetrics(
  { general }: Config,
  { recorder, counts, ...options }: OperationsParts,
): Promise<Metrics | undefined> {
  if (general.ADMIN_PORT === undefined && counts !== true) return undefined;
  const { createMetrics } = await import('./metrics.ts');
  return createMetrics({ ...options, tape: recorder });
}

/** As above. */
async function openConsoleOf(config: Config, parts: OperationsParts): Promise<OpenedConsole | undefined> {
  const { ADMIN_PORT, CONSOLE } = config.general;
  if (ADMIN_PORT === undefined || CONSOLE === 'off') return undefined;
  const { openConsole } = await import('../console.ts');
  return openConsole(config, parts);
}
