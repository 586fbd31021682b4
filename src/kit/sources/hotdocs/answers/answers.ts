/** HotDocs' own codes: text, number, date, true/false, multiple choice. */
export type AnswerType = 'TX' | 'NU' | 'DA' | 'TF' | 'MC';

/** `null` says unanswered, which clears the variable; a variable that is left out stays as it is. */
export type SingleAnswer =
  | { readonly type: 'TX'; readonly value: string | null }
  | { readonly type: 'NU'; readonly value: number | null }
  | { readonly type: 'DA'; readonly value: string | null }
  | { readonly type: 'TF'; readonly value: boolean | null }
  | { readonly type: 'MC'; readonly value: string | readonly string[] | null };

/** The answers of one variable in a repeated dialog, a value for each repetition. */
export interface ColumnAnswer {
  readonly type: 'column';
  readonly values: readonly (SingleAnswer | ColumnAnswer)[];
}

/** A repeated dialog, under its own name: the answers of each repetition. */
export interface RowsAnswer {
  readonly type: 'rows';
  readonly rows: readonly Answers[];
}

export type Answer = SingleAnswer | ColumnAnswer | RowsAnswer;

/** Answers by variable name; a repeated dialog's by the dialog's name. */
// A Record would refer to itself, which only an interface may.
// eslint-disable-next-line @typescript-eslint/consistent-indexed-object-style
export interface Answers {
  readonly [name: string]: Answer;
}

/** What was answered is no set of answers, or cannot be read as one. The message names variables, never a value. */
export class AnswersInvalid extends Error {
  override readonly name = 'AnswersInvalid';
}

/** Repeats in one another, at most: HotDocs has no more. */
export const MAX_LEVELS = 4;

export function text(value: string): SingleAnswer {
  return { type: 'TX', value };
}

/** HotDocs keeps seven decimals. */
export function number(value: number): SingleAnswer {
  return { type: 'NU', value };
}

/** A day as `YYYY-MM-DD`: HotDocs' dates have no time. */
export function date(value: string): SingleAnswer {
  return { type: 'DA', value };
}

export function trueFalse(value: boolean): SingleAnswer {
  return { type: 'TF', value };
}

/** One option of a multiple choice variable, spelled as in the template. */
export function choice(value: string): SingleAnswer {
  return { type: 'MC', value };
}

/** Several options; none of them is an unanswered variable. */
export function choices(value: readonly string[]): SingleAnswer {
  return { type: 'MC', value: value.length === 0 ? null : value };
}

/** Clears a variable. */
export function unanswered(type: AnswerType): SingleAnswer {
  return { type, value: null };
}

/** A repeated dialog's rows, or the values of one variable in it. They may hold repeats, four levels in all. */
export function repeat(rows: readonly Answers[]): RowsAnswer;
export function repeat(values: ColumnAnswer['values']): ColumnAnswer;
export function repeat(items: readonly Answers[] | ColumnAnswer['values']): RowsAnswer | ColumnAnswer {
  return isRows(items) ? { type: 'rows', rows: items } : { type: 'column', values: items };
}

/** An answer's `type` is a code; a row has an answer there, should a variable be called `type`. */
function isRows(items: readonly Answers[] | ColumnAnswer['values']): items is readonly Answers[] {
  return items.every((item) => typeof item.type !== 'string');
}
