import { ipKeyGenerator } from 'express-rate-limit';
import type { RejectionCode } from '../errors.ts';
import type { Log } from '../log.ts';

/** One line about what was refused, and why. */
export interface RefusalLine {
  readonly code: RejectionCode;
  readonly why: string;
  readonly [name: string]: unknown;
}

/** Writes down refusals, but not as many lines as anybody likes to cause. */
export interface RefusalLog {
  tell(line: RefusalLine, from: string | undefined): void;
  /** One that is a defect of ours: always in full. */
  tellDefect(line: RefusalLine, from: string | undefined, error: unknown): void;
}

const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;
/** More addresses than this within a minute are taken together. */
const MAX_ADDRESSES = 1_000;
const OTHERS = 'others';

/**
 * In full as many a minute from one address as it may have failed proofs; beyond that, in each second one in full, and the
 * others as a number for each code.
 */
export function createRefusalLog(
  log: Log,
  limit: number,
  /** Told of every one, in full or not. */
  onRefused: (line: RefusalLine) => void = () => undefined,
): RefusalLog {
  const told = new Map<string, number>();
  const counted = new Map<string, Map<RejectionCode, number>>();
  let minuteEnds = 0;

  function inFull(address: string): boolean {
    const now = performance.now();
    if (now >= minuteEnds) {
      told.clear();
      minuteEnds = now + MINUTE_MS;
    }
    const lines = (told.get(address) ?? 0) + 1;
    told.set(address, lines);
    return lines <= limit;
  }

  function tellCounts(): void {
    for (const [from, codes] of counted) {
      const count = codes.values().reduce((sum, one) => sum + one, 0);
      if (count === 0) continue;
      const why = `${count} more from there within a second, past FAILED_PROOF_LIMIT lines in a minute.`;
      log.warn({ outcome: 'rejected', codes: Object.fromEntries(codes), count, from, why });
    }
    counted.clear();
  }

  return {
    tellDefect(line, from, error) {
      onRefused(line);
      log.error({ outcome: 'rejected', ...line, from, err: error });
    },
    tell(line, from = 'gone') {
      onRefused(line);
      const network = ipKeyGenerator(from);
      const address = told.has(network) || told.size < MAX_ADDRESSES ? network : OTHERS;
      const counts = counted.get(address);
      if (!inFull(address) && counts !== undefined) {
        counts.set(line.code, (counts.get(line.code) ?? 0) + 1);
        return;
      }
      log.warn({ outcome: 'rejected', ...line, from });
      if ((told.get(address) ?? 0) <= limit) return;
      if (counted.size === 0) setTimeout(tellCounts, SECOND_MS).unref();
      counted.set(address, new Map());
    },
  };
}
