import { createEndpoint } from '../../src/lab/conformance/endpoints.ts';
import type { CaseEnded, RunEnded } from '../../src/lab/conformance/result.ts';
import type { EndpointUnderTest, Grade, Level } from '../../src/lab/conformance/rule.ts';
import { rules } from '../../src/lab/conformance/rules/index.ts';
import { runConformance, USUAL_PARALLEL } from '../../src/lab/conformance/run.ts';
import type { TlsOptions } from '../../src/lab/conformance/wire.ts';
import { endpointsOf } from '../../src/kit/endpoint/definition.ts';
import type { Source, Switches } from '../../src/kit/source.ts';
import { sources } from '../../src/kit/sources/index.ts';
import type { Credential, Credentials } from './parts.ts';
import type { Certificates } from '../support/certificates.ts';
import type { Villain } from './villain.ts';

/** What came of a run of the suite. */
export interface Tried {
  readonly ended: RunEnded;
  readonly cases: readonly CaseEnded[];
}

export interface TryOptions {
  readonly start: Villain['start'];
  /** For a receiver that speaks TLS. */
  readonly certificates?: Certificates | undefined;
  /** Names of sources. */
  readonly sources: readonly string[];
  /** Which endpoints, by `source/type`; all unless given. */
  readonly endpoints?: readonly string[] | undefined;
  /** How HotDocs proves itself: `SECRET` unless given. */
  readonly kind?: string | undefined;
  /** What its owner says it accepts besides. */
  readonly accepts?: readonly string[];
  /** The installation of PhenixID that `?key=` names. */
  readonly key?: string | undefined;
  /** A second installation beside it. */
  readonly secondKey?: string | undefined;
  /** Endpoints without a secret, by their path less its slash: neither the receiver nor the suite has one. */
  readonly unset?: readonly string[] | undefined;
  readonly level: Level;
  /** `hardened` unless given. */
  readonly grade?: Grade;
  /** Patterns of rules; all unless given. */
  readonly only?: readonly string[];
  readonly skip?: readonly string[];
  readonly exhausting?: boolean;
  /** A sample of the cases. */
  readonly quick?: boolean;
  /** Cases at once; as usual unless given. */
  readonly parallel?: number;
  readonly maxFailures?: number;
  /** Milliseconds to wait for a reply; as long as its sender would unless given. */
  readonly patienceMs?: number | undefined;
}

/** Starts a receiver, tries the suite on it, and stops it. */
export async function tryReceiver(options: TryOptions): Promise<Tried> {
  const credentials = credentialsFor(options);
  const { certificates } = options;
  const running = await options.start(credentials, certificates);
  const cases: CaseEnded[] = [];
  try {
    const ended = await runConformance({
      endpoints: endpointsAt(running.url, credentials, options),
      rules,
      level: options.level,
      grade: options.grade ?? 'hardened',
      seed: 1,
      only: options.only ?? [],
      skip: options.skip ?? [],
      exhausting: options.exhausting ?? false,
      quick: options.quick ?? false,
      maxFailures: options.maxFailures ?? Infinity,
      parallel: options.parallel ?? USUAL_PARALLEL,
      ...(certificates === undefined ? {} : { tls: tlsWith(certificates) }),
      ...(running.effects === undefined ? {} : { probe: running.effects }),
      ...(running.terminate === undefined ? {} : { terminate: running.terminate }),
      ...(running.health === undefined ? {} : { health: running.health }),
      ...(running.restart === undefined ? {} : { restart: running.restart }),
      onEvent(event) {
        if (event.event === 'case') cases.push(event);
      },
    });
    if (ended.verdict === 'broken') throw new Error(ended.says);
    return { ended, cases };
  } finally {
    await running.stop();
  }
}

/** One for each path and installation, and not derived from each other. */
function credentialsFor({ kind = 'SECRET', key, secondKey, unset = [] }: TryOptions): Credentials {
  const paths = sources.flatMap((source) => endpointsOf(source).map(({ path }) => path));
  const second = secondKey === undefined ? [] : [secondPath(secondKey)];
  return new Map(
    [...paths, ...second]
      .filter((path) => !unset.includes(path.slice(1)))
      .map((path, at): [string, Credential] => {
        const text = `${String(at).repeat(8)}-only-for-tests-${path.slice(1).replace('/', '-')}`;
        if (!path.startsWith('/phenixid'))
          return [path, { kind: path.startsWith('/hotdocs/') ? kind : 'SECRET', text }];
        const named = path === '/phenixid' ? key : secondKey;
        return [path, { kind: 'SECRET', text, ...(named === undefined ? {} : { key: named }) }];
      }),
  );
}

function secondPath(key: string): string {
  return `/phenixid?key=${key}`;
}

function endpointsAt(url: URL, credentials: Credentials, options: TryOptions): EndpointUnderTest[] {
  const { sources: names, endpoints: wanted, secondKey } = options;
  return sources
    .filter(({ name }) => names.includes(name))
    .flatMap((source) => {
      const [representative = ''] = source.story ?? Object.keys(source.events);
      const places = endpointsOf(source).map(({ path, type = representative }) => ({ source, path, type }));
      if (secondKey === undefined || source.installations !== true) return places;
      return [...places, { source, path: secondPath(secondKey), type: representative }];
    })
    .filter(({ source, type }) => wanted?.includes(`${source.name}/${type}`) ?? true)
    .map(({ source, path, type }) => {
      const credential = credentials.get(path);
      const address = new URL(path.replace(/\?.*/, ''), url);
      if (credential === undefined) return createEndpoint({ source, type, url: address });
      const switches = switchesFor(source, credential, options);
      const { accepts = [] } = options;
      const name = path.includes('?') ? { name: path.slice(1) } : {};
      return createEndpoint({ source, type, url: address, credential, switches, accepts, ...name });
    })
    .toSorted((one, other) => Number(one.sealed ?? false) - Number(other.sealed ?? false));
}

function switchesFor(source: Source, { key }: Credential, { patienceMs }: TryOptions): Switches {
  const patience = Object.keys(source.switches).find((name) => /timeoutMs$/i.test(name));
  return {
    ...(key === undefined ? {} : { key }),
    ...(patienceMs === undefined || patience === undefined ? {} : { [patience]: String(patienceMs) }),
  };
}

function tlsWith({ authority, client }: Certificates): TlsOptions {
  return { ca: authority.cert, cert: client.cert, key: client.key };
}
