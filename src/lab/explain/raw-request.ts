/** A request as somebody has it in a file. */
export interface RawRequest {
  readonly method: string;
  /** Path and query as they were written. */
  readonly target: string;
  /** `1.1`, as Node says it. */
  readonly httpVersion: string;
  /** Names and values in turn, in the order and spelling of the wire. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** When it was made (ms since 1970), where the file says so. */
  readonly at?: number;
  /** What the file may have changed or left out, a sentence each. */
  readonly doubts?: readonly string[];
}
