import type { ApiTools } from '../outgoing/caller.ts';
import type { ApiClient, Source } from '../source.ts';
import type { Config } from './config.ts';

/** The clients of the APIs that are configured, by the source's name. */
export interface OpenApis {
  readonly apis: Readonly<Record<string, ApiClient | undefined>>;
  close(): Promise<void>;
}

/** @throws if a host or certificate in the settings cannot be read */
export async function openApis(
  sources: readonly Source[],
  { apis: settings }: Config,
  tools?: Partial<ApiTools>,
): Promise<OpenApis> {
  const apis: Record<string, ApiClient | undefined> = {};
  const close = async () => {
    await Promise.all(Object.values(apis).map(async (client) => client?.close()));
  };
  try {
    for (const { name, api } of sources) {
      const values = settings.get(name);
      const isSetUp = values !== undefined && api?.needed.every((setting) => isGiven(values[setting]));
      if (isSetUp === true) apis[name] = await api?.open(values, tools);
    }
    return { apis, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== '';
}
