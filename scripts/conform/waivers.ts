import { z } from 'zod';
import type { Waiver } from '../../src/lab/conformance/tell.ts';
import { UsageError } from '../../src/lab/usage.ts';
import { readOr } from './secrets.ts';

const MORE_THAN_STARS = /[^*]/;

const waivers = z.array(
  z.strictObject({
    /** Of rule or case ids, `*` standing for anything. */
    pattern: z.string().regex(MORE_THAN_STARS, 'expected the id of a rule or a case, and not all of them'),
    reason: z.string().trim().min(1),
    /** The last day on which it holds, in UTC. */
    until: z.iso.date().optional(),
  }),
);

export interface Waivers {
  readonly valid: readonly Waiver[];
  readonly lapsed: readonly string[];
}

/** The failures that are put up with today. @throws UsageError that says what is wrong with which member */
export function readWaivers(file: string | undefined, today: Date): Waivers {
  if (file === undefined) return { valid: [], lapsed: [] };
  const result = waivers.safeParse(jsonIn(file));
  if (!result.success) {
    const problems = result.error.issues.map(
      ({ path, message }) => `  ${path.join('.') || 'all of it'}: ${message}`,
    );
    throw new UsageError(`${file}: ${SHAPE}\n${problems.join('\n')}`);
  }
  const day = today.toISOString().slice(0, 10);
  const isValid = ({ until }: { readonly until?: string | undefined }) => until === undefined || day <= until;
  return {
    valid: result.data.filter(isValid).map(({ pattern, reason }) => ({ pattern, reason })),
    lapsed: result.data.filter((waiver) => !isValid(waiver)).map(({ pattern }) => pattern),
  };
}

const SHAPE =
  'expected [{"pattern": "U6-*", "reason": "why it is put up with", "until": "2027-01-31"}], until being optional.';

function jsonIn(file: string): unknown {
  try {
    return JSON.parse(readOr(file, '--waivers'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(`--waivers: ${file} is not JSON.`, { cause: error });
  }
}
