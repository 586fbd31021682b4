import type { ApiTools } from '../outgoing/caller.ts';
import type { ApiClient, ApiDefinition, Settings, Source } from '../source.ts';
import type { Config } from './config.ts';

/** By the source's name. */
type Clients = Readonly<Record<string, ApiClient | undefined>>;

/** The clients of the APIs that are configured. */
export interface OpenApis {
  readonly apis: Clients;
  /** Those of the installation that an event came from: its own, or else the source's. */
  readonly apisOf: (event: { readonly installation: string | undefined }) => Clients;
  close(): Promise<void>;
}

/** @throws if a host or certificate in the settings cannot be read */
export async function openApis(
  sources: readonly Source[],
  { apis: settings, installationApis }: Config,
  tools?: Partial<ApiTools>,
): Promise<OpenApis> {
  const apis: Record<string, ApiClient | undefined> = {};
  const own = new Map<string, Record<string, ApiClient | undefined>>();
  const close = async () => {
    const all = [apis, ...own.values()].flatMap((clients) => Object.values(clients));
    await Promise.all(all.map(async (client) => client?.close()));
  };
  try {
    for (const { name, api } of sources) apis[name] = await openApi(api, settings.get(name), tools);
    for (const { source, installation, settings: values } of installationApis) {
      const api = sources.find(({ name }) => name === source)?.api;
      const clients = own.get(installation) ?? {};
      own.set(installation, clients);
      clients[source] = await openApi(api, values, tools);
    }
  } catch (error) {
    await close();
    throw error;
  }
  const merged = new Map([...own].map(([installation, clients]) => [installation, { ...apis, ...clients }]));
  return {
    apis,
    apisOf: ({ installation }) => (installation === undefined ? apis : (merged.get(installation) ?? apis)),
    close,
  };
}

async function openApi(
  api: ApiDefinition | undefined,
  values: Settings | undefined,
  tools: Partial<ApiTools> | undefined,
): Promise<ApiClient | undefined> {
  if (values === undefined || api?.needed.every((setting) => isGiven(values[setting])) !== true)
    return undefined;
  return api.open(values, tools);
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== '';
}
