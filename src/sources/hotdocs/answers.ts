import { z } from 'zod';

/** HotDocs' own codes: text, number, date, true/false, multiple choice. */
export type AnswerType = 'TX' | 'NU' | 'DA' | 'TF' | 'MC';

/** How answers are spelled in JSON. The grammar is not published; these three are plausible, A the most. */
export type Dialect = 'A' | 'B' | 'C';

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

// What handlers write

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

// What is checked of what they wrote

const MAX_LEVELS = 4;

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

// Writing

const words = { TX: 'Text', NU: 'Number', DA: 'Date', TF: 'TrueFalse', MC: 'MultipleChoice' } as const;

/** Answers as the JSON text that an interview event is answered with. */
export function writeAnswers(value: Answers, dialect: Dialect): string {
  switch (dialect) {
    case 'A':
      return JSON.stringify(plainRow(value));
    case 'B':
      return JSON.stringify({
        answers: [...variablesOf(value)].map(([name, variable]) => ({ name, ...typed(variable) })),
      });
    case 'C':
      return JSON.stringify(
        Object.fromEntries([...variablesOf(value)].map(([name, variable]) => [name, typed(variable)])),
      );
  }
}

function plainRow(row: Answers): object {
  return Object.fromEntries(Object.entries(row).map(([name, answer]) => [name, plain(answer)]));
}

function plain(answer: Answer): unknown {
  if (answer.type === 'rows') return answer.rows.map(plainRow);
  if (answer.type === 'column') return answer.values.map(plain);
  return answer.value;
}

function typed({ type = 'TX', levels, tree }: Variable): object {
  return { type: words[type], ...(levels > 0 ? { values: tree } : { value: tree }) };
}

/** One variable's answers without the dialogs around it: dialects B and C know none. */
interface Variable {
  /** `undefined` when there is no repetition that could tell. */
  readonly type: AnswerType | undefined;
  /** How many repeats it is inside of. */
  readonly levels: number;
  /** The value, or lists of it, as deep as there are levels. */
  readonly tree: unknown;
}

/** @throws AnswersInvalid when one name stands for two things, which HotDocs could not tell apart */
function variablesOf(row: Answers): ReadonlyMap<string, Variable> {
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

// Reading

export interface ReadOptions {
  /** Accept only this one; otherwise the content decides. */
  readonly dialect?: Dialect | undefined;
  /** What the template says a variable is: dialect A does not tell text from a choice, and guesses dates. */
  readonly types?: ReadonlyMap<string, AnswerType> | undefined;
}

/**
 * Answers out of JSON, as a sender would read what it was answered, or a handler the answers so far. Lenient as to how
 * a value is spelled: `"1450.5"` for a number, `"True"`, `"a|b"` for two choices, `1/6/2024` or a time for a date.
 * @throws AnswersInvalid
 */
export function readAnswers(
  json: unknown,
  { dialect, types = new Map() }: ReadOptions = {},
): { dialect: Dialect; answers: Answers } {
  const members = membersOf(json, 'The answers');
  const spoken = dialect ?? dialectOf(members);
  switch (spoken) {
    case 'A':
      return { dialect: spoken, answers: readRow(members, types, 0) };
    case 'B':
      return { dialect: spoken, answers: readTypedList(members) };
    case 'C':
      return { dialect: spoken, answers: readTypedMap(members) };
  }
}

type Members = Readonly<Record<string, unknown>>;

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function membersOf(value: unknown, what: string): Members {
  if (isMembers(value)) return value;
  throw new AnswersInvalid(`${what} must be a JSON object.`);
}

function dialectOf(members: Members): Dialect {
  const list = Object.hasOwn(members, 'answers') ? members['answers'] : undefined;
  if (Array.isArray(list) && list.every(isTypedItem)) return 'B';
  const values = Object.values(members);
  return values.length > 0 &&
    values.every((value) => isMembers(value) && typeof member(value, 'type') === 'string')
    ? 'C'
    : 'A';
}

/** A repeated dialog named `answers` in dialect A has variables, not these. */
function isTypedItem(item: unknown): boolean {
  if (!isMembers(item) || typeof member(item, 'name') !== 'string') return false;
  return member(item, 'value') !== undefined || member(item, 'values') !== undefined;
}

/** HotDocs' own K2 broker capitalises these names. */
function member(members: Members, name: string): unknown {
  return Object.entries(members).find(([candidate]) => candidate.toLowerCase() === name)?.[1];
}

// Dialect A

function readRow(members: Members, types: ReadonlyMap<string, AnswerType>, level: number): Answers {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [name, readPlain(name, value, types, level)]),
  );
}

function readPlain(
  name: string,
  value: unknown,
  types: ReadonlyMap<string, AnswerType>,
  level: number,
): Answer {
  const type = types.get(name);
  if (!Array.isArray(value)) return readSingle(name, value, type ?? guess(value));
  const items: readonly unknown[] = value;
  if (isRowList(items)) {
    checkLevel(name, level + 1);
    return { type: 'rows', rows: items.map((row) => readRow(row ?? {}, types, level + 1)) };
  }
  if (isChoices(items, type)) return readSingle(name, items, 'MC');
  return readColumn(name, items, type ?? guess(firstLeaf(items)), level);
}

/** A repetition without any answer may be `null`. */
function isRowList(items: readonly unknown[]): items is readonly (Members | null)[] {
  return (
    items.every((item) => item === null || isMembers(item)) && (items.length === 0 || items.some(isMembers))
  );
}

/** A list of texts is several choices, unless the template says that the variable is another one, repeated. */
function isChoices(items: readonly unknown[], type: AnswerType | undefined): boolean {
  return (type === undefined || type === 'MC') && items.every((item) => typeof item === 'string');
}

function firstLeaf(items: readonly unknown[]): unknown {
  return items.flat(MAX_LEVELS).find((item) => item !== null);
}

function guess(value: unknown): AnswerType {
  if (typeof value === 'number') return 'NU';
  if (typeof value === 'boolean') return 'TF';
  if (typeof value === 'string' && dayOf(value) !== undefined) return 'DA';
  return 'TX';
}

// Dialects B and C

function readTypedList(members: Members): Answers {
  const list = Object.hasOwn(members, 'answers') ? members['answers'] : undefined;
  if (!Array.isArray(list)) throw new AnswersInvalid('Dialect B has a list named answers.');
  const read = new Map<string, Answer>();
  for (const item of list) {
    const entry = membersOf(item, 'Each of the answers');
    const name = member(entry, 'name');
    if (typeof name !== 'string') throw new AnswersInvalid('Each of the answers has a name.');
    if (read.has(name)) throw new AnswersInvalid(`"${name}" is answered twice.`);
    read.set(name, readTyped(name, entry));
  }
  return Object.fromEntries(read);
}

function readTypedMap(members: Members): Answers {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [name, readTyped(name, membersOf(value, `"${name}"`))]),
  );
}

function readTyped(name: string, entry: Members): Answer {
  const type = typeCalled(name, member(entry, 'type'));
  const value = member(entry, 'value');
  const values = member(entry, 'values');
  if ((value === undefined) === (values === undefined)) {
    throw new AnswersInvalid(`"${name}" needs either value or values.`);
  }
  if (Array.isArray(values)) return readColumn(name, values, type, 0);
  if (values !== undefined) throw new AnswersInvalid(`The values of "${name}" must be a list.`);
  return Array.isArray(value) && type !== 'MC'
    ? readColumn(name, value, type, 0)
    : readSingle(name, value, type);
}

function typeCalled(name: string, word: unknown): AnswerType {
  const type =
    typeof word === 'string' ? typesByWord.get(word.replace(/[^a-z]/gi, '').toLowerCase()) : undefined;
  if (type === undefined) {
    throw new AnswersInvalid(`The type of "${name}" must be one of ${Object.values(words).join(', ')}.`);
  }
  return type;
}

const typesByWord: ReadonlyMap<string, AnswerType> = new Map([
  ['tx', 'TX'],
  ['text', 'TX'],
  ['nu', 'NU'],
  ['number', 'NU'],
  ['da', 'DA'],
  ['date', 'DA'],
  ['tf', 'TF'],
  ['truefalse', 'TF'],
  ['mc', 'MC'],
  ['multiplechoice', 'MC'],
]);

// Values

function readColumn(name: string, items: readonly unknown[], type: AnswerType, level: number): ColumnAnswer {
  checkLevel(name, level + 1);
  return { type: 'column', values: items.map((item) => readColumnItem(name, item, type, level + 1)) };
}

function readColumnItem(
  name: string,
  item: unknown,
  type: AnswerType,
  level: number,
): SingleAnswer | ColumnAnswer {
  if (!Array.isArray(item)) return readSingle(name, item, type);
  return isChoices(item, type) && type === 'MC'
    ? readSingle(name, item, type)
    : readColumn(name, item, type, level);
}

function checkLevel(name: string, level: number): void {
  if (level > MAX_LEVELS) throw new AnswersInvalid(`"${name}" is deeper than ${MAX_LEVELS} repeats.`);
}

function readSingle(name: string, value: unknown, type: AnswerType): SingleAnswer {
  if (value === null) return unanswered(type);
  const answer = singleOf(value, type);
  if (answer === undefined) throw new AnswersInvalid(`The value of "${name}" is no ${words[type]}.`);
  return answer;
}

function singleOf(value: unknown, type: AnswerType): SingleAnswer | undefined {
  switch (type) {
    case 'TX':
      return typeof value === 'string' ? text(value) : undefined;
    case 'NU':
      return numberFrom(value);
    case 'DA':
      return dateFrom(value);
    case 'TF':
      return trueFalseFrom(value);
    case 'MC':
      return choicesFrom(value);
  }
}

function numberFrom(value: unknown): SingleAnswer | undefined {
  const isText = typeof value === 'string' && /^[+-]?\d{1,40}(\.\d{1,40})?$/.test(value);
  const read = isText ? Number(value) : value;
  return typeof read === 'number' && Number.isFinite(read) ? number(read) : undefined;
}

function dateFrom(value: unknown): SingleAnswer | undefined {
  const day = typeof value === 'string' ? dayOf(value) : undefined;
  return day === undefined ? undefined : date(day);
}

function trueFalseFrom(value: unknown): SingleAnswer | undefined {
  if (typeof value === 'boolean') return trueFalse(value);
  if (typeof value !== 'string' || !/^(true|false)$/i.test(value)) return undefined;
  return trueFalse(value.toLowerCase() === 'true');
}

function choicesFrom(value: unknown): SingleAnswer | undefined {
  if (typeof value === 'string') return value.includes('|') ? choices(value.split('|')) : choice(value);
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) return undefined;
  return choices(value);
}

const ISO_DAY = /^(\d{4})-(\d{2})-(\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/;
const DAY_FIRST = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/;

/** The day that a date is spelled as, or `undefined`; the 31st of June is no day. */
function dayOf(value: string): string | undefined {
  const [, year, month, day] = ISO_DAY.exec(value) ?? [];
  if (year !== undefined) return realDay(year, month, day);
  const [, dayFirst, thenMonth, lastYear] = DAY_FIRST.exec(value) ?? [];
  return realDay(lastYear, thenMonth, dayFirst);
}

function realDay(year = '', month = '', day = ''): string | undefined {
  const spelled = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  return z.iso.date().safeParse(spelled).success ? spelled : undefined;
}
