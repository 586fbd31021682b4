/** One HTTP request carrying one event, as it came: bytes and raw headers, nothing interpreted. */
export interface Delivery {
  readonly method: string;
  /** The raw query string after `?`, still percent-encoded; empty when there is none. */
  readonly query: string;
  /** Names and values in turn, in the order and spelling of the wire (Node's `rawHeaders`). */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** Milliseconds since 1970, by our clock. */
  readonly receivedAt: number;
}

/**
 * All values of one header, in order. Node joins or drops repeated headers; a proof must see that there were two.
 * `name` is in lower case.
 */
export function headerValues(delivery: Pick<Delivery, 'headers'>, name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < delivery.headers.length; at += 2) {
    const candidate = delivery.headers[at];
    if (candidate?.length === name.length && candidate.toLowerCase() === name) {
      values.push(delivery.headers[at + 1] ?? '');
    }
  }
  return values;
}
