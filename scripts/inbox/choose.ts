import type { ParseArgsConfig } from 'node:util';
import type { Environment } from '../../src/kit/program/reader.ts';
import { variables } from '../../src/kit/program/variables.ts';
import { statuses } from '../../src/kit/inbox/inbox.ts';
import { pick } from '../../src/lab/usage.ts';
import { wholeNumber } from '../../src/lab/command.ts';
import type { Chosen } from './command.ts';

export const options = {
  status: { type: 'string' },
  source: { type: 'string' },
  type: { type: 'string' },
  limit: { type: 'string' },
  dead: { type: 'boolean' },
  content: { type: 'boolean' },
  reason: { type: 'string' },
  days: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const satisfies ParseArgsConfig['options'];

type Values = { readonly [Name in keyof typeof options]?: Value<(typeof options)[Name]['type']> };
type Value<Type> = Type extends 'boolean' ? boolean : string;

const MOST_DAYS = 36_500;

/** @throws UsageError */
export function chosenBy(values: Values, env: Environment): Chosen {
  const { status, source, type, limit, dead = false, content = false, reason, days, json = false } = values;
  const known = statuses.map((each) => [each, each] as const);
  return {
    filter: {
      ...(status !== undefined && { status: pick('--status', status, known) }),
      ...(source !== undefined && { source }),
      ...(type !== undefined && { type }),
    },
    limit: limit === undefined ? undefined : wholeNumber('--limit', limit, { min: 1, max: 100_000_000 }),
    ...{ dead, content, reason, json },
    days:
      days === undefined
        ? keptFor(env['RETENTION_DAYS'])
        : wholeNumber('--days', days, { min: 0, max: MOST_DAYS }),
    replayDays: replayDays.schema.safeParse(env['REPLAY_DAYS']).data ?? Number(replayDays.default),
  };
}

const { REPLAY_DAYS: replayDays } = variables;

/** What the receiver would prune by; it may have been told to keep everything. */
function keptFor(retentionDays = ''): number | undefined {
  if (!/^\d{1,5}(\.\d{1,15})?$/.test(retentionDays.trim())) return undefined;
  return Number(retentionDays) || undefined;
}
