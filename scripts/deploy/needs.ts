import { isOpen } from '../../src/kit/endpoint/definition.ts';
import { ConfigInvalid, readConfig, type Config, type Configurable } from '../../src/kit/program/config.ts';
import { readEndpoints } from '../../src/kit/program/read-endpoints.ts';
import { Reader, type Environment } from '../../src/kit/program/reader.ts';
import { secretsFor } from '../../src/lab/rig/secrets.ts';
import { UsageError } from '../../src/lab/usage.ts';

/** What an app must have where it runs: names and paths, never a value. */
export interface Needs {
  /** Of the endpoints that are open here, or of all if none is. */
  readonly paths: readonly string[];
  /** What they begin with: the names of the products. */
  readonly products: readonly string[];
  /** Variables that are to be read from files: secrets, passwords, keys. */
  readonly secrets: readonly string[];
  /** Other variables that are set here. */
  readonly settings: readonly string[];
  /** Endpoints that demand a client certificate, so that no proxy may end their TLS. */
  readonly certified: readonly string[];
  /** Whether no endpoint is open here. */
  readonly all: boolean;
}

/** What the templates say themselves. */
const SAID = /^(ROLE|HOST|PORT|ADMIN_HOST|ADMIN_PORT|TRUST_PROXY_HOPS|SHUTDOWN_DELAY_MS)$/;

/** @throws UsageError with all that is wrong with what is set */
export function needsOf(app: Configurable, environment: Environment): Needs {
  const { config, all } = configOf(app, { ...environment, ROLE: 'both' });
  const open = config.endpoints.filter(isOpen);
  const { kept, asked } = config.read;
  const secrets = [...kept].flatMap(([name, text]) =>
    text !== undefined && asked.has(`${name}_FILE`) && !SAID.test(name) ? [name] : [],
  );
  const told = new Set(secrets.flatMap((name) => [name, `${name}_FILE`]));
  return {
    paths: open.map(({ definition }) => definition.path),
    products: [...new Set(open.map(({ definition }) => definition.path.split('/')[1] ?? ''))],
    secrets,
    settings: [...asked].filter((name) => environment[name] && !told.has(name) && !SAID.test(name)),
    certified: open.flatMap(({ definition, certificate }) => (certificate ? [definition.path] : [])),
    all,
  };
}

function configOf(
  app: Configurable,
  environment: Environment,
): { readonly config: Config; readonly all: boolean } {
  const all = !readEndpoints(new Reader(environment), app.sources, app.endpoints ?? []).some(isOpen);
  try {
    // A secret for each, made on the spot and forgotten again, shows what they are called.
    const config = readConfig(all ? { ...environment, ...secretsFor(app) } : environment, app);
    return { config, all };
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    throw new UsageError(`With what is set here nothing would start:\n  ${error.problems.join('\n  ')}`);
  }
}
