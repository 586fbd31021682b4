import { stat } from 'node:fs/promises';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { ConfigInvalid, readConfig, type Config, type Configurable } from './config.ts';
import type { Environment } from './reader.ts';
import type { Program } from './start.ts';
import type { Variables } from './text-file.ts';

/** Takes other secrets, certificates and keys while the program runs. */
export interface Renewal {
  /** Reads everything again, and takes it if nothing of it is in doubt. Never rejects: the outcome is in the log. */
  renew(): Promise<void>;
  stop(): void;
}

export interface RenewalOptions {
  readonly program: Pick<Program, 'renew'>;
  /** What the program was started with. */
  readonly config: Config;
  readonly variables: Pick<Variables, 'read'> & Partial<Pick<Variables, 'files'>>;
  readonly log: Log;
}

type Read = Pick<ReturnType<Variables['read']>, 'env' | 'doubts'>;

/** Found out by looking: a file that is mounted, or swapped by a symbolic link, tells nobody that it has changed. */
const LOOK_EVERY_MS = 1_000;

const NO_ENV_FILE =
  'No .env was read: Node was not given one. Start it with --env-file=.env, or name files in …_FILE variables.';

export function startRenewal(
  app: Configurable,
  { program, config, variables, log }: RenewalOptions,
): Renewal {
  const isAtStartOnly = atStartOnly(app);
  const atStart: Read = variables.read();
  let taken = atStart;
  let current = config;
  let running = Promise.resolve();
  let seen = '';
  let handled = '';

  async function take(read: () => Read, always: boolean): Promise<void> {
    try {
      const { env: found, doubts } = read();
      // Complete as it is found, and complete with all else as it is: each of them could be in doubt.
      const names = renewableIn([current, readConfig(found, app, doubts)], isAtStartOnly);
      const env = merged(taken.env, found, names);
      const next = readConfig(env, app, doubts);
      refuseOtherKind(current, next);
      const changed = keptThatDiffer(current, next).filter((name) => !isAtStartOnly(name));
      if (changed.length > 0) await program.renew(next);
      const warnings = next.warnings.filter((warning) => !current.warnings.includes(warning));
      [taken, current] = [{ env, doubts }, next];
      if (changed.length > 0 || always)
        log.info({ outcome: 'renewed', changed: changed.map((name) => described(name, next)).sort() });
      const left = leftForRestart(atStart.env, found, names, config, next);
      if (always && variables.files?.length === 0) warnings.push(NO_ENV_FILE);
      if (left.length > 0) warnings.push(`Taken at the next start only: ${left.join(', ')}.`);
      for (const why of warnings) log.warn({ outcome: 'renewed', why });
    } catch (error) {
      log.error({ outcome: 'trouble', why: notRenewed(error) });
    }
  }

  /** One after the other. */
  function soon(read: () => Read, always: boolean): Promise<void> {
    running = running.then(() => take(read, always));
    return running;
  }

  /** Takes only what two looks have found alike: it may just be being written. */
  async function look(): Promise<void> {
    const found = await lookOf(current.read.files);
    if (found === seen && found !== handled) {
      handled = found;
      await soon(() => taken, false);
    }
    seen = found;
  }

  const looking = setTimeout(() => void look().finally(() => looking.refresh()), LOOK_EVERY_MS).unref();
  return {
    renew: () => soon(() => variables.read(), true),
    stop() {
      clearTimeout(looking);
    },
  };
}

function notRenewed(error: unknown): string {
  const problems = error instanceof ConfigInvalid ? error.problems.join(' ') : messageOf(error);
  return `Nothing was renewed, the old secrets and certificates stay in use: ${problems}`;
}

/** What is opened once: the inbox, and whatever the app does with settings of its own. */
function atStartOnly({ settings = {} }: Configurable): (name: string) => boolean {
  const names = ['INBOX_URL', ...Object.keys(settings)];
  return (name) => names.includes(name.replace(/_FILE$/, '')) || names.includes(name);
}

function renewableIn(configs: readonly Config[], isAtStartOnly: (name: string) => boolean): Set<string> {
  const names = configs.flatMap(({ read }) => [...read.renewable]);
  return new Set(names.filter((name) => !isAtStartOnly(name)));
}

function merged(env: Environment, found: Environment, names: ReadonlySet<string>): Environment {
  const pick = (from: Environment, taken: boolean) =>
    Object.entries(from).filter(([name]) => names.has(name) === taken);
  return Object.fromEntries([...pick(env, false), ...pick(found, true)]);
}

/** A server that speaks plain HTTP, or asks nobody for a certificate, does so until it ends. */
function refuseOtherKind({ tls: old }: Config, { tls: next }: Config): void {
  if ((old === undefined) !== (next === undefined))
    throw new Error('TLS is switched on or off by a restart only.');
  if ((old?.clientAuthorities === undefined) !== (next?.clientAuthorities === undefined))
    throw new Error('TLS_CLIENT_CA was set or taken away: restart, and clients are asked, or no longer.');
}

function keptThatDiffer({ read: { kept: old } }: Config, { read: { kept: next } }: Config): string[] {
  return [...new Set([...old.keys(), ...next.keys()])].filter((name) => old.get(name) !== next.get(name));
}

function leftForRestart(
  envAtStart: Environment,
  found: Environment,
  renewed: ReadonlySet<string>,
  config: Config,
  next: Config,
): string[] {
  const settings = [...config.read.asked, ...next.read.asked].filter(
    (name) => !renewed.has(name) && (envAtStart[name] ?? '') !== (found[name] ?? ''),
  );
  const kept = keptThatDiffer(config, next).filter((name) => !renewed.has(name));
  return [...new Set([...settings, ...kept])];
}

function described(name: string, { endpoints, read }: Config): string {
  const credentials = endpoints.flatMap((endpoint) => [...endpoint.credentials.values()]);
  const live = credentials.find(({ variable }) => variable === name)?.texts.length;
  if (live !== undefined) return `${name} (${live} live)`;
  return read.kept.get(name) === undefined ? `${name} (gone)` : name;
}

/** What changes whenever one of the files does: times, size, or which file a link leads to. */
async function lookOf(files: readonly string[]): Promise<string> {
  const looks = files.map(async (file) => {
    try {
      const { dev, ino, size, mtimeMs, ctimeMs } = await stat(file);
      return [file, dev, ino, size, mtimeMs, ctimeMs].join();
    } catch {
      return `${file} gone`;
    }
  });
  return (await Promise.all(looks)).join('\n');
}
