import { DeliveryRejected, type RejectionCode } from '../../../src/kit/errors.ts';
import type { Delivery } from '../../../src/kit/delivery.ts';
import type { Proven } from '../../../src/kit/proofs/proof.ts';

/** `accepted`, or why not; anything but a refusal fails the test. */
export async function outcomeOf(verify: () => Proven | Promise<Proven>): Promise<'accepted' | RejectionCode> {
  try {
    await verify();
    return 'accepted';
  } catch (error) {
    if (error instanceof DeliveryRejected) return error.code;
    throw error;
  }
}

/** The refusal itself, for what it says. */
export async function refusalOf(verify: () => Proven | Promise<Proven>): Promise<DeliveryRejected> {
  try {
    await verify();
  } catch (error) {
    if (error instanceof DeliveryRejected) return error;
    throw error;
  }
  throw new Error('Expected a refusal, the proof held.');
}

export function deliveryOf(body: Buffer | string, headers: readonly string[] = []): Delivery {
  return { method: 'POST', query: '', headers, body: Buffer.from(body), receivedAt: Date.now() };
}
