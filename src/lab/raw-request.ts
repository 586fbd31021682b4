import type { Taped } from '../kit/tape/tape.ts';

/** A request as somebody has it on a tape or in a file. */
export interface RawRequest extends Pick<Taped, 'method' | 'target' | 'httpVersion' | 'headers' | 'body'> {
  /** When it was made (ms since 1970), where the file says so. */
  readonly at?: number;
  /** What the file may have changed or left out, a sentence each. */
  readonly doubts?: readonly string[];
}
