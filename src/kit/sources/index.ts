import { hotdocs } from './hotdocs/index.ts';
import { phenixid } from './phenixid/index.ts';
import { risr } from './risr/index.ts';

/** The products that this kit knows. An app may listen to fewer, and to sources of its own. */
export const sources = [hotdocs, phenixid, risr] as const;
