import { stringify } from 'yaml';

/** The integrator's own system, and the package that he has added for it. */
export interface Crm {
  /** Files something, and says so in a few words. */
  file(what: string): string;
}

export function openCrm(region: string): Crm {
  return { file: (what) => stringify({ [region]: what }).trimEnd() };
}
