import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { answers } from '../../../src/kit/sources/hotdocs/answers/variables.ts';
import {
  AnswersInvalid,
  choice,
  choices,
  date,
  number,
  repeat,
  text,
  trueFalse,
  unanswered,
  type Answers,
  type AnswerType,
} from '../../../src/kit/sources/hotdocs/answers/answers.ts';
import {
  readAnswers,
  writeAnswers,
  type Dialect,
} from '../../../src/kit/sources/hotdocs/answers/dialects.ts';

const lease: Answers = {
  'Tenant Name': text('Jonas Weber'),
  'Monthly Rent': number(1450.5),
  'Lease Start': date('2024-06-01'),
  'Pets Allowed': trueFalse(false),
  'Heating Type': choice('Gas'),
  'Utilities Included': choices(['Water', 'Heating']),
  'Middle Name': unanswered('TX'),
  Occupants: repeat([
    { 'Occupant Name': text('Lea Weber'), 'Occupant Birthdate': date('2015-02-11') },
    { 'Occupant Name': text('Tim Weber') },
  ]),
};

const everyDialect: Dialect[] = ['A', 'B', 'C'];

/** Four repeats, one inside the other, around one variable. */
const fourDeep: Answers = {
  D1: repeat([{ D2: repeat([{ D3: repeat([{ D4: repeat([{ Leaf: text('x') }]) }]) }]) }]),
};

function fitsSchema(value: unknown): boolean {
  return answers.safeParse(value).success;
}

it('writes dialect A shaped as the template is', () =>
  expect(JSON.parse(writeAnswers(lease, 'A'))).toEqual({
    'Tenant Name': 'Jonas Weber',
    'Monthly Rent': 1450.5,
    'Lease Start': '2024-06-01',
    'Pets Allowed': false,
    'Heating Type': 'Gas',
    'Utilities Included': ['Water', 'Heating'],
    'Middle Name': null,
    Occupants: [
      { 'Occupant Name': 'Lea Weber', 'Occupant Birthdate': '2015-02-11' },
      { 'Occupant Name': 'Tim Weber' },
    ],
  }));

it('writes dialect B as a list of typed variables, those of a repeated dialog with a value for each row', () =>
  expect(JSON.parse(writeAnswers(lease, 'B'))).toEqual({
    answers: [
      { name: 'Tenant Name', type: 'Text', value: 'Jonas Weber' },
      { name: 'Monthly Rent', type: 'Number', value: 1450.5 },
      { name: 'Lease Start', type: 'Date', value: '2024-06-01' },
      { name: 'Pets Allowed', type: 'TrueFalse', value: false },
      { name: 'Heating Type', type: 'MultipleChoice', value: 'Gas' },
      { name: 'Utilities Included', type: 'MultipleChoice', value: ['Water', 'Heating'] },
      { name: 'Middle Name', type: 'Text', value: null },
      { name: 'Occupant Name', type: 'Text', values: ['Lea Weber', 'Tim Weber'] },
      { name: 'Occupant Birthdate', type: 'Date', values: ['2015-02-11', null] },
    ],
  }));

it('writes dialect C as a map of typed variables', () => {
  const written: unknown = JSON.parse(writeAnswers(lease, 'C'));
  expect(written).toMatchObject({
    'Tenant Name': { type: 'Text', value: 'Jonas Weber' },
    'Middle Name': { type: 'Text', value: null },
    'Occupant Name': { type: 'Text', values: ['Lea Weber', 'Tim Weber'] },
  });
  expect(written).not.toHaveProperty('Occupants');
});

it('writes no answers as each dialect has it', () =>
  expect(everyDialect.map((dialect) => writeAnswers({}, dialect))).toEqual(['{}', '{"answers":[]}', '{}']));

it.each(everyDialect)('recognises dialect %s and reads back what it wrote', (dialect) => {
  const written = writeAnswers(lease, dialect);
  const read = readAnswers(JSON.parse(written));
  expect(read.dialect).toBe(dialect);
  expect(writeAnswers(read.answers, dialect)).toBe(written);
  expect(fitsSchema(read.answers)).toBe(true);
});

it('reads dialect A into the very answers that were written, when told what the template asks for', () => {
  const types = new Map<string, AnswerType>([['Heating Type', 'MC']]);
  expect(readAnswers(JSON.parse(writeAnswers(lease, 'A')), { types }).answers).toEqual(lease);
});

it.each(everyDialect)('carries four levels of repeats in dialect %s', (dialect) => {
  expect(fitsSchema(fourDeep)).toBe(true);
  const written = writeAnswers(fourDeep, dialect);
  expect(writeAnswers(readAnswers(JSON.parse(written)).answers, dialect)).toBe(written);
});

it('writes a variable four repeats deep as four lists around it', () =>
  expect(JSON.parse(writeAnswers(fourDeep, 'C'))).toEqual({ Leaf: { type: 'Text', values: [[[['x']]]] } }));

it('has no fifth level of repeats, neither out nor in', () => {
  const fiveDeep = { D0: repeat([fourDeep]) };
  expect(fitsSchema(fiveDeep)).toBe(false);
  expect(() => readAnswers(JSON.parse(writeAnswers(fiveDeep, 'A')))).toThrow(AnswersInvalid);
  expect(() => readAnswers({ Leaf: { type: 'Text', values: [[[[['x']]]]] } })).toThrow(AnswersInvalid);
});

it('fills a missing row of an inner repeat with an empty list', () => {
  const families = {
    Families: repeat([{ Children: repeat([{ Child: text('Ada') }]) }, { Surname: text('Weber') }]),
  };
  expect(JSON.parse(writeAnswers(families, 'C'))).toEqual({
    Child: { type: 'Text', values: [['Ada'], []] },
    Surname: { type: 'Text', values: [null, 'Weber'] },
  });
});

it('writes a repeated variable without its dialog in every dialect', () => {
  const column = { 'Occupant Name': repeat([text('Lea'), unanswered('TX')]) };
  expect(fitsSchema(column)).toBe(true);
  expect(writeAnswers(column, 'A')).toBe('{"Occupant Name":["Lea",null]}');
  expect(writeAnswers(column, 'C')).toBe('{"Occupant Name":{"type":"Text","values":["Lea",null]}}');
});

it('takes choosing nothing for unanswered', () => expect(choices([])).toEqual(unanswered('MC')));

it.each([
  ['a plain value instead of an answer', { Name: 'Jonas' }],
  ['an unknown type', { Name: { type: 'XX', value: 'Jonas' } }],
  ['a value of another type', { Rent: { type: 'NU', value: '1450.5' } }],
  ['a number that JSON cannot write', { Rent: number(Number.NaN) }],
  ['a day that does not exist', { Start: date('2024-06-31') }],
  ['a date spelled another way', { Start: date('1/6/2024') }],
  ['no name', { '': text('x') }],
  ['a list', [text('x')]],
  ['a text', 'x'],
  ['null', null],
  ['undefined', undefined],
  ['one name in two places', { Name: text('x'), Rows: repeat([{ Name: text('y') }]) }],
  ['one name with two types', { Rows: repeat([{ Name: text('x') }, { Name: number(1) }]) }],
  ['one name at two depths', { Rows: repeat([{ N: text('x') }, { In: repeat([{ N: text('y') }]) }]) }],
])('refuses a handler’s answers with %s', (_what, value) => expect(fitsSchema(value)).toBe(false));

it('refuses answers that contain themselves', () => {
  const rows: Answers[] = [];
  rows.push({ Rows: repeat(rows) });
  expect(fitsSchema(rows[0])).toBe(false);
});

it.each([
  ['Number', '1450.5', number(1450.5)],
  ['Date', '2024-06-01T09:30:00.1234567Z', date('2024-06-01')],
  ['Date', '2024-06-01T09:30:00', date('2024-06-01')],
  ['Date', '1/6/2024', date('2024-06-01')],
  ['TrueFalse', 'true', trueFalse(true)],
  ['TrueFalse', 'False', trueFalse(false)],
  ['MultipleChoice', 'a|b', choices(['a', 'b'])],
  ['MultipleChoice', [], unanswered('MC')],
  ['Text', null, unanswered('TX')],
  ['tf', true, trueFalse(true)],
  ['Multiple Choice', 'a', choice('a')],
])('reads a %s given as %j', (type, value, expected) => {
  expect(readAnswers({ answers: [{ name: 'V', type, value }] }).answers).toEqual({ V: expected });
  expect(readAnswers({ V: { type, value } }).answers).toEqual({ V: expected });
});

it.each([
  ['NU', '1450.5', number(1450.5)],
  ['TF', 'True', trueFalse(true)],
  ['MC', 'a|b', choices(['a', 'b'])],
  ['MC', 'a', choice('a')],
  ['TX', '2024-06-01', text('2024-06-01')],
  ['TX', ['Lea', 'Tim'], repeat([text('Lea'), text('Tim')])],
  ['MC', [['a'], 'b'], repeat([choices(['a']), choice('b')])],
] as const)('reads a %s of dialect A given as %j, told so by the template', (type, value, expected) => {
  const read = readAnswers({ V: value }, { types: new Map([['V', type]]) });
  expect(read).toEqual({ dialect: 'A', answers: { V: expected } });
});

it.each([
  ['2024-06-01', date('2024-06-01')],
  ['1/6/2024', date('2024-06-01')],
  ['31/6/2024', text('31/6/2024')],
  ['01234', text('01234')],
  ['true', text('true')],
  [['a', 'b'], choices(['a', 'b'])],
  [[1, null], repeat([number(1), unanswered('NU')])],
  [[], repeat([])],
  [[{ A: 1 }, null], repeat([{ A: number(1) }, {}])],
])('guesses what %j of dialect A is', (value, expected) =>
  expect(readAnswers({ V: value }).answers).toEqual({ V: expected }),
);

it('reads the capitalised names of HotDocs’ K2 broker', () => {
  const read = readAnswers({ answers: [{ Name: 'V', Type: 'Text', Value: 'x' }] });
  expect(read).toEqual({ dialect: 'B', answers: { V: text('x') } });
});

it('takes a repeated dialog called answers for dialect A', () => {
  const read = readAnswers({ answers: [{ Question: 'Why?' }] });
  expect(read).toEqual({ dialect: 'A', answers: { answers: repeat([{ Question: text('Why?') }]) } });
});

it.each([
  ['B', {}],
  ['B', { answers: [{ name: 'V', type: 'Nonsense', value: 1 }] }],
  ['B', { answers: [{ name: 'V', type: 'Text' }] }],
  ['B', { answers: [{ name: 'V', type: 'Text', value: 'x', values: ['x'] }] }],
  ['B', { answers: [{ type: 'Text', value: 'x' }] }],
  [
    'B',
    {
      answers: [
        { name: 'V', type: 'Text', value: 'x' },
        { name: 'V', type: 'Text', value: 'y' },
      ],
    },
  ],
  ['C', { V: 'x' }],
  ['C', { V: { type: 'Text', values: 'x' } }],
  ['C', { V: { type: 'Number', value: 'many' } }],
  ['A', { V: { type: 'Text', value: 'x' } }],
  ['A', { V: [{ A: 1 }, 'x'] }],
  ['A', { V: [1, 'x'] }],
  ['A', []],
  ['A', 'text'],
  ['A', null],
] as const)('asked for dialect %s, refuses %j', (dialect, json) =>
  expect(() => readAnswers(json, { dialect })).toThrow(AnswersInvalid),
);

it('never names a value in its message', () => {
  const read = () => readAnswers({ V: { type: 'Number', value: 'secret of Mia' } });
  expect(read).toThrow('The value of "V" is no Number.');
});

it('keeps a variable called __proto__ as a variable', () => {
  const { answers: read } = readAnswers(JSON.parse('{"__proto__":"x","Rows":[{"__proto__":1}]}') as unknown);
  expect(Object.keys(read)).toEqual(['__proto__', 'Rows']);
  expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
});

it('reads any JSON into answers, or says in words that it cannot', () =>
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 7 }), (json) => {
      try {
        const { dialect, answers: read } = readAnswers(json);
        expect(everyDialect).toContain(dialect);
        writeAnswers(read, 'A');
      } catch (error) {
        expect(error).toBeInstanceOf(AnswersInvalid);
      }
    }),
  ));
