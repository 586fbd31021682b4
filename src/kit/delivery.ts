import { randomBytes } from 'node:crypto';

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
  /** Our name for it, see `nextRequestId`. */
  readonly request?: string | undefined;
  /** Where in a trace it is received, as the header `traceparent` writes it: of our own trace, never what was sent. */
  readonly trace?: string | undefined;
  /** From the connection itself, never from a header; only where the endpoint demands one. */
  readonly peerCertificate?: PeerCertificate | undefined;
}

const PROCESS = randomBytes(6).toString('hex');
let deliveries = 0;

/**
 * Our own name for one delivery: the reply carries it, log lines, the tape and the entry have it. No other process has it,
 * and it is no secret.
 */
export function nextRequestId(): string {
  deliveries += 1;
  return `${PROCESS}-${deliveries.toString(36)}`;
}

/** A client certificate whose key the sender has shown to hold: what stands in it, and what TLS made of it. */
export interface PeerCertificate {
  /** Why no authority of ours vouches for it, as OpenSSL names it (`CERT_HAS_EXPIRED`); `undefined` where one does. */
  readonly fault: string | undefined;
  /** The attributes in the order of the certificate, escaped as in RFC 4514: `O=Hospital`, `CN=phenixid`. */
  readonly subject: readonly string[];
  readonly commonNames: readonly string[];
  /** SHA-256 of the certificate, in hex digits of lower case. */
  readonly fingerprint: string;
  /** Milliseconds since 1970. */
  readonly validFrom: number;
  readonly validUntil: number;
  /** What it is for, as object identifiers: its extended key usage. */
  readonly usages: readonly string[];
  /** It is made for issuing others. */
  readonly isAuthority: boolean;
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
