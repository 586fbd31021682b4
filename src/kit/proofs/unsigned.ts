import type { Proof } from './proof.ts';

/** No proof at all, for a sender that cannot sign: only where an operator has chosen so in words. */
export function unsigned(): Proof {
  return { scheme: 'unsigned', verify: ({ body }) => ({ content: body, secret: 0 }) };
}
