import { json } from './escape.ts';
import type { Report } from './report.ts';

/** The run as it told itself: one JSON object a line, while it goes on. */
export function ndjsonReport(): Report {
  return (event) => `${json(event)}\n`;
}
