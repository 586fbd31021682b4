import { ConfigInvalid, readConfig, type Config, type Configurable } from '../../kit/program/config.ts';
import type { Environment } from '../../kit/program/reader.ts';
import {
  endpointsOf,
  upperSnake,
  variablePrefix,
  type EndpointConfig,
} from '../../kit/endpoint/definition.ts';
import type { Credential } from '../mock/request.ts';
import type { CredentialFor } from '../mock/sender.ts';
import { UsageError } from '../usage.ts';
import type { EndpointDefinition, Source, Switches } from '../../kit/source.ts';

/** The mock's credentials are the receiver's, read from the same variables; of several live ones the newest is used. */
export function credentialsFrom(env: Environment, app: Configurable): (source: Source) => CredentialFor {
  let config: Config | undefined;
  return (source) =>
    ({ type, path, switches }) => {
      const definition = definitionFor([...endpointsOf(source), ...(app.endpoints ?? [])], type, path);
      const installation = installationOf(source, switches);
      const prefix = [variablePrefix(definition), installation && upperSnake(installation)];
      const variables = variablesOf(source, prefix.filter(Boolean).join('_'));
      config ??= configOr(() => readConfig(env, app), env, variables);
      return credentialOf(source, endpointOf(config, definition), installation, variables);
    };
}

/** The endpoint of that path; for a path elsewhere, the usual one of that event. */
function definitionFor(
  endpoints: readonly EndpointDefinition[],
  type: string,
  path: string,
): EndpointDefinition {
  const found =
    endpoints.find((endpoint) => endpoint.path === path) ??
    endpoints.find((endpoint) => endpoint.type === undefined || endpoint.type === type);
  if (found === undefined) throw new UsageError(`No endpoint receives ${type}.`);
  return found;
}

/** A source with installations has a switch `key`: what it writes as `?key=`. */
function installationOf(source: Source, switches: Switches): string {
  return source.installations === true ? (switches['key'] ?? '') : '';
}

function variablesOf(source: Source, prefix: string): string[] {
  return Object.keys(source.proof.kinds).map((kind) => `${prefix}_${kind}`);
}

function configOr(read: () => Config, env: Environment, variables: readonly string[]): Config {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    const isSet = variables.some((name) => Boolean(env[name]) || Boolean(env[`${name}_FILE`]));
    throw isSet ? new UsageError(error.problems.join('\n')) : notSet(variables);
  }
}

function notSet(variables: readonly string[]): UsageError {
  return new UsageError(
    `No secret to prove it with. Set ${variables.join(' or ')} to the same value as for the receiver, ` +
      'in .env or in the environment.',
  );
}

function endpointOf({ endpoints }: Config, { path }: EndpointDefinition): EndpointConfig | undefined {
  return endpoints.find(({ definition }) => definition.path === path);
}

function credentialOf(
  source: Source,
  endpoint: EndpointConfig | undefined,
  installation: string,
  variables: readonly string[],
): Credential {
  const credential = endpoint?.credentials.get(installation);
  const [text] = credential?.texts ?? [];
  if (credential && text !== undefined) return { kind: credential.kind, text };
  const [kind] = Object.keys(source.proof.kinds);
  if (endpoint?.unproven === true && kind !== undefined) return { kind, text: '' };
  throw notSet(variables);
}
