import { endpointsOf, upperSnake, variablePrefix } from '../../kit/endpoint/definition.ts';
import type { Configurable } from '../../kit/program/config.ts';
import { Reader, type Environment } from '../../kit/program/reader.ts';
import type { Taped } from '../../kit/tape/tape.ts';
import type { Place } from './prove-again.ts';

/** The endpoint that a delivery came to, with the settings that the environment has for it; `undefined`: the app has none. */
export function placeOf(
  { endpoint }: Pick<Taped, 'endpoint'>,
  app: Configurable,
  env: Environment,
): Place | undefined {
  const own = app.sources.flatMap((source) => endpointsOf(source));
  const definition = [...own, ...(app.endpoints ?? [])].find(({ path }) => path === endpoint);
  const source = app.sources.find(({ name }) => name === definition?.source);
  if (definition === undefined || source === undefined) return undefined;
  const prefixes = [`${variablePrefix(definition)}_`, `${upperSnake(source.name)}_`];
  return { source, definition, settings: new Reader(env).settings(source.settings, prefixes) };
}

/** The kinds of credential of a place, first that which the environment has. */
export function kindsAt({ source, definition }: Place, env: Environment): readonly string[] {
  const isSet = (kind: string) =>
    ['', '_FILE'].some((end) => Boolean(env[`${variablePrefix(definition)}_${kind}${end}`]));
  return Object.keys(source.proof.kinds).toSorted((one, other) => Number(isSet(other)) - Number(isSet(one)));
}
