import { isDeepStrictEqual } from 'node:util';
import type { ApiTools } from '../outgoing/caller.ts';
import type { ApiClient, Settings, Source } from '../source.ts';
import type { Config } from './config.ts';

/** By the source's name. */
type Clients = Readonly<Record<string, ApiClient | undefined>>;
type ApiSettings = Pick<Config, 'apis' | 'installationApis'>;

/** The clients of the APIs that are configured. */
export interface OpenApis {
  readonly apis: Clients;
  /** Those of the installation that an event came from: its own, or else the source's. */
  readonly apisOf: (event: { readonly installation: string | undefined }) => Clients;
  /**
   * Opens those anew whose settings have changed. What comes of it takes effect with the call of the function that this
   * resolves with; calls that are under way end as they began.
   * @throws as `openApis` does
   */
  prepare(config: ApiSettings): Promise<() => void>;
  close(): Promise<void>;
}

/** One API: of a source, or of an installation of it. */
interface Slot {
  readonly source: Source;
  readonly installation: string | undefined;
  settings: Settings | undefined;
  /** None where it is not set up. */
  client: ApiClient | undefined;
}

/** @throws if a host or certificate in the settings cannot be read */
export async function openApis(
  sources: readonly Source[],
  atStart: ApiSettings,
  tools?: Partial<ApiTools>,
): Promise<OpenApis> {
  const opened: ApiClient[] = [];
  const close = async () => {
    await Promise.all(opened.map((client) => client.close()));
  };

  async function open({ api }: Source, values: Settings | undefined): Promise<ApiClient | undefined> {
    const client = isSetUp(api, values) ? await api?.open(values, tools) : undefined;
    if (client !== undefined) opened.push(client);
    return client;
  }

  const slots = slotsOf(sources, atStart);
  try {
    for (const slot of slots) slot.client = await open(slot.source, slot.settings);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ...clientsOf(slots),
    async prepare(config) {
      const renewals: (() => void)[] = [];
      for (const slot of slots) {
        const settings = settingsFor(slot, config);
        if (slot.client === undefined || isDeepStrictEqual(slot.settings, settings)) continue;
        const client = await open(slot.source, settings);
        renewals.push(() => Object.assign(slot, { settings, client }));
      }
      return () => {
        for (const renew of renewals) renew();
      };
    },
    close,
  };
}

function slotsOf(sources: readonly Source[], config: ApiSettings): Slot[] {
  return sources.flatMap((source) => {
    const own = config.installationApis.filter((each) => each.source === source.name);
    return [undefined, ...own.map(({ installation }) => installation)].map((installation) => ({
      source,
      installation,
      settings: settingsFor({ source, installation }, config),
      client: undefined,
    }));
  });
}

function settingsFor(
  { source: { name }, installation }: Pick<Slot, 'source' | 'installation'>,
  { apis, installationApis }: ApiSettings,
): Settings | undefined {
  if (installation === undefined) return apis.get(name);
  return installationApis.find((each) => each.source === name && each.installation === installation)
    ?.settings;
}

function clientsOf(slots: readonly Slot[]): Pick<OpenApis, 'apis' | 'apisOf'> {
  const ofInstallation = (wanted: string | undefined): Clients =>
    Object.fromEntries(
      slots
        .filter(({ installation }) => installation === wanted)
        .map((slot) => [slot.source.name, slot.client && standIn(slot)]),
    );
  const apis = ofInstallation(undefined);
  const installations = new Set(slots.map(({ installation }) => installation));
  const byInstallation = new Map(
    [...installations].map((each) => [each, { ...apis, ...ofInstallation(each) }]),
  );
  return { apis, apisOf: ({ installation }) => byInstallation.get(installation) ?? apis };
}

/** A client that is whichever one is current: what the app was given once stays right. */
function standIn(slot: Slot): ApiClient {
  // Only ever asked for what the client of this very source has.
  return new Proxy({} as ApiClient, {
    get: (_, member): unknown => Reflect.get(slot.client ?? {}, member),
    has: (_, member) => Reflect.has(slot.client ?? {}, member),
  });
}

/** Whether all is set that the API needs. */
export function isSetUp(api: Source['api'], values: Settings | undefined): values is Settings {
  return values !== undefined && api?.needed.every((setting) => isGiven(values[setting])) === true;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== '';
}
