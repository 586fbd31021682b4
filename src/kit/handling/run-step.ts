import { DeadLetter } from '../errors.ts';
import type { Entry, Result } from '../inbox/inbox.ts';
import { parse } from '../reading/json.ts';
import { saidOf, type StepTask } from '../step.ts';
import { collectFollowUps } from './handle.ts';
import type { Calling } from './handle.ts';

/**
 * Does what a handler, or another step, asked for.
 * @throws DeadLetter when trying again cannot help; anything else a step throws is a failed attempt
 */
export async function runStep(
  entry: Entry,
  { steps, maxAttempts }: Pick<Calling, 'steps' | 'maxAttempts'>,
  signal: AbortSignal,
): Promise<Result> {
  const known = steps.find(({ step }) => step.name === entry.type);
  if (known === undefined) {
    throw new DeadLetter('step_unknown', `The app's steps have none with the name ${entry.type}.`);
  }
  const { followUp, close } = collectFollowUps(entry);
  const task: StepTask<unknown> = {
    data: parse(known.step.schema, JSON.parse(entry.content.toString()), 'step_data_invalid'),
    installation: entry.installation,
    attempt: entry.claims,
    lastAttempt: entry.attempts >= maxAttempts,
    signal,
    followUp,
  };
  // `runs` derived this parameter from the schema that has just parsed the data.
  const said = await known.run(task as StepTask<never>);
  return { ...saidOf(said), followUps: close() };
}
