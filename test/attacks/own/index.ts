import type { Own } from './own.ts';
import { ownBytes } from './bytes.ts';
import { ownClaims } from './claims.ts';
import { ownContents } from './content.ts';
import { ownFraming } from './framing.ts';
import { ownKeys } from './keys.ts';
import { ownRouting } from './routing.ts';
import { ownSignatures } from './signatures.ts';
import { ownPlaces } from './places.ts';
import { ownTokens } from './tokens.ts';

/** Everything that is tried on our own receiver besides the conformance rules. */
export const ownTrials: readonly Own[] = [
  ...ownTokens,
  ...ownPlaces,
  ...ownClaims,
  ...ownSignatures,
  ...ownKeys,
  ...ownBytes,
  ...ownContents,
  ...ownFraming,
  ...ownRouting,
];
