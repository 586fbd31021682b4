import { isDeepStrictEqual } from 'node:util';
import type { ApiTools } from '../outgoing/caller.ts';
import type { ApiClient, Settings, Source } from '../source.ts';
import type { Config } from './config.ts';

/** The clients of the APIs that are configured, by the source's name. */
export interface OpenApis {
  readonly apis: Readonly<Record<string, ApiClient | undefined>>;
  /**
   * Opens those anew whose settings have changed. What comes of it takes effect with the call of the function that this
   * resolves with; calls that are under way end as they began.
   * @throws as `openApis` does
   */
  prepare(config: Pick<Config, 'apis'>): Promise<() => void>;
  close(): Promise<void>;
}

/** @throws if a host or certificate in the settings cannot be read */
export async function openApis(
  sources: readonly Source[],
  { apis: atStart }: Pick<Config, 'apis'>,
  tools?: Partial<ApiTools>,
): Promise<OpenApis> {
  const opened: ApiClient[] = [];
  const close = async () => {
    await Promise.all(opened.map((client) => client.close()));
  };

  async function open({ name, api }: Source, settings: ReadonlyMap<string, Settings>) {
    const values = settings.get(name);
    const client = isSetUp(api, values) ? await api?.open(values, tools) : undefined;
    if (client !== undefined) opened.push(client);
    return client;
  }

  try {
    const current: Record<string, ApiClient | undefined> = {};
    for (const source of sources) current[source.name] = await open(source, atStart);
    let settings = atStart;
    return {
      apis: Object.fromEntries(
        sources.map(({ name }) => [name, current[name] && standIn(() => current[name])]),
      ),
      async prepare({ apis: next }) {
        const changed = sources.filter(
          ({ name }) => current[name] !== undefined && !isDeepStrictEqual(settings.get(name), next.get(name)),
        );
        const renewed: Record<string, ApiClient | undefined> = {};
        for (const source of changed) renewed[source.name] = await open(source, next);
        return () => {
          settings = next;
          Object.assign(current, renewed);
        };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A client that is whichever one is current: what the app was given once stays right. */
function standIn(current: () => ApiClient | undefined): ApiClient {
  // Only ever asked for what the client of this very source has.
  return new Proxy({} as ApiClient, {
    get: (_, member): unknown => Reflect.get(current() ?? {}, member),
    has: (_, member) => Reflect.has(current() ?? {}, member),
  });
}

/** Whether all is set that the API needs. */
export function isSetUp(api: Source['api'], values: Settings | undefined): values is Settings {
  return values !== undefined && api?.needed.every((setting) => isGiven(values[setting])) === true;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== '';
}
