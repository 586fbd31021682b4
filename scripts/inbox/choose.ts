import type { ParseArgsConfig } from 'node:util';
import type { Environment } from '../../src/kit/program/reader.ts';
import { variables } from '../../src/kit/program/variables.ts';
import { statuses } from '../../src/kit/inbox/inbox.ts';
import { pickOne, UsageError } from '../../src/lab/usage.ts';
import { wholeNumber } from '../../src/lab/command.ts';
import type { Chosen } from './command.ts';

export const options = {
  status: { type: 'string' },
  source: { type: 'string' },
  type: { type: 'string' },
  id: { type: 'string' },
  subject: { type: 'string' },
  since: { type: 'string' },
  limit: { type: 'string' },
  dead: { type: 'boolean' },
  content: { type: 'boolean' },
  reason: { type: 'string' },
  days: { type: 'string' },
  yes: { type: 'boolean' },
  json: { type: 'boolean' },
  print: { type: 'boolean' },
  help: { type: 'boolean' },
} as const satisfies ParseArgsConfig['options'];

type Values = { readonly [Name in keyof typeof options]?: Value<(typeof options)[Name]['type']> };
type Value<Type> = Type extends 'boolean' ? boolean : string;

const MOST_DAYS = 36_500;

/** @throws UsageError */
export function chosenBy(values: Values, env: Environment): Chosen {
  const { status, source, type, id, subject, since, limit, days, reason } = values;
  const kept = keptFor(env['RETENTION_DAYS']);
  // What the receiver does by itself all the time needs no second word.
  const { yes = days === undefined && kept !== undefined } = values;
  const { dead = false, content = false, json = false, print = false } = values;
  return {
    filter: {
      ...(status !== undefined && { status: pickOne('--status', status, statuses) }),
      ...(source !== undefined && { source }),
      ...(type !== undefined && { type }),
      ...(id !== undefined && { about: id }),
      ...(subject !== undefined && { subject }),
      ...(since !== undefined && { since: momentIn('--since', since, Date.now()) }),
    },
    limit: limit === undefined ? undefined : wholeNumber('--limit', limit, { min: 1, max: 100_000_000 }),
    ...{ dead, content, reason, yes, json, print },
    days: days === undefined ? kept : daysIn(days),
    replayDays: replayDays.schema.safeParse(env['REPLAY_DAYS']).data ?? Number(replayDays.default),
  };
}

const { REPLAY_DAYS: replayDays } = variables;

const MS_PER = { min: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Parts of a day are allowed, as in RETENTION_DAYS. @throws UsageError */
function daysIn(text: string): number {
  const days = DAYS.test(text) ? Number(text) : NaN;
  if (days <= MOST_DAYS) return days;
  throw new UsageError(`--days: expected a number of days from 0 to ${MOST_DAYS}, as 30 or 0.5.`);
}

const DAYS = /^\d{1,5}(\.\d{1,15})?$/;

/** `90min`, `2h`, `3d` before now, or a day or moment as ISO 8601 writes it. @throws UsageError */
export function momentIn(option: string, text: string, now: number): number {
  const [, count, unit] = /^(\d{1,6})(min|h|d)$/.exec(text) ?? [];
  if (count !== undefined) return now - Number(count) * MS_PER[unit as keyof typeof MS_PER]; // as the pattern says
  const [day] = /^\d{4}-\d\d-\d\d/.exec(text) ?? [];
  const at = day !== undefined && isDay(day) ? Date.parse(text) : NaN;
  if (!Number.isNaN(at)) return at;
  throw new UsageError(
    `${option}: expected 90min, 2h or 3d, or a moment as 2031-02-03 or 2031-02-03T14:00:00Z.`,
  );
}

/** Date.parse takes 31 November for 1 December. */
function isDay(day: string): boolean {
  const at = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(day);
}

/** What the receiver would prune by; it may have been told to keep everything. */
function keptFor(retentionDays = ''): number | undefined {
  if (!DAYS.test(retentionDays.trim())) return undefined;
  return Number(retentionDays) || undefined;
}
