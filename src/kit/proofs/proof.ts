import type { Delivery } from '../delivery.ts';
import type { JsonObject } from '../reading/json.ts';
import type { Secret } from './secrets.ts';

/** What a proof proves: these bytes come from somebody who knows the secret. */
export interface Proven {
  /** The authenticated bytes, and nothing else of the delivery. Only these may be parsed. */
  readonly content: Buffer;
  /** What they say as JSON, where the proof had to read it. */
  readonly value?: JsonObject;
  /** Which live secret matched, 1 being the newest; 0 where the scheme has none. */
  readonly secret: number;
}

/** How a delivery shows that it is genuine: the receiver's half. Each scheme's file has the sender's half beside it. */
export interface Proof {
  /** Name of the scheme, for logs and tables. */
  readonly scheme: string;
  /** In lower case, where a signature stands in a header of its own: its name. */
  readonly header?: string;
  /**
   * Tries every live secret, newest first.
   * @throws DeliveryRejected with a `proof_…` code
   */
  verify(delivery: Delivery, secrets: readonly Secret[]): Proven | Promise<Proven>;
}
