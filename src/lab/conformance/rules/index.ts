import type { Rule } from '../rule.ts';
import { universalRules } from '../universal.ts';
import { accessTokenRules } from './access-tokens.ts';
import { burdenRules } from './burdens.ts';
import { byteRules } from './bytes.ts';
import { comparisonRules } from './comparison.ts';
import { consequenceRules } from './consequences.ts';
import { contentRules } from './content.ts';
import { doorRules } from './doors.ts';
import { downstreamRules } from './downstream.ts';
import { duplicateRules } from './duplicates.ts';
import { encodingRules } from './encodings.ts';
import { exhaustionRules } from './exhaustion.ts';
import { failureRules } from './failures.ts';
import { formRules } from './forms.ts';
import { framingRules } from './framing.ts';
import { headRules } from './heads.ts';
import { healthRules } from './health.ts';
import { identityRules } from './identity.ts';
import { jsonRules } from './json.ts';
import { keyRules } from './keys.ts';
import { memoryRules } from './memory.ts';
import { mixtureRules } from './mixtures.ts';
import { orderRules } from './order.ts';
import { otherWayRules } from './other-ways.ts';
import { patienceRules } from './patience.ts';
import { personRules } from './persons.ts';
import { protocolRules } from './protocols.ts';
import { replyRules } from './replies.ts';
import { resourceRules } from './resources.ts';
import { routingRules } from './routing.ts';
import { signatureRules } from './signatures.ts';
import { signedContentRules } from './signed-content.ts';
import { tokenClaimRules } from './token-claims.ts';
import { tokenHeaderRules } from './token-headers.ts';
import { tokenPlaceRules } from './token-places.ts';
import { tokenShapeRules } from './token-shapes.ts';
import { tokenRules } from './tokens.ts';
import { transportRules } from './transport.ts';
import { variantRules } from './variants.ts';

/** All rules, in the order in which they are tried; those for every reply look back at what all others have seen. */
export const rules: readonly Rule[] = [
  ...tokenRules,
  ...tokenHeaderRules,
  ...tokenShapeRules,
  ...tokenClaimRules,
  ...tokenPlaceRules,
  ...signatureRules,
  ...signedContentRules,
  ...keyRules,
  ...accessTokenRules,
  ...comparisonRules,
  ...doorRules,
  ...otherWayRules,
  ...mixtureRules,
  ...memoryRules,
  ...transportRules,
  ...byteRules,
  ...encodingRules,
  ...contentRules,
  ...jsonRules,
  ...formRules,
  ...framingRules,
  ...headRules,
  ...protocolRules,
  ...resourceRules,
  ...burdenRules,
  ...patienceRules,
  ...exhaustionRules,
  ...routingRules,
  ...healthRules,
  ...duplicateRules,
  ...identityRules,
  ...orderRules,
  ...consequenceRules,
  ...downstreamRules,
  ...variantRules,
  ...personRules,
  ...failureRules,
  ...replyRules,
  ...universalRules,
];
