import type { Apis, hotdocs, Log, phenixid, risr } from '../kit/index.ts';

/** What your handlers work with. Add what they need, a client of your own system for example, and open it in index.ts. */
export interface Tools {
  /** The clients of the products' APIs, each `undefined` until it is configured. */
  readonly apis: Apis<typeof hotdocs | typeof phenixid | typeof risr>;
  readonly log: Log;
}
