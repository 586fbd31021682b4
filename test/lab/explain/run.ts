import { hotdocs, phenixid, risr } from '../../../src/kit/index.ts';
import { endpointsIn } from '../../../src/lab/explain/context.ts';
import { explain, type Report } from '../../../src/lab/explain/explain.ts';
import { hypothesesFor } from '../../../src/lab/explain/hypotheses/index.ts';
import type { Broken, Mistake } from './broken/plan.ts';

const sources = [hotdocs, phenixid, risr];
export const hypotheses = hypothesesFor(sources);

export function explained(
  { request, environment, at, extraSecrets, outcome }: Broken,
  ms: number,
): Promise<Report> {
  const { endpoints } = endpointsIn(environment, { sources });
  const further = extraSecrets.map((text, index) => ({ name: `line ${index + 1}`, text }));
  return explain({ ...request, at, outcome }, { endpoints, further, now: at }, { ms });
}

/** Ids of what a report says would make it verify, by itself. */
function fitsOf({ fits }: Report): string[] {
  return fits.flatMap(({ ids, twins }) => [...ids, ...twins]);
}

/** What a mistake may be called: by its own id, what is declared to look the same, and what does by its nature. */
export function isNameOf(mistake: Mistake, id: string): boolean {
  if (id === mistake.id) return true;
  const twins = hypotheses.flatMap((one) =>
    one.id === mistake.id
      ? (one.twins ?? [])
      : one.id === id && (one.twins ?? []).some((twin) => isOrSets(mistake.id, twin))
        ? [id]
        : [],
  );
  return [...twins, ...(mistake.also ?? [])].some((twin) => isOrSets(id, twin));
}

/** `setting:NAME` stands for every value of it. */
function isOrSets(id: string, name: string): boolean {
  return id === name || id.startsWith(`${name}=`);
}

const named = new Set(hypotheses.flatMap((one) => (one.sees === undefined ? [] : [one.id])));

/** Of what cannot or must not be undone, nothing is offered as a way out. */
export function isNamed(id: string): boolean {
  return named.has(id);
}

/** What is wrong with the explanation of a delivery on which one mistake was made. */
export function flawIn(report: Report, mistake: Mistake): string | undefined {
  const found = fitsOf(report);
  if (isNamed(mistake.id)) {
    if (found.length > 0) return `would verify by ${found.join(', ')}`;
    return report.named.some(({ ids }) => ids.includes(mistake.id)) ? undefined : 'is not named';
  }
  if (report.fits.some(({ ids }) => ids.length > 1)) return `takes two changes: ${found.join(', ')}`;
  const others = found.filter((id) => !isNameOf(mistake, id));
  if (found.length === 0)
    return `is not explained: ${report.judged.accepted ? 'accepted' : report.judged.code}`;
  if (others.length === found.length) return `is explained by ${others.join(', ')}`;
  return others.length > 0 ? `is explained by ${others.join(', ')}, too` : undefined;
}
