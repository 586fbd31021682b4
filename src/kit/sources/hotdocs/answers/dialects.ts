import { isObject, type JsonObject } from '../../../reading/json.ts';
import {
  AnswersInvalid,
  MAX_LEVELS,
  type Answer,
  type Answers,
  type AnswerType,
  type ColumnAnswer,
  type SingleAnswer,
} from './answers.ts';
import { dayOf, readSingle, typeCalled, words } from './values.ts';
import { variablesOf, type Variable } from './variables.ts';

/** How answers are spelled in JSON. The grammar is not published (HD-34); these three are plausible, A the most. */
export type Dialect = 'A' | 'B' | 'C';

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

function membersOf(value: unknown, what: string): JsonObject {
  if (isObject(value)) return value;
  throw new AnswersInvalid(`${what} must be a JSON object.`);
}

function dialectOf(members: JsonObject): Dialect {
  const list = Object.hasOwn(members, 'answers') ? members['answers'] : undefined;
  if (Array.isArray(list) && list.every(isTypedItem)) return 'B';
  const values = Object.values(members);
  return values.length > 0 &&
    values.every((value) => isObject(value) && typeof member(value, 'type') === 'string')
    ? 'C'
    : 'A';
}

/** A repeated dialog named `answers` in dialect A has variables, not these. */
function isTypedItem(item: unknown): boolean {
  if (!isObject(item) || typeof member(item, 'name') !== 'string') return false;
  return member(item, 'value') !== undefined || member(item, 'values') !== undefined;
}

/** HotDocs' own K2 broker capitalises these names. */
function member(members: JsonObject, name: string): unknown {
  return Object.entries(members).find(([candidate]) => candidate.toLowerCase() === name)?.[1];
}

function readRow(members: JsonObject, types: ReadonlyMap<string, AnswerType>, level: number): Answers {
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
function isRowList(items: readonly unknown[]): items is readonly (JsonObject | null)[] {
  return (
    items.every((item) => item === null || isObject(item)) && (items.length === 0 || items.some(isObject))
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

function readTypedList(members: JsonObject): Answers {
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

function readTypedMap(members: JsonObject): Answers {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [name, readTyped(name, membersOf(value, `"${name}"`))]),
  );
}

function readTyped(name: string, entry: JsonObject): Answer {
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
