import { z } from 'zod';
import {
  AnswersInvalid,
  MAX_LEVELS,
  type Answer,
  type Answers,
  type AnswerType,
  type ColumnAnswer,
  type SingleAnswer,
} from './answers.ts';

/** One variable's answers without the dialogs around it: dialects B and C know none. */
export interface Variable {
  /** `undefined` when there is no repetition that could tell. */
  readonly type: AnswerType | undefined;
  /** How many repeats it is inside of. */
  readonly levels: number;
  /** The value, or lists of it, as deep as there are levels. */
  readonly tree: unknown;
}

/**
 * Every variable that is answered, by name.
 * @throws AnswersInvalid when one name stands for two things, which HotDocs could not tell apart
 */
export function variablesOf(row: Answers): ReadonlyMap<string, Variable> {
  const variables = new Map<string, Variable>();
  for (const [name, variable] of Object.entries(row).flatMap(([name, answer]) => variablesIn(name, answer))) {
    if (variables.has(name)) throw new AnswersInvalid(`"${name}" is answered in two places.`);
    variables.set(name, variable);
  }
  return variables;
}

function variablesIn(name: string, answer: Answer): (readonly [string, Variable])[] {
  if (answer.type === 'rows') return variablesInRows(answer.rows.map(variablesOf));
  return [[name, variableOf(name, answer)]];
}

function variablesInRows(rows: readonly ReadonlyMap<string, Variable>[]): (readonly [string, Variable])[] {
  const names = new Set(rows.flatMap((row) => [...row.keys()]));
  return [...names].map((name) => [
    name,
    repeated(
      name,
      rows.map((row) => row.get(name)),
    ),
  ]);
}

function variableOf(name: string, answer: SingleAnswer | ColumnAnswer): Variable {
  if (answer.type !== 'column') return { type: answer.type, levels: 0, tree: answer.value };
  return repeated(
    name,
    answer.values.map((value) => variableOf(name, value)),
  );
}

function repeated(name: string, repetitions: readonly (Variable | undefined)[]): Variable {
  const sample = repetitions.find((repetition) => repetition?.type !== undefined);
  const { type, levels } = sample ?? { type: undefined, levels: 0 };
  const tree = repetitions.map((repetition) => {
    if (repetition?.type === undefined) return levels > 0 ? [] : null;
    if (repetition.type === type && repetition.levels === levels) return repetition.tree;
    throw new AnswersInvalid(`"${name}" is not of one type and one depth in all repetitions.`);
  });
  return { type, levels: levels + 1, tree };
}

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
