import type { Archive } from '../records/archive.ts';
import type { Records } from '../records/records.ts';
import type { HotdocsApi } from '../../kit/sources/hotdocs/api/api.ts';
import type { PhenixidApi } from '../../kit/sources/phenixid/api/api.ts';
import type { RisrApi } from '../../kit/sources/risr/api/api.ts';

/** What the reference handlers work with. Yours may want something else: a client of your own system, a mail server. */
export interface HandlerTools {
  readonly records: Records;
  readonly archive: Archive;
  /** Without the API of its source a handler keeps what the event itself says. */
  readonly apis: {
    readonly hotdocs?: HotdocsApi | undefined;
    readonly phenixid?: PhenixidApi | undefined;
    readonly risr?: RisrApi | undefined;
  };
  readonly settings: HandlerSettings;
}

/** As `variables` in config.ts explains them. */
export interface HandlerSettings {
  readonly HOTDOCS_POST_PROCESSING_FAILURE: 'failed' | 'complete';
  readonly HOTDOCS_ACTION_LINK_ORIGIN: string;
  readonly HOTDOCS_ACTION_LINK_MESSAGE: string;
}
