import { hash } from 'node:crypto';
import { printable, type Redact } from './redact.ts';
import type { ExchangeSummary } from './result.ts';
import type { EndpointUnderTest } from './rule.ts';
import type { Observation, WireRequest } from './wire.ts';

/** One request of a case and its outcome. */
export interface Exchange {
  /** What it was for: `positive`, `attack`, `positive again`, or a trial's own word. */
  readonly role: string;
  /** All bytes sent, or meant to be sent. */
  readonly bytes: Buffer;
  /** What the bytes were made of, unless they were written by hand. */
  readonly request: WireRequest | undefined;
  readonly observation: Observation;
  /** Where it went, if not to the endpoint. */
  readonly url?: URL;
  /** It was sent to be refused for its proof, so that its answer must be that of all others like it. */
  readonly failedProof: boolean;
  /** Statuses from 500 that are right here. */
  readonly allows: readonly number[];
}

const SHOWN_BYTES = 200;

export function summarise(exchange: Exchange, { url }: EndpointUnderTest, redact: Redact): ExchangeSummary {
  const { role, bytes, observation } = exchange;
  return {
    role,
    request: requestLineOf(exchange, url, redact),
    bytes: bytes.length,
    sha256: hash('sha256', bytes),
    status: observation.status,
    ms: observation.ms,
    reply: printable(redact(observation.body.toString('latin1', 0, SHOWN_BYTES * 4))).slice(0, SHOWN_BYTES),
  };
}

function requestLineOf({ request, bytes }: Exchange, { pathname }: URL, redact: Redact): string {
  if (request === undefined) {
    const [line = ''] = bytes.toString('latin1', 0, 2048).split(/\r?\n/);
    return printable(redact(line.split('?')[0] ?? '')).slice(0, SHOWN_BYTES);
  }
  const [path = ''] = request.target.split('?');
  const shown = path === pathname ? path : printable(redact(path)).slice(0, SHOWN_BYTES);
  return `${printable(request.method)} ${shown}`;
}
