import type { ApisOf, hotdocs, phenixid, risr } from '../kit/index.ts';
import type { Archive } from './records/archive.ts';
import type { Records } from './records/records.ts';

/** What the handlers work with. */
export interface Tools {
  readonly records: Records;
  readonly archive: Archive;
  /** Without the API of its source a handler keeps what the event itself says. */
  readonly apisOf: ApisOf<typeof hotdocs | typeof phenixid | typeof risr>;
  readonly settings: HandlerSettings;
}

/** As `settings` in index.ts explains them. */
export interface HandlerSettings {
  readonly HOTDOCS_POST_PROCESSING_FAILURE: 'failed' | 'complete';
  readonly HOTDOCS_ACTION_LINK_ORIGIN: string;
  readonly HOTDOCS_ACTION_LINK_MESSAGE: string;
}
