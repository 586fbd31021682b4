import { accessTokenVillains } from './access-tokens.ts';
import { byteVillains } from './bytes.ts';
import { claimVillains } from './claims.ts';
import { duplicateVillains } from './duplicates.ts';
import { framingVillains } from './framing.ts';
import { misfitVillains } from './misfits.ts';
import { placeVillains } from './places.ts';
import { answerVillains } from './answers.ts';
import { refusalVillains } from './refusals.ts';
import { restartVillains } from './restarts.ts';
import { routingVillains } from './routing.ts';
import { signatureVillains } from './signatures.ts';
import { headerVillains } from './token-headers.ts';
import { tokenVillains } from './tokens.ts';
import { transportVillains } from './transport.ts';
import type { Villain } from './villain.ts';

/** Every receiver that is broken on purpose. */
export const villains: readonly Villain[] = [
  ...restartVillains, // first, since they take longest
  ...duplicateVillains,
  ...headerVillains,
  ...tokenVillains,
  ...claimVillains,
  ...placeVillains,
  ...signatureVillains,
  ...accessTokenVillains,
  ...transportVillains,
  ...byteVillains,
  ...misfitVillains,
  ...framingVillains,
  ...routingVillains,
  ...refusalVillains,
  ...answerVillains,
];
