import {
  upperSnake,
  variablePrefix,
  type Credential,
  type EndpointConfig,
} from '../../src/kit/endpoint/definition.ts';
import { readEndpoints } from '../../src/kit/program/read-endpoints.ts';
import { Reader, type Environment } from '../../src/kit/program/reader.ts';
import type { Configurable } from '../../src/kit/program/config.ts';
import type { CredentialKind } from '../../src/kit/source.ts';
import { pick } from '../../src/lab/usage.ts';

/** Where the secrets of an endpoint, or of one installation behind it, are kept. */
export interface Place {
  readonly endpoint: EndpointConfig;
  /** What `?key=` names, `''` without. */
  readonly installation: string;
  readonly kind: CredentialKind;
  readonly variable: string;
  /** What is there now. */
  readonly credential: Credential | undefined;
  /** The file that it stands in, where it does not stand in the variable itself. */
  readonly file: string | undefined;
}

/** Every place of an app: those with a secret, and those that wait for one. What is wrong with them is left to the receiver. */
export function placesOf(app: Configurable, environment: Environment): readonly Place[] {
  const endpoints = readEndpoints(new Reader(environment), app.sources, app.endpoints ?? []);
  return endpoints.flatMap((endpoint) => {
    const made = [...endpoint.credentials].map(([installation, credential]) =>
      placeOf(endpoint, installation, credential.kind, environment, credential),
    );
    const isOpen = endpoint.credentials.has('');
    const kinds = isOpen ? [] : Object.keys(endpoint.source.proof.kinds);
    return [...kinds.map((kind) => placeOf(endpoint, '', kind, environment)), ...made];
  });
}

function placeOf(
  endpoint: EndpointConfig,
  installation: string,
  name: string,
  environment: Environment,
  credential?: Credential,
): Place {
  const { definition, source } = endpoint;
  const middle = installation === '' ? [] : [upperSnake(installation)];
  const variable = credential?.variable ?? [variablePrefix(definition), ...middle, name].join('_');
  const kind = source.proof.kinds[name];
  if (kind === undefined) throw new Error(`${source.name} has no kind of credential named ${name}.`);
  const file = environment[`${variable}_FILE`] ?? '';
  return { endpoint, installation, kind, variable, credential, file: file === '' ? undefined : file };
}

/** As it is written on the command line. */
export function nameOf({ endpoint, installation }: Pick<Place, 'endpoint' | 'installation'>): string {
  return endpoint.definition.path + (installation === '' ? '' : `?key=${installation}`);
}

/** By its path, with `?key=` for an installation, or by its variable. @throws UsageError */
export function findPlace(name: string, places: readonly Place[], environment: Environment): Place {
  const wanted = name.replace(/_FILE$/, '');
  const known = places.find((place) => wanted === place.variable || wanted === nameOf(place));
  if (known !== undefined) return known;
  const [, path, installation] = /^(\/[^?]*)\?key=([\w.-]{1,100})$/.exec(wanted) ?? [];
  const behind = places.find(
    ({ endpoint }) => endpoint.definition.path === path && endpoint.source.installations === true,
  );
  const [kind] = Object.keys(behind?.endpoint.source.proof.kinds ?? {});
  if (behind !== undefined && installation !== undefined && kind !== undefined)
    return placeOf(behind.endpoint, installation, kind, environment);
  const names = new Map(
    places.map((place) => [wanted.startsWith('/') ? nameOf(place) : place.variable, place]),
  );
  return pick('endpoint', wanted, [...names]);
}
