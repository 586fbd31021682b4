import type { Delivery } from '../delivery.ts';
import { DeliveryRejected } from '../errors.ts';
import { verifyCompact, type CompactRules } from './compact.ts';
import type { Proof } from './proof.ts';

interface JwtOptions extends Partial<CompactRules> {
  /**
   * Where the token travels is for the source to know.
   * @throws DeliveryRejected `proof_missing`, `proof_ambiguous`
   */
  find(delivery: Delivery): string | Promise<string>;
}

/**
 * A JWT signed with HS256; its claims are the content. Nothing around the token is forgiven: `find` takes it out of what
 * the sender wraps it in. The sender's half is `signCompact`.
 */
export function jwt(options: JwtOptions): Proof {
  const rules: CompactRules = { types: ['JWT'], claims: 'strict', clockToleranceS: 60, ...options };
  return {
    scheme: 'jwt-hs256',
    verify: async (delivery, secrets) => {
      const token = await options.find(delivery);
      if (token === '') throw new DeliveryRejected('proof_missing', 'Expected a token, an empty one came.');
      return verifyCompact(token, secrets, { now: () => delivery.receivedAt, ...rules });
    },
  };
}
