import { resolve } from 'node:path';
import {
  defineApp,
  hotdocs,
  phenixid,
  risr,
  setting,
  startReconciliation,
  type SettingDefinitions,
} from '../kit/index.ts';
import { hotdocsHandlers, hotdocsSteps } from './handlers/hotdocs.ts';
import { openTasks, phenixidHandlers } from './handlers/phenixid.ts';
import { risrHandlers } from './handlers/risr.ts';
import { openArchive } from './records/archive.ts';
import { openRecords } from './records/records.ts';
import type { Tools } from './tools.ts';

const settings = {
  RECORDS_FILE: {
    schema: setting.text(),
    default: 'data/records.db',
    summary: 'Where records are kept; yours will have a system of its own.',
  },
  ARCHIVE_DIR: {
    schema: setting.text(),
    default: 'data/archive',
    summary: 'Where documents are put, each in a file named by its SHA-256.',
  },
  RECONCILE_EVERY_MS: {
    schema: setting.integer({ min: 100, max: 86_400_000 }),
    default: '900000',
    summary: 'How often unfinished signing tasks are asked after: their sender tells each event once.',
  },
  HOTDOCS_POST_PROCESSING_FAILURE: {
    schema: setting.oneOf('failed', 'complete'),
    default: 'failed',
    summary: 'When documents cannot be changed for good: report that, or give the user the originals.',
  },
  HOTDOCS_ACTION_LINK_ORIGIN: {
    schema: setting.matching(
      /^$|^https?:\/\/[^/?#\s@]+$/,
      'an origin such as https://acme.hotdocsadvance.com',
    ),
    default: '',
    summary: 'Of the window that an action link page may hand answers to. Without it the page has no script.',
  },
  HOTDOCS_ACTION_LINK_MESSAGE: {
    schema: setting.text(),
    default: 'answers',
    summary: '`type` of the message that hands them over. Not documented.',
  },
} as const satisfies SettingDefinitions;

/**
 * The reference receiver: a complete app in which every handler does its work, on records and an archive that stand in for
 * a system of your own. `npm run example` runs it; `npm run demo` shows it.
 */
export const example = defineApp({
  folder: 'src/example',
  greeting:
    'This is the reference receiver: it changes things in the products. Yours is src/app; npm start runs it.',
  sources: [hotdocs, phenixid, risr],
  settings,
  open({ settings, apisOf, sealing }): Tools {
    const records = usable('RECORDS_FILE', () => openRecords(absolute(settings.RECORDS_FILE), sealing));
    const archive = usable('ARCHIVE_DIR', () =>
      openArchive(records, absolute(settings.ARCHIVE_DIR), sealing),
    );
    return { records, archive, apisOf, settings };
  },
  handlers: (tools) => ({
    hotdocs: hotdocsHandlers(tools),
    phenixid: phenixidHandlers(tools),
    risr: risrHandlers(tools),
  }),
  steps: (tools) => hotdocsSteps(tools),
  started(tools, { settings, inbox, log }) {
    const everyMs = settings.RECONCILE_EVERY_MS;
    return startReconciliation({ inbox, log, everyMs, openTasks: () => openTasks(tools) });
  },
  close: ({ records }) => {
    records.close();
  },
});

/** So that what is wrong with it can be found from wherever the message is read. */
function absolute(path: string): string {
  return path === ':memory:' ? path : resolve(path);
}

/** Whatever is wrong with a setting is said at start, not with the first document. */
function usable<Thing>(setting: 'RECORDS_FILE' | 'ARCHIVE_DIR', open: () => Thing): Thing {
  try {
    return open();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${setting} cannot be used: ${why}`, { cause });
  }
}
