import type { Own } from './own.ts';
import { ownClaims } from './claims.ts';
import { ownSignatures } from './signatures.ts';
import { ownPlaces } from './places.ts';
import { ownTokens } from './tokens.ts';

/** Everything that is tried on our own receiver besides the conformance rules. */
export const ownTrials: readonly Own[] = [...ownTokens, ...ownPlaces, ...ownClaims, ...ownSignatures];
