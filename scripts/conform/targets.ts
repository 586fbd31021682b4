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
  /** `risr/user_registered=http://host/other/path`; several for a source with installations. */
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
  /** As far as it can be tried without. */
  readonly sealed: EndpointUnderTest;
}

/** The endpoints of a receiver that can be tried. @throws UsageError */
export function targetsOf(options: TargetOptions): Targets {
  const places = placesOf(options);
  const wishes = readWishes(options, places);
  const targets = places.map((place) => targetAt(place, wishes, options));
  return {
    endpoints: targets.flatMap((target) => ('variables' in target ? [] : target)),
    leftOut: targets.flatMap((target) => ('variables' in target ? target : [])),
  };
}

interface Place {
  readonly definition: EndpointDefinition;
  readonly source: Source;
  /** `hotdocs/InterviewLoadEvent`; `phenixid?key=south`, where there are several installations. */
  readonly name: string;
  readonly url: URL;
}

/** Where each endpoint is: at the address of its own, at all of them, or behind that of the receiver. */
function placesOf({ sources, further, url: base, endpoint }: TargetOptions): Place[] {
  const definitions = sources.flatMap((source) =>
    [...endpointsOf(source), ...further.filter((each) => each.source === source.name)].map((definition) => ({
      definition,
      source,
      name: definition.path.slice(1),
    })),
  );
  const names = definitions.map(({ name }) => name);
  const addresses = Map.groupBy(
    endpoint.map((text) => addressIn(text, names)),
    ([name]) => name,
  );
  return definitions.flatMap(({ name, ...each }) => {
    const own = addresses.get(name)?.map(([, url]) => url) ?? [];
    const usual = new URL(base.pathname.replace(/\/$/, '') + each.definition.path, base);
    if (own.length <= 1) return { ...each, name, url: own[0] ?? usual };
    checkInstallations(own, name);
    return own.map((url) => ({ ...each, name: name + url.search, url }));
  });
}

/** @throws UsageError unless each has another `?key=` */
function checkInstallations(urls: readonly URL[], name: string): void {
  if (new Set(urls.map(({ search }) => search)).size === urls.length) return;
  throw new UsageError(
    `--endpoint: ${name} has two addresses that differ by no ?key=, so that none of them can be told from the other.`,
  );
}

/** What the command line says of single endpoints. */
interface Wishes {
  readonly switches: readonly (About & { readonly name: string; readonly choice: string })[];
  readonly accepts: readonly (About & { readonly name: string; readonly choice: string })[];
  readonly limits: readonly (About & { readonly bytes: number })[];
}

function readWishes(options: TargetOptions, places: readonly Place[]): Wishes {
  const known = [...new Set(places.flatMap(({ source, name }) => [source.name, name]))];
  return {
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
  { env, accepts: claimed }: TargetOptions,
): EndpointUnderTest | LeftOut {
  const { name, source, definition, url } = place;
  const isMeant = ({ about }: About) => about === name || about === source.name;
  const switches = { ...installationIn(url, name, source), ...choicesOf(wishes.switches.filter(isMeant)) };
  const accepts = wishes.accepts.filter(isMeant);
  // Whoever mistypes a choice is told so here, and not by a rule that then finds it refused.
  for (const each of accepts) switchesOf(source, choicesOf([each]));

  const prefix = [variablePrefix(definition), upperSnake(switches['key'] ?? '')].filter(Boolean).join('_');
  const credential = credentialOf(source, prefix, env);
  const limit = wishes.limits.findLast(isMeant);
  const target = createEndpoint({
    name,
    source,
    type: definition.type ?? usualType(source),
    url: new URL(url.origin + url.pathname),
    switches,
    accepts: [
      ...accepts.map((each) => `${each.name}=${each.choice}`),
      ...claimed.filter((text) => text === 'all'),
    ],
    ...(credential === undefined ? {} : { credential }),
    ...(limit === undefined ? {} : { maxBodyBytes: limit.bytes }),
  });
  if (credential !== undefined) return target;
  return { name, variables: variablesFor(source, prefix), sealed: target };
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
