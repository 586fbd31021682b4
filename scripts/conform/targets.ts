import type { Environment } from '../../src/kit/program/reader.ts';
import { createEndpoint } from '../../src/lab/conformance/endpoints.ts';
import type { EndpointUnderTest } from '../../src/lab/conformance/rule.ts';
import { endpointsOf, upperSnake, variablePrefix } from '../../src/kit/endpoint/definition.ts';
import { switchesOf } from '../../src/lab/mock/request.ts';
import { UsageError } from '../../src/lab/usage.ts';
import type { EndpointDefinition, Source, Switches } from '../../src/kit/source.ts';
import { addressIn, choiceIn, limitIn, type About } from './assignments.ts';
import { credentialOf, variablesFor } from './secrets.ts';

export interface TargetOptions {
  readonly sources: readonly Source[];
  readonly further: readonly EndpointDefinition[];
  /** What all addresses begin with, unless `endpoint` says otherwise. */
  readonly url: URL;
  /** `risr/user_registered=http://host/other/path` */
  readonly endpoint: readonly string[];
  /** `phenixid:encoding=base64`: of a source, or of one endpoint. */
  readonly switch: readonly string[];
  readonly accepts: readonly string[];
  /** `phenixid:16384` */
  readonly maxBody: readonly string[];
  readonly env: Environment;
}

export interface Targets {
  readonly endpoints: readonly EndpointUnderTest[];
  readonly leftOut: readonly LeftOut[];
}

/** An endpoint without a secret, and the variables that would give it one. */
export interface LeftOut {
  readonly name: string;
  readonly variables: readonly string[];
}

/** The endpoints of a receiver that can be tried. @throws UsageError */
export function targetsOf(options: TargetOptions): Targets {
  const places = placesOf(options);
  const wishes = readWishes(options, places);
  const targets = places.map((place) => targetAt(place, wishes, options));
  return {
    endpoints: targets.flatMap((target) => ('url' in target ? target : [])),
    leftOut: targets.flatMap((target) => ('url' in target ? [] : target)),
  };
}

interface Place {
  readonly definition: EndpointDefinition;
  readonly source: Source;
  /** `hotdocs/InterviewLoadEvent` */
  readonly name: string;
}

function placesOf({ sources, further }: TargetOptions): Place[] {
  return sources.flatMap((source) =>
    [...endpointsOf(source), ...further.filter((endpoint) => endpoint.source === source.name)].map(
      (definition) => ({ definition, source, name: definition.path.slice(1) }),
    ),
  );
}

/** What the command line says of single endpoints. */
interface Wishes {
  readonly addresses: ReadonlyMap<string, URL>;
  readonly switches: readonly (About & { readonly name: string; readonly choice: string })[];
  readonly accepts: readonly (About & { readonly name: string; readonly choice: string })[];
  readonly limits: readonly (About & { readonly bytes: number })[];
}

function readWishes(options: TargetOptions, places: readonly Place[]): Wishes {
  const names = places.map(({ name }) => name);
  const known = [...new Set([...options.sources.map(({ name }) => name), ...names])];
  return {
    addresses: new Map(options.endpoint.map((text) => addressIn(text, names))),
    switches: options.switch.map((text) => choiceIn('--switch', text, known)),
    accepts: options.accepts
      .filter((text) => text !== 'all')
      .map((text) => choiceIn('--accepts', text, known)),
    limits: options.maxBody.map((text) => limitIn(text, known)),
  };
}

function targetAt(
  place: Place,
  wishes: Wishes,
  { url: base, env, accepts: claimed }: TargetOptions,
): EndpointUnderTest | LeftOut {
  const { name, source, definition } = place;
  const isMeant = ({ about }: About) => about === name || about === source.name;
  const url = wishes.addresses.get(name) ?? new URL(base.pathname.replace(/\/$/, '') + definition.path, base);
  const switches = { ...installationIn(url, name, source), ...choicesOf(wishes.switches.filter(isMeant)) };
  const accepts = wishes.accepts.filter(isMeant);
  // Whoever mistypes a choice is told so here, and not by a rule that then finds it refused.
  for (const each of accepts) switchesOf(source, choicesOf([each]));

  const prefix = [variablePrefix(definition), upperSnake(switches['key'] ?? '')].filter(Boolean).join('_');
  const credential = credentialOf(source, prefix, env);
  if (credential === undefined) return { name, variables: variablesFor(source, prefix) };
  const limit = wishes.limits.findLast(isMeant);
  return createEndpoint({
    name,
    source,
    type: definition.type ?? usualType(source),
    url: new URL(url.origin + url.pathname),
    credential,
    switches,
    accepts: [
      ...accepts.map((each) => `${each.name}=${each.choice}`),
      ...claimed.filter((text) => text === 'all'),
    ],
    ...(limit === undefined ? {} : { maxBodyBytes: limit.bytes }),
  });
}

function choicesOf(choices: Wishes['switches']): Switches {
  return Object.fromEntries(choices.map(({ name, choice }) => [name, choice]));
}

/** An endpoint for all events of a source is tried with the one that comes first in life. */
function usualType({ story, events }: Source): string {
  return story?.[0] ?? Object.keys(events)[0] ?? '';
}

function installationIn({ searchParams, search }: URL, name: string, { installations }: Source): Switches {
  if (search === '') return {};
  const key = searchParams.get('key');
  if (installations === true && searchParams.size === 1 && key !== null) return { key };
  throw new UsageError(`--endpoint: the address of ${name} has a query, and its sender would not write one.`);
}
