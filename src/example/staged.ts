import { join } from 'node:path';
import { openTasks } from './handlers/phenixid.ts';
import { example } from './index.ts';
import { addExamplePeople } from './records/examples.ts';
import type { Tools } from './tools.ts';
import { viewOf } from './view.ts';

/** The reference receiver as it is put on a stage: demo, chaos and scenarios play on it. */
export const stagedExample = {
  app: example,
  /** Where it keeps its things, in a folder of the stage. */
  env: (folder: string, fleeting: boolean) => ({
    RECORDS_FILE: fleeting ? ':memory:' : join(folder, 'records.db'),
    ARCHIVE_DIR: archiveIn(folder),
  }),
  /** People whom the first event already finds. */
  furnish: ({ records }: Tools) => {
    addExamplePeople(records);
  },
  view: (tools: Tools) => viewOf(tools),
  openTasks,
};

function archiveIn(folder: string): string {
  return join(folder, 'archive');
}
