import { startApp, type App } from '../kit/program/app.ts';
import { apiSettings, type Config } from '../kit/program/config.ts';
import { createHandlers, createSteps } from './handlers/index.ts';
import type { HandlerTools } from './handlers/tools.ts';
import type { Log } from '../kit/log.ts';
import type { Work } from '../kit/handling/handle.ts';
import { startReconciliation } from './reconcile.ts';
import { openArchive } from './records/archive.ts';
import type { Records } from './records/records.ts';
import { createHotdocsApi } from '../kit/sources/hotdocs/api/api.ts';
import { hotdocs } from '../kit/sources/hotdocs/index.ts';
import { createPhenixidApi } from '../kit/sources/phenixid/api/api.ts';
import { phenixid } from '../kit/sources/phenixid/index.ts';
import { createRisrApi } from '../kit/sources/risr/api/api.ts';
import { risr } from '../kit/sources/risr/index.ts';

/**
 * The receiver with the handlers and all they work with. Its `stop` ends that, too, except for the records.
 * @throws as startApp does, and if a host or certificate of an API cannot be read
 */
export async function startWithHandlers(
  config: Config,
  records: Records,
  log: Log,
  workWith: (tools: HandlerTools) => Work = createWork,
): Promise<App> {
  const { general } = config;
  const archive = openArchive(records, general.ARCHIVE_DIR);
  const apis = openApis(config);
  try {
    const app = await startApp(config, workWith({ records, archive, apis, settings: general }), log);
    const { inbox } = app;
    const everyMs = general.RECONCILE_EVERY_MS;
    const reconciliation =
      general.ROLE !== 'receiver' && apis.phenixid
        ? await startReconciliation({ records, inbox, everyMs, log })
        : undefined;
    return {
      ...app,
      stop: async () => {
        reconciliation?.stop();
        await app.stop().finally(() => closeApis(apis));
      },
    };
  } catch (error) {
    await closeApis(apis);
    throw error;
  }
}

/** All that the handlers folder has to do. */
export function createWork(tools: HandlerTools): Work {
  return { handlers: createHandlers(tools), steps: createSteps(tools) };
}

type Apis = HandlerTools['apis'];

/** The clients of the APIs that are configured. */
function openApis(config: Config): Apis {
  const knows = ({ name }: { readonly name: string }) => config.apis.has(name);
  return {
    hotdocs: knows(hotdocs) ? createHotdocsApi(apiSettings(config, hotdocs)) : undefined,
    phenixid: knows(phenixid) ? createPhenixidApi(apiSettings(config, phenixid)) : undefined,
    risr: knows(risr) ? createRisrApi(apiSettings(config, risr)) : undefined,
  };
}

async function closeApis({ hotdocs, phenixid, risr }: Apis): Promise<void> {
  await Promise.all([hotdocs?.close(), phenixid?.close(), risr?.close()]);
}
