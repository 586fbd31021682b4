import { readFileSync } from 'node:fs';
import { messageOf } from '../../src/kit/errors.ts';
import type { EndpointConfig } from '../../src/kit/endpoint/definition.ts';
import { isGenuine, type Kept, type Lost, type Tape, type TapedOutcome } from '../../src/kit/tape/tape.ts';
import { outline } from '../../src/lab/explain/tell.ts';
import type { RawRequest } from '../../src/lab/raw-request.ts';
import { readHar } from '../../src/lab/explain/read-har.ts';
import { readRawHttp } from '../../src/lab/explain/read-http.ts';
import { UsageError } from '../../src/lab/usage.ts';
import { moment, table } from '../inbox/print.ts';
import { isLost } from '../tape/command.ts';

/** A delivery that can be explained, by the number it is called by. */
export interface Refused {
  readonly number: number;
  readonly request: RawRequest;
  readonly outcome?: TapedOutcome;
  readonly why?: string | undefined;
  /** All of its body is there. */
  readonly whole: boolean;
  /** As it is kept on the tape. */
  readonly kept?: Kept;
}

/** What a tape holds of refused deliveries, and what of it cannot be read. */
export async function refusedOn(
  tape: Tape,
): Promise<{ readonly refused: readonly Refused[]; readonly lost: readonly Lost[] }> {
  const all = await tape.list();
  return {
    refused: all.flatMap((one) => (isLost(one) || isGenuine(one) ? [] : [ofTape(one)])),
    lost: all.filter(isLost),
  };
}

function ofTape(kept: Kept): Refused {
  const { number, outcome, why, whole } = kept;
  return { number, request: kept, outcome, why, whole, kept };
}

/** The requests in a file, numbered from 1. @throws UsageError */
export function refusedIn(file: string, form: 'http' | 'har'): readonly Refused[] {
  const bytes = bytesOf(file);
  const requests = form === 'http' ? [readRawHttp(bytes)] : readHar(bytes.toString('utf8'));
  return requests.map((request, index) => ({ number: index + 1, request, whole: true }));
}

export function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${messageOf(error)}.`, { cause: error });
  }
}

/** One line each; of what came only what it is recognised by. */
export function listed(all: readonly Refused[], endpoints: readonly EndpointConfig[]): string {
  return table(
    all.map(({ number, request, outcome }) => {
      const [path = '', ...others] = outline(request, endpoints);
      return [`#${number}`, moment(request.at) ?? '–', path, outcome ?? '–', ...others];
    }),
  );
}
