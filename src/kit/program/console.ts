import { createConsole, type Console, type ConsoleParts } from '../console/console.ts';
import { every } from '../console/every.ts';
import { Journal } from '../console/journal.ts';
import type { ConsolePage } from '../console/page.ts';
import { readPasses } from '../console/passes.ts';
import { isShared } from '../inbox/address.ts';
import { readFacts } from '../facts/open.ts';
import type { StepLog } from '../log.ts';
import type { Config } from './config.ts';
import { explainer } from './explainer.ts';
import type { Environment } from './reader.ts';
import type { Metrics } from './operations/metrics.ts';
import type { GeneralSettings } from './variables.ts';
import { kitVersion } from './version.ts';

/** What only a console on a developer's machine has. */
export interface Development {
  readonly pages: readonly ConsolePage[];
}

/** What the pages of a running program need of it. */
export interface OpenedConsole extends Console {
  /** Tells the console, too. */
  watching(metrics: Metrics): Metrics;
  readonly step: StepLog;
  /** From now on, endpoints are as this says. */
  renew(config: Config): void;
}

interface Parts extends Omit<ConsoleParts, 'app' | 'configs' | 'shared' | 'journal' | 'counts' | 'explain'> {
  readonly folder: string;
  /** `undefined`: it runs where it is used. */
  readonly development?: Development | undefined;
  /** For commands that are run for it; `undefined`: none are. */
  readonly environment?: (() => Environment) | undefined;
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|::1)$/;
/** Facts are read from beside the inbox at most so often. */
const COUNTS_MS = 3_000;

export function openConsole(config: Config, parts: Parts): OpenedConsole {
  const { general } = config;
  const { folder, development, environment, ...rest } = parts;
  const { ADMIN_HOST, CONSOLE_HOSTS, INBOX_URL } = general;
  let current = config;
  let passes = passesOf(general);
  const journal = new Journal(parts.sources);
  const opened = createConsole({
    ...rest,
    app: `${kitVersion()}, ${folder}`,
    configs: () => current.endpoints,
    shared: isShared(INBOX_URL),
    journal,
    counts: every(COUNTS_MS, () => readFacts(INBOX_URL).catch(() => [])),
    explain: environment && explainer(folder, INBOX_URL, environment),
    access: {
      passes: () => passes,
      development: development !== undefined,
      loopback: LOOPBACK.test(ADMIN_HOST),
      hosts: [ADMIN_HOST.includes(':') ? `[${ADMIN_HOST}]` : ADMIN_HOST, ...CONSOLE_HOSTS],
    },
    pages: development?.pages ?? [],
  });
  return {
    ...opened,
    step: journal.step,
    watching: (metrics) => both(metrics, journal),
    renew(next) {
      current = next;
      passes = passesOf(next.general);
    },
  };
}

function passesOf({ CONSOLE_TOKEN, CONSOLE_LOOK_TOKEN }: GeneralSettings) {
  return [...readPasses(CONSOLE_TOKEN, 'act'), ...readPasses(CONSOLE_LOOK_TOKEN, 'look')];
}

function both(metrics: Metrics, journal: Journal): Metrics {
  return {
    ...metrics,
    received(received, ms) {
      metrics.received(received, ms);
      journal.received(received, ms);
    },
    refused(line) {
      metrics.refused(line);
      journal.refused(line);
    },
    attempted(entry, attempted) {
      metrics.attempted(entry, attempted);
      journal.attempted(entry, attempted);
    },
  };
}
