import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import Counter from 'prom-client/lib/counter.js';
import Gauge from 'prom-client/lib/gauge.js';
import Histogram from 'prom-client/lib/histogram.js';
import Registry from 'prom-client/lib/registry.js';
import { isFollowUp } from '../../handling/handle.ts';
import type { Endpoint } from '../../endpoint/endpoint.ts';
import type { CanaryOutcome } from '../../http/canary.ts';
import type { RefusalLine } from '../../http/refusal-log.ts';
import type { Entry, Inbox } from '../../inbox/inbox.ts';
import type { Attempted } from '../../inbox/worker/attempt.ts';
import type { Genuine } from '../../receiver/receive.ts';
import { definitionOf, type Source } from '../../source.ts';
import type { RunnableStep } from '../../step.ts';
import type { TapeRecorder } from '../../tape/recorder.ts';
import { kitVersion } from '../version.ts';
import type { Readiness } from './readiness.ts';

/** What is counted, as Prometheus reads it. Nothing here throws or rejects. */
export interface Metrics extends Disposable {
  received(received: Genuine, ms: number): void;
  refused(line: RefusalLine): void;
  canary(endpoint: Endpoint, outcome: CanaryOutcome): void;
  attempted(entry: Entry, attempted: Attempted): void;
  text(): Promise<string>;
  readonly contentType: string;
}

export interface MetricsOptions {
  readonly sources: readonly Source[];
  readonly steps: readonly RunnableStep[];
  readonly inbox: Pick<Inbox, 'stats'>;
  readonly readiness: Pick<Readiness, 'reasons'>;
  readonly tape: Pick<TapeRecorder, 'counts'> | undefined;
}

/** No text that a sender chose is a label: each new one would be a series that is kept for ever. */
const OTHER = 'other';

/** The inbox is asked once in this time, however many ask us, and has no longer to say it. */
const LOOK_EVERY_MS = 1_000;
const LOOK_MS = 1_000;

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const counts = countsIn(registry);
  const look = createLook(registry, options);
  const eventOf = createEventOf(options);
  counts.build.set({ version: kitVersion(), node: process.versions.node }, 1);
  return {
    received({ outcome, entry, proven }, ms) {
      const of = { source: entry.source, event: eventOf(entry) };
      counts.deliveries.inc({ ...of, outcome, code: '' });
      counts.accept.observe(of, ms / 1_000);
      counts.proofs.inc({ endpoint: entry.endpoint, position: proven.secret });
    },
    refused({ code, source = '', type = '' }) {
      // Both are those of an endpoint: nothing that came has been proven.
      counts.deliveries.inc({ source: String(source), event: String(type), outcome: 'rejected', code });
    },
    canary({ definition }, outcome) {
      counts.canaries.inc({ endpoint: definition.path, outcome });
    },
    attempted(entry, { outcome, ms }) {
      const of = { source: entry.source, event: eventOf(entry) };
      counts.attempts.inc({ ...of, outcome });
      counts.handler.observe(of, ms / 1_000);
    },
    async text() {
      await look.now();
      return registry.metrics();
    },
    contentType: registry.contentType,
    [Symbol.dispose]: () => look.close(),
  };
}

const named = (name: string) => `advance_receiver_${name}`;

function countsIn(registry: Registry) {
  const registers = [registry];
  return {
    deliveries: new Counter({
      name: named('deliveries_total'),
      help: 'Deliveries by what came of them; those that were refused, by the code of the log as well.',
      labelNames: ['source', 'event', 'outcome', 'code'],
      registers,
    }),
    accept: new Histogram({
      name: named('accept_seconds'),
      help: 'From the head of a genuine delivery to its reply; of an event that somebody waits for, with its handler.',
      labelNames: ['source', 'event'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    proofs: new Counter({
      name: named('proofs_total'),
      help: 'Genuine deliveries by the secret that proved them: 1 is the newest of its endpoint, 0 is a proof without one.',
      labelNames: ['endpoint', 'position'],
      registers,
    }),
    canaries: new Counter({
      name: named('canaries_total'),
      help: 'Canaries of npm run doctor, by whose secret they held and what a delivery would have come to; never among the deliveries.',
      labelNames: ['endpoint', 'outcome'],
      registers,
    }),
    attempts: new Counter({
      name: named('attempts_total'),
      help: 'Attempts of the worker at stored entries, by how they ended.',
      labelNames: ['source', 'event', 'outcome'],
      registers,
    }),
    handler: new Histogram({
      name: named('handler_seconds'),
      help: 'Time of an attempt of the worker.',
      labelNames: ['source', 'event'],
      buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    }),
    build: new Gauge({
      name: named('build_info'),
      help: 'The version of the kit, and of Node.',
      labelNames: ['version', 'node'],
      registers,
    }),
  };
}

/** What an entry is called in a label: an event of the catalogue, `#` and a step of the app, or `other`. */
function createEventOf({ sources, steps }: MetricsOptions): (entry: Entry) => string {
  const byName = new Map(sources.map((source) => [source.name, source]));
  const stepNames = new Set(steps.map(({ step }) => step.name));
  return (entry) => {
    const { type } = entry;
    if (isFollowUp(entry)) return stepNames.has(type) ? `#${type}` : OTHER;
    const source = byName.get(entry.source);
    return source !== undefined && definitionOf(source, type) !== undefined ? type : OTHER;
  };
}

interface Look {
  /** Resolves when what is not counted but looked up is as it is now, or cannot be found out in time. */
  now(): Promise<void>;
  close(): void;
}

function createLook(registry: Registry, { inbox, readiness, tape }: MetricsOptions): Look {
  const { entries, oldest, bytes, ready } = gaugesIn(registry);
  const lag = createLag(registry);
  if (tape !== undefined) countTape(registry, tape);
  let lookedAt = -Infinity;
  let looking: Promise<void> | undefined;

  /** What is not known is left out: an old figure would look like a new one. */
  function hide(): void {
    for (const gauge of [entries, oldest, bytes]) gauge.reset();
    oldest.remove();
    bytes.remove();
    ready.set(0);
  }

  async function look(): Promise<void> {
    try {
      const [stats, reasons] = await Promise.all([inbox.stats(), readiness.reasons()]);
      const { waiting, running, dead, oldestWaitingAt, waitingBytes } = stats;
      for (const [status, count] of Object.entries({ waiting, running, dead }))
        entries.set({ status }, count);
      oldest.set(oldestWaitingAt === undefined ? 0 : Math.max(0, Date.now() - oldestWaitingAt) / 1_000);
      bytes.set(waitingBytes);
      ready.set(reasons.length === 0 ? 1 : 0);
    } catch {
      hide(); // why is in the log, of whoever needs the inbox for more than a figure
    }
  }

  return {
    async now() {
      if (looking === undefined && performance.now() - lookedAt >= LOOK_EVERY_MS) {
        lookedAt = performance.now();
        lag.look();
        looking = look().finally(() => {
          looking = undefined;
        });
      }
      await Promise.race([looking, sleep(LOOK_MS, undefined, { ref: false })]);
      if (looking !== undefined) hide();
    },
    close: () => lag.close(),
  };
}

function gaugesIn(registry: Registry) {
  const registers = [registry];
  return {
    entries: new Gauge({
      name: named('inbox_entries'),
      help: 'Entries of the inbox that are not done: waiting, running, dead. Of an inbox that several processes share, the same in each.',
      labelNames: ['status'],
      registers,
    }),
    oldest: new Gauge({
      name: named('inbox_oldest_waiting_seconds'),
      help: 'How long ago the oldest waiting entry was received; 0 where none waits.',
      registers,
    }),
    bytes: new Gauge({ name: named('inbox_waiting_bytes'), help: 'Content of all that waits.', registers }),
    ready: new Gauge({
      name: named('ready'),
      help: '1 where /ready says yes; 0 also where the inbox does not answer in time.',
      registers,
    }),
  };
}

/** A tape counts by itself. */
function countTape(registry: Registry, tape: Pick<TapeRecorder, 'counts'>): void {
  new Counter({
    name: named('taped_total'),
    help: 'Deliveries for the tape: written, or missed, because they were too many or it could not be written.',
    labelNames: ['outcome'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [outcome, count] of Object.entries(tape.counts)) this.inc({ outcome }, count);
    },
  });
}

const LAG_EVERY_MS = 20;

/** How much later than they were due timers ran since the last look. */
function createLag(registry: Registry): { look(): void; close(): void } {
  const registers = [registry];
  const help = 'How much too late the event loop came round since the last scrape';
  const p99 = new Gauge({ name: named('event_loop_lag_p99_seconds'), help: `${help}, 99 %.`, registers });
  const max = new Gauge({ name: named('event_loop_lag_max_seconds'), help: `${help}, at most.`, registers });
  const delays = monitorEventLoopDelay({ resolution: LAG_EVERY_MS });
  delays.enable();
  // It measures from one round to the next, which includes the time between them.
  const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - LAG_EVERY_MS / 1_000);
  return {
    look() {
      p99.set(late(delays.percentile(99)));
      max.set(late(delays.max));
      delays.reset();
    },
    close: () => delays.disable(),
  };
}
