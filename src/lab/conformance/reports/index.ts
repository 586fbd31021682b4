import { badgeReport } from './badge.ts';
import { ctrfReport } from './ctrf.ts';
import { htmlReport } from './html.ts';
import { junitReport } from './junit.ts';
import { markdownReport } from './markdown.ts';
import { ndjsonReport } from './ndjson.ts';
import type { Report } from './report.ts';
import { sarifReport } from './sarif.ts';
import { tapReport } from './tap.ts';

/** What a run can be written down as, by the name of the format. The terminal has a report of its own. */
export const reports: readonly (readonly [format: string, create: () => Report])[] = [
  ['ndjson', ndjsonReport],
  ['junit', junitReport],
  ['tap', tapReport],
  ['ctrf', ctrfReport],
  ['html', htmlReport],
  ['markdown', markdownReport],
  ['sarif', sarifReport],
  ['badge', badgeReport],
];
