import { accessTokenVillains } from './broken/access-tokens.ts';
import { burdenVillains } from './broken/burdens.ts';
import { byteVillains } from './broken/bytes.ts';
import { claimVillains } from './broken/claims.ts';
import { comparisonVillains } from './broken/comparison.ts';
import { doorVillains } from './broken/doors.ts';
import { duplicateVillains } from './broken/duplicates.ts';
import { framingVillains } from './broken/framing.ts';
import { healthVillains } from './broken/health.ts';
import { memoryVillains } from './broken/memory.ts';
import { misfitVillains } from './broken/misfits.ts';
import { placeVillains } from './broken/places.ts';
import { personVillains } from './broken/persons.ts';
import { answerVillains } from './broken/answers.ts';
import { refusalVillains } from './broken/refusals.ts';
import { restartVillains } from './broken/restarts.ts';
import { routingVillains } from './broken/routing.ts';
import { signatureVillains } from './broken/signatures.ts';
import { headerVillains } from './broken/token-headers.ts';
import { tokenVillains } from './broken/tokens.ts';
import { transportVillains } from './broken/transport.ts';
import { variantVillains } from './broken/variants.ts';
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
  ...comparisonVillains,
  ...doorVillains,
  ...memoryVillains,
  ...transportVillains,
  ...byteVillains,
  ...misfitVillains,
  ...framingVillains,
  ...burdenVillains,
  ...routingVillains,
  ...healthVillains,
  ...refusalVillains,
  ...answerVillains,
  ...variantVillains,
  ...personVillains,
];
