import { apiSettings, type Config } from '../src/config.ts';
import type { HandlerTools } from '../src/handlers/tools.ts';
import { sleepUnlessAborted } from '../src/outgoing/retry.ts';
import type { Work } from '../src/receiver/handle.ts';
import { createHotdocsApi } from '../src/sources/hotdocs/api.ts';
import { hotdocs } from '../src/sources/hotdocs/index.ts';
import { createPhenixidApi } from '../src/sources/phenixid/api.ts';
import { phenixid } from '../src/sources/phenixid/index.ts';
import { createRisrApi } from '../src/sources/risr/api.ts';
import { risr } from '../src/sources/risr/index.ts';

/** Handlers with clients that hardly wait before they try again: a bad day passes in a second. */
export interface Haste {
  readonly workFor: (config: Config) => WorkWith;
  close(): Promise<void>;
}

export type WorkWith = (tools: HandlerTools) => Work;

const LONGEST_MS = 10;

export function createHaste(workWith: WorkWith): Haste {
  const opened: HandlerTools['apis'][] = [];
  return {
    workFor: (config) => (tools) => {
      const apis = openApis(config);
      opened.push(apis);
      return workWith({ ...tools, apis });
    },
    async close() {
      for (const { hotdocs, phenixid, risr } of opened) {
        await Promise.all([hotdocs?.close(), phenixid?.close(), risr?.close()]);
      }
    },
  };
}

function openApis(config: Config): HandlerTools['apis'] {
  const tools = {
    sleep: (ms: number, signal: AbortSignal | undefined) =>
      sleepUnlessAborted(Math.min(ms, LONGEST_MS), signal),
  };
  return {
    hotdocs: createHotdocsApi(apiSettings(config, hotdocs), tools),
    phenixid: createPhenixidApi(apiSettings(config, phenixid), tools),
    risr: createRisrApi(apiSettings(config, risr), tools),
  };
}
