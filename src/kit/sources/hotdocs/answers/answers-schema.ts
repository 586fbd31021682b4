import { z } from 'zod';
import {
  AnswersInvalid,
  MAX_LEVELS,
  type Answer,
  type Answers,
  type ColumnAnswer,
  type SingleAnswer,
} from './answers.ts';
import { variablesOf } from './variables.ts';

const singles = [
  z.strictObject({ type: z.literal('TX'), value: z.string().nullable() }),
  z.strictObject({ type: z.literal('NU'), value: z.number().nullable() }),
  z.strictObject({ type: z.literal('DA'), value: z.iso.date().nullable() }),
  z.strictObject({ type: z.literal('TF'), value: z.boolean().nullable() }),
  z.strictObject({
    type: z.literal('MC'),
    value: z.union([z.string(), z.array(z.string()).min(1)]).nullable(),
  }),
] as const;

/** A schema that changes nothing. */
type Checks<Value> = z.ZodType<Value, Value>;

// Built level by level and not by recursion: so the limit holds, and a value that contains itself ends.

function columnOf(levels: number): Checks<SingleAnswer | ColumnAnswer> {
  if (levels === 0) return z.discriminatedUnion('type', singles);
  const values = z.array(columnOf(levels - 1));
  return z.discriminatedUnion('type', [...singles, z.strictObject({ type: z.literal('column'), values })]);
}

function answerOf(levels: number): Checks<Answer> {
  if (levels === 0) return z.discriminatedUnion('type', singles);
  return z.discriminatedUnion('type', [
    ...singles,
    z.strictObject({ type: z.literal('column'), values: z.array(columnOf(levels - 1)) }),
    z.strictObject({ type: z.literal('rows'), rows: z.array(namedAnswers(levels - 1)) }),
  ]);
}

function namedAnswers(levels: number): Checks<Answers> {
  return z.record(z.string().min(1), answerOf(levels));
}

/** What a handler of an interview event must answer; `{}` leaves the interview as it is. */
export const answers: Checks<Answers> = namedAnswers(MAX_LEVELS).superRefine((value, context) => {
  try {
    variablesOf(value);
  } catch (error) {
    if (!(error instanceof AnswersInvalid)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});
