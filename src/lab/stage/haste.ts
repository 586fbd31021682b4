import { apiSettings, type Config } from '../../kit/program/config.ts';
import type { HandlerTools } from '../../example/handlers/tools.ts';
import { sleepUnlessAborted } from '../../kit/outgoing/retry.ts';
import type { Work } from '../../kit/handling/handle.ts';
import { createHotdocsApi } from '../../kit/sources/hotdocs/api/api.ts';
import { hotdocs } from '../../kit/sources/hotdocs/index.ts';
import { createPhenixidApi } from '../../kit/sources/phenixid/api/api.ts';
import { phenixid } from '../../kit/sources/phenixid/index.ts';
import { createRisrApi } from '../../kit/sources/risr/api/api.ts';
import { risr } from '../../kit/sources/risr/index.ts';

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
