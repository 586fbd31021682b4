import { createHmac } from 'node:crypto';
import { objectIn, type JsonObject } from '../../../kit/reading/json.ts';
import { contentsOf } from '../../../kit/tape/raw.ts';
import { viewOf, type Case, type Change, type Row } from '../case.ts';
import { tokensIn } from '../spots.ts';

/** What a token says of itself, before anybody has verified it: only for finding what to try. */
export function claimsOf(token: string): JsonObject {
  return objectIn(contentsOf(token)[1]) ?? {};
}

/** Whether a secret of its endpoint has made a token, as HS256 has it. */
export function isGenuine(token: string, of: Case): boolean {
  const at = token.lastIndexOf('.');
  return viewOf(of).texts.some(
    (text) =>
      createHmac('sha256', text).update(token.slice(0, at)).digest('base64url') === token.slice(at + 1),
  );
}

const CLAIMS = ['iat', 'nbf', 'exp'] as const;
const DAY_MS = 86_400_000;
const ZONE_MS = 1_800_000;
const MOST_ZONE_MS = 14 * 3_600_000;
/** Clocks and networks in between. */
const SLACK_MS = 300_000;

/** How far the time at which it came is from those at which its token may hold: positive, it came too late. */
function offsets(of: Case): readonly number[] {
  const times = tokensIn(of).flatMap((token) => {
    const claims = claimsOf(token);
    return CLAIMS.flatMap((name) => {
      const seconds = claims[name];
      // Before it expires, not at that very second.
      return typeof seconds === 'number' ? [seconds * 1_000 - (name === 'exp' ? 1_000 : 0)] : [];
    });
  });
  return [...new Set(times)]
    .map((time) => of.at - time)
    .sort((one, other) => Math.abs(one) - Math.abs(other));
}

function* moved(of: Case, fits: (offset: number) => boolean): Generator<Change> {
  for (const offset of offsets(of))
    if (fits(offset)) yield { at: of.at - offset, detail: duration(Math.abs(offset)) };
}

function duration(ms: number): string {
  const units = [
    ['days', DAY_MS],
    ['h', 3_600_000],
    ['min', 60_000],
  ] as const;
  const [unit, size] = units.find(([, one]) => ms >= 2 * one) ?? ['s', 1_000];
  return `${Math.round(ms / size)} ${unit}`;
}

const isZone = (offset: number) => {
  const size = Math.abs(offset);
  const zone = Math.round(size / ZONE_MS) * ZONE_MS;
  return zone > 0 && zone <= MOST_ZONE_MS && Math.abs(size - zone) <= SLACK_MS;
};

const AGAIN = ' A recorded delivery that somebody sends again looks the same.';

export const ofTime: readonly Row[] = [
  {
    id: 'clock-zone',
    applies: 'JW',
    means: 'its times were not off by hours ({detail}): local time written as UTC, or a clock set so',
    remedy:
      'Compare both clocks with UTC (date -u). The sender must write seconds since 1970 in UTC.' + AGAIN,
    twins: ['clock-ahead', 'delivery-late', 'clock-behind'],
    variants: (of) => moved(of, isZone),
  },
  {
    id: 'clock-ahead',
    applies: 'JW',
    means: 'our clock were not ahead of the sender’s by about {detail}',
    remedy:
      'Compare both clocks with UTC (date -u, chronyc tracking, w32tm /query /status); let both follow a time server.' +
      AGAIN,
    twins: ['delivery-late'],
    variants: (of) => moved(of, (offset) => offset > 0),
  },
  {
    id: 'clock-behind',
    applies: 'JW',
    means: 'our clock were not behind the sender’s by about {detail}',
    remedy:
      'Compare both clocks with UTC (date -u, chronyc tracking, w32tm /query /status); let both follow a time server.',
    variants: (of) => moved(of, (offset) => offset < 0),
  },
  {
    id: 'delivery-late',
    applies: 'JW',
    means: 'it had come about {detail} sooner: it waited somewhere on the way',
    remedy:
      'Look for a queue or a retrying proxy in front. Accepting it nevertheless is for you to decide: --accept --although-stale.' +
      AGAIN,
    variants: (of) => moved(of, (offset) => offset > 0 && offset <= DAY_MS),
  },
  {
    id: 'time-in-ms',
    applies: 'JW',
    means: 'The token is genuine, but writes a time in milliseconds where seconds belong ({detail}).',
    remedy: 'The sender must divide by 1,000: iat, nbf and exp are seconds since 1970.',
    *sees(of) {
      for (const token of tokensIn(of).filter((one) => isGenuine(one, of))) {
        const wrong = CLAIMS.filter((name) => Number(claimsOf(token)[name]) > 100_000_000_000);
        if (wrong.length > 0) yield wrong.join(', ');
      }
    },
  },
];
