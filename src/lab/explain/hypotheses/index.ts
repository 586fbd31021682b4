import type { Source } from '../../../kit/source.ts';
import type { Family, Hypothesis, Row } from '../case.ts';
import { ofBody } from './body.ts';
import { ofEndpoint } from './endpoint.ts';
import { ofSecret } from './secret.ts';
import { ofSettings } from './setting.ts';
import { ofSignature } from './signature.ts';
import { ofTime } from './time.ts';
import { ofToken } from './token.ts';

function family(name: Family, rows: readonly Row[]): readonly Hypothesis[] {
  return rows.map((row) => ({ family: name, applies: 'HJWT', ...row }));
}

/** What is tried on a delivery of any source; the likelier of two that cannot be told apart stands first. */
export const hypotheses: readonly Hypothesis[] = [
  ...family('endpoint', ofEndpoint),
  ...family('secret', ofSecret),
  ...family('body', ofBody),
  ...family('signature', ofSignature),
  ...family('token', ofToken),
  ...family('time', ofTime),
];

/** The same, and what the settings of these sources could be set to. */
export function hypothesesFor(sources: readonly Source[]): readonly Hypothesis[] {
  return [...hypotheses, ...family('setting', ofSettings(sources))];
}
