import { defineApp, hotdocs, phenixid, risr } from '../kit/index.ts';
import { hotdocsHandlers } from './handlers/hotdocs.ts';
import { phenixidHandlers } from './handlers/phenixid.ts';
import { risrHandlers } from './handlers/risr.ts';
import type { Tools } from './tools.ts';

/** Your app. README.md beside this file says what can stand here; src/example is a complete one. */
export const app = defineApp({
  folder: 'src/app',
  // Whom you listen to: without a source, its endpoints, settings and handlers go, too.
  sources: [hotdocs, phenixid, risr],
  // Environment variables of your own.
  settings: {},
  // Endpoints besides the one that every event has. Import `endpoint` as well, beside `defineApp`, and write for example
  // endpoints: [endpoint('/hotdocs/lookup-tenant', hotdocs, 'CustomInterviewEvent')],
  endpoints: [],
  // What your handlers work with, as tools.ts describes it.
  open: ({ apis, log }): Tools => ({ apis, log }),
  handlers: (tools) => ({
    hotdocs: hotdocsHandlers(tools),
    phenixid: phenixidHandlers(tools),
    risr: risrHandlers(tools),
  }),
});
