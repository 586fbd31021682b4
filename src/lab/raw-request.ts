import type { Taped } from '../kit/tape/tape.ts';
import type { Header } from './conformance/wire.ts';

/** A request as somebody has it on a tape or in a file. */
export interface RawRequest extends Pick<Taped, 'method' | 'target' | 'httpVersion' | 'headers' | 'body'> {
  /** When it was made (ms since 1970), where the file says so. */
  readonly at?: number;
  /** What the file may have changed or left out, a sentence each. */
  readonly doubts?: readonly string[];
}

/** The headers of a request, each with its value. */
export function pairsOf({ headers }: Pick<RawRequest, 'headers'>): Header[] {
  return headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1] ?? ''] as const] : []));
}

/** What stands behind the question mark. */
export function queryOf(target: string): string {
  const at = target.indexOf('?');
  return at === -1 ? '' : target.slice(at + 1);
}
