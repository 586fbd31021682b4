import { randomInt } from 'node:crypto';
import type { Environment } from '../../src/kit/program/reader.ts';
import { gradeNames, type Grade, type Level, type Loan } from '../../src/lab/conformance/rule.ts';
import type { RunOptions } from '../../src/lab/conformance/run.ts';
import type { TlsOptions } from '../../src/lab/conformance/wire.ts';
import { projectFile } from '../../src/lab/rig/program.ts';
import { pick, UsageError } from '../../src/lab/usage.ts';
import type { Source } from '../../src/kit/source.ts';
import { receiverUrl, wholeNumber } from '../../src/lab/command.ts';
import { addressOf } from './assignments.ts';
import type { Values } from './options.ts';
import { wishesIn, type Wish } from './outputs.ts';
import { createProbe, createRestart, environmentOutsideNpm } from './owner.ts';
import { readOr, secretsIn } from './secrets.ts';
import { readWaivers } from './waivers.ts';

/** What the command line says, checked as far as it can be without the receiver. */
export interface Prepared {
  readonly sources: readonly Source[];
  readonly wishes: readonly Wish[];
  readonly lapsedWaivers: readonly string[];
  readonly run: Pick<
    RunOptions,
    | 'level'
    | 'grade'
    | 'seed'
    | 'rate'
    | 'maxFailures'
    | 'parallel'
    | 'quick'
    | 'patienceMs'
    | 'tls'
    | 'keep'
    | 'waivers'
    | 'skip'
    | 'only'
    | 'exhausting'
  >;
}

/** @throws UsageError */
export function prepare(values: Values, sources: readonly Source[]): Prepared {
  if (values.kit) refuseBesidesKit(values);
  if (values.quick && values.exhausting) {
    throw new UsageError(
      '--quick is a sample in a few seconds, and --exhausting takes minutes: leave out one of them.',
    );
  }
  const { seed, keep, only, skip, exhausting, quick } = values;
  const { valid, lapsed } = readWaivers(values.waivers, new Date());
  const tls = tlsFor(values);
  return {
    sources: chosenFrom(sources, values.source),
    wishes: wishesIn(values.report),
    lapsedWaivers: lapsed,
    run: {
      level: levelFor(values),
      grade: gradeFor(values),
      patienceMs: wholeNumber('--patience', values.patience ?? '5', { min: 1, max: 3_600 }) * 1_000,
      seed:
        seed === undefined ? randomInt(MOST_SEED) : wholeNumber('--seed', seed, { min: 0, max: MOST_SEED }),
      only: [...only, ...values.case],
      skip,
      exhausting,
      quick,
      waivers: valid,
      ...limitsIn(values),
      ...(tls === undefined ? {} : { tls }),
      ...(keep === undefined ? {} : { keep }),
    },
  };
}

const MOST_SEED = 2 ** 31;

function limitsIn({
  rate,
  parallel,
  'max-failures': maxFailures,
}: Values): Pick<RunOptions, 'rate' | 'parallel' | 'maxFailures'> {
  const upTo = (option: string, text: string, max: number) => wholeNumber(option, text, { min: 1, max });
  return {
    ...(rate === undefined ? {} : { rate: upTo('--rate', rate, 100_000) }),
    ...(parallel === undefined ? {} : { parallel: upTo('--parallel', parallel, 100) }),
    ...(maxFailures === undefined ? {} : { maxFailures: upTo('--max-failures', maxFailures, 1_000_000) }),
  };
}

/** The receiver of this kit is started with all that these would say. */
function refuseBesidesKit({ url, endpoint, secrets, probe, restart, terminate, health }: Values): void {
  const given = [url, endpoint[0], secrets, probe, restart, terminate, health].some(
    (value) => value !== undefined,
  );
  if (given) {
    throw new UsageError(
      '--kit starts a receiver with an address, secrets, a probe, restarts and a health check of its own: leave out --url, ' +
        '--endpoint, --secrets, --probe, --restart, --terminate and --health, or --kit.',
    );
  }
}

export function chosenFrom(sources: readonly Source[], names: readonly string[]): readonly Source[] {
  if (names.length === 0 || names.includes('all')) return sources;
  const known = sources.map((source) => [source.name, source] as const);
  const chosen = names.map((name) => pick('--source', name, [...known, ['all', undefined]]));
  return sources.filter((source) => chosen.includes(source));
}

const levels: readonly Level[] = [1, 2, 3];

/** The level that was asked for, or the highest for which everything is there. */
function levelFor({ level: text, probe, restart, kit }: Values): Level {
  if (restart !== undefined && probe === undefined) {
    throw new UsageError('--restart needs --probe: only the effects show what a restart has lost.');
  }
  const highest = kit || restart !== undefined ? 3 : probe === undefined ? 1 : 2;
  if (text === undefined) return highest;
  const level = levels[wholeNumber('--level', text, { min: 1, max: 3 }) - 1] ?? 1;
  if (level <= highest) return level;
  throw new UsageError(
    level === 2
      ? '--level 2 needs --probe, which tells what the receiver has done.'
      : '--level 3 needs --probe, which tells what the receiver has done, and --restart.',
  );
}

/** The receiver of this kit has them all. */
function gradeFor({ grade, kit }: Values): Grade {
  const asked = grade ?? (kit ? 'hardened' : 'correct');
  return pick(
    '--grade',
    asked,
    gradeNames.map((name) => [name, name] as const),
  );
}

export function tlsFor({ ca, cert, key }: Pick<Values, 'ca' | 'cert' | 'key'>): TlsOptions | undefined {
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError('--cert and --key belong together: a client certificate and its key, as PEM files.');
  }
  if (ca === undefined && cert === undefined) return undefined;
  return {
    ...(ca === undefined ? {} : { ca: readOr(ca, '--ca') }),
    ...(cert === undefined ? {} : { cert: readOr(cert, '--cert') }),
    ...(key === undefined ? {} : { key: readOr(key, '--key') }),
    files: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
  };
}

/** What a run has of the receiver's owner. */
export interface Owner {
  readonly url: URL;
  /** With the secrets. */
  readonly env: Environment;
  readonly hooks: Pick<RunOptions, 'probe' | 'restart' | Loan>;
}

/** Of a receiver that runs already. @throws UsageError */
export function ownerOf(
  { url: text, secrets, probe, restart, terminate, health }: Values,
  env: Environment,
): Owner {
  const outside = environmentOutsideNpm(process.env, projectFile('.'));
  const url = text === undefined ? receiverUrl(undefined, env['PORT']) : addressOf('--url', text);
  if (url.search !== '') throw new UsageError('--url: expected no query; ?key= goes into --endpoint.');
  return {
    url,
    env: secretsIn(secrets, env),
    hooks: {
      ...(probe === undefined ? {} : { probe: createProbe(probe, outside) }),
      ...(restart === undefined ? {} : { restart: createRestart(restart, url, outside) }),
      ...(terminate === undefined ? {} : { terminate: createRestart(terminate, url, outside) }),
      ...(health === undefined ? {} : { health: addressOf('--health', health) }),
    },
  };
}
