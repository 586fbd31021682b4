import type { Mistake, Plan } from './plan.ts';

const S = 1000;
const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** A token that says when it was made and when it expires, seconds before it came. */
const made =
  (agoS: number, validS = 300) =>
  (plan: Plan) => {
    const iat = Math.floor(plan.at / S) - agoS;
    member(plan, { iat, exp: iat + validS });
  };

function member(plan: Plan, members: object): void {
  plan.content = Buffer.from(
    JSON.stringify({ ...(JSON.parse(plan.content.toString()) as object), ...members }),
  );
}

const LOOSER = ['setting:CLOCK_TOLERANCE_S', 'setting:MAX_AGE_S'];

function time(
  id: string,
  way: string,
  set: (plan: Plan) => void,
  also: readonly string[] = [],
  on = 'JW',
): Mistake {
  return { id, way, on, set, also: [...also, ...LOOSER] };
}

export const timeMistakes: readonly Mistake[] = [
  time('clock-ahead', 'by 20 minutes', made(20 * MINUTE), ['delivery-late']),
  time('clock-ahead', 'by 3 days', made(72 * HOUR), ['delivery-late']),
  time(
    'clock-behind',
    'by 20 minutes',
    (plan) => {
      const now = Math.floor(plan.at / S) + 20 * MINUTE;
      member(plan, { iat: now, nbf: now, exp: now + 300 });
    },
    [],
  ),
  ...[2, 5.5].map((hours) =>
    time('clock-zone', `east by ${hours} hours`, made(hours * HOUR), ['clock-ahead', 'delivery-late']),
  ),
  time(
    'clock-zone',
    'west by an hour',
    (plan) => {
      const now = Math.floor(plan.at / S) + HOUR;
      member(plan, { iat: now, nbf: now, exp: now + 300 });
    },
    ['clock-behind'],
  ),
  time('time-in-ms', 'all of them', (plan) => member(plan, { iat: plan.at, exp: plan.at + 300 * S })),
  time('delivery-late', 'by 11 minutes', made(16 * MINUTE), ['clock-ahead']),
];
