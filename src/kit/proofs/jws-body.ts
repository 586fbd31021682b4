import { DeliveryRejected } from '../errors.ts';
import { verifyCompact, type CompactRules } from './compact.ts';
import type { Proof } from './proof.ts';

/**
 * The whole body is one JWS signed with HS256, whatever its content type says; the payload is business data. Blanks and
 * line ends around the token are harmless, quotes are not. The sender's half is `signCompact`.
 */
export function jwsBody(options: Partial<CompactRules> = {}): Proof {
  const rules: CompactRules = { claims: 'lenient', clockToleranceS: 300, ...options };
  return {
    scheme: 'jws-hs256',
    verify: async ({ body, receivedAt }, secrets) =>
      verifyCompact(tokenIn(body), secrets, { now: () => receivedAt, ...rules }),
  };
}

function tokenIn(body: Buffer): string {
  let start = 0;
  let end = body.length;
  while (start < end && isBlank(body[start])) start += 1;
  while (end > start && isBlank(body[end - 1])) end -= 1;
  if (start === end) {
    throw new DeliveryRejected('proof_missing', 'Expected a signed token as the body, the body is empty.');
  }
  // Not 'ascii', which drops the eighth bit and so gives one token several spellings.
  return body.toString('latin1', start, end);
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
