import type { Certificates } from '../support/certificates.ts';
import type { Credentials, Parts, SourceName } from './parts.ts';
import { createReceiver, type Running } from './receiver.ts';
import { right } from './right.ts';

/** A receiver with one thing wrong, as people ship it. */
export interface Villain {
  readonly name: string;
  /** Whose deliveries it gets wrong. */
  readonly sources: readonly SourceName[];
  /** What it does, in one sentence. */
  readonly breaks: string;
  /** The rules that must find it out. */
  readonly claimedBy: readonly string[];
  /** What they must come to; `failed` unless said otherwise. */
  readonly outcome?: 'warned' | 'inconclusive';
  /** How HotDocs proves itself to it, if not by `SECRET`. */
  readonly kind?: 'TOKEN';
  /** The installation that `?key=` must name, if any. */
  readonly key?: string;
  /** A second installation beside it. */
  readonly secondKey?: string;
  /** Endpoints that it has no secret for, by their path less its slash. */
  readonly unset?: readonly string[];
  /** How long the suite waits for its replies, if not as long as their senders. */
  readonly patienceMs?: number;
  /** It speaks TLS, and demands a certificate of its senders. */
  readonly secure?: true;
  start(credentials: Credentials, certificates?: Certificates): Promise<Running>;
}

export const all: readonly SourceName[] = ['hotdocs', 'phenixid', 'risr'];
/** Those that send tokens. */
export const tokens: readonly SourceName[] = ['hotdocs', 'risr'];

/** The right receiver, but for these parts. */
export function broken(parts: Partial<Parts>): Villain['start'] {
  return createReceiver({ ...right, ...parts });
}
