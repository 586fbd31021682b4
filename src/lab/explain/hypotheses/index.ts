import type { Source } from '../../../kit/source.ts';
import type { Hypothesis } from '../case.ts';
import { ofBody } from './body.ts';
import { ofEndpoint } from './endpoint.ts';
import { ofSecret } from './secret.ts';
import { settingHypotheses } from './setting.ts';
import { ofSignature } from './signature.ts';
import { ofTime } from './time.ts';
import { ofToken } from './token.ts';

/** What is tried on a delivery of any source; the likelier of two that cannot be told apart stands first. */
export const hypotheses: readonly Hypothesis[] = [
  ...ofEndpoint,
  ...ofSecret,
  ...ofBody,
  ...ofSignature,
  ...ofToken,
  ...ofTime,
];

/** The same, and what the settings of these sources could be set to. */
export function hypothesesFor(sources: readonly Source[]): readonly Hypothesis[] {
  return [...hypotheses, ...settingHypotheses(sources)];
}
