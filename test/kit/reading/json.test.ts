import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { DeadLetter } from '../../../src/kit/errors.ts';
import { checkJson, parse, readJson, strictJson } from '../../../src/kit/reading/json.ts';

/** Why `strictJson` refuses a text, or `fine`. */
function verdictOn(text: string | Buffer): string {
  try {
    strictJson(Buffer.from(text));
    return 'fine';
  } catch (error) {
    if (error instanceof DeadLetter) return error.reason;
    throw error;
  }
}

function messageOn(text: string): string {
  return messageOf(() => {
    checkJson(Buffer.from(text));
  });
}

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof DeadLetter) return error.message;
    throw error;
  }
  return 'fine';
}

it('reads what JSON.parse reads', () =>
  fc.assert(fc.property(fc.json(), (text) => expect(readJson(Buffer.from(text))).toEqual(JSON.parse(text)))));

// F1, E1, E2
it.each<[string, string | Buffer]>([
  ['nothing', ''],
  ['blanks only', ' \n'],
  ['cut off', '{"a":'],
  ['a trailing comma', '{"a":1,}'],
  ['a comment', '{} // end'],
  ['NaN', '{"a":NaN}'],
  ['single quotes', "{'a':1}"],
  ['two documents', '{}{}'],
  ['a leading zero', '[01]'],
  ['hex', '[0x10]'],
  ['a raw line end in a string', '"a\nb"'],
  ['a byte order mark', '\uFEFF{}'],
  ['an invalid byte', Buffer.from([0x22, 0xff, 0x22])],
  ['an overlong byte sequence', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
  ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ['UTF-16', Buffer.from('{}', 'utf16le')],
])('is no JSON: %s', (_what, text) => expect(verdictOn(text)).toBe('json_invalid'));

it('repeats nothing of a text that is no JSON', () => {
  const read = () => readJson(Buffer.from('my-private text'));
  expect(read).toThrow(/Expected JSON/);
  expect(read).not.toThrow(/private/);
});

// F2
it.each([
  '{"a":1,"a":1}',
  '{"a":1,"b":2,"a":3}',
  '{"a":1,"\\u0061":2}',
  '{"\\/":1,"/":2}',
  '{"":1,"":2}',
  '{"é":1,"\\u00E9":2}',
  '{"😀":1,"\\ud83d\\ude00":2}',
  '{"a":{"b":[{"c":1,"c":2}]}}',
  '[{},{"a":[],"a":{}}]',
])('refuses a member that occurs twice: %s', (text) => expect(verdictOn(text)).toBe('json_forbidden'));

it.each([
  '{"a":1,"A":2}',
  '[{"a":1},{"a":2}]',
  '{"a":{"a":{"a":1}}}',
  '{"a":"a","b":"a"}',
  '{"a":["a","a"]}',
  '{"é":1,"e\u0301":2}',
])('does not mistake for a duplicate: %s', (text) => expect(verdictOn(text)).toBe('fine'));

it('finds a duplicate exactly where there is one', () => {
  const name = fc.tuple(fc.constantFrom('a', 'b', 'c', 'ab', 'é', '"', '\\'), fc.boolean());
  const escape = (text: string) =>
    Array.from(text, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  fc.assert(
    fc.property(fc.array(name), (names) => {
      const members = names.map(
        ([text, escaped]) => `${escaped ? `"${escape(text)}"` : JSON.stringify(text)}:{"a":0}`,
      );
      const distinct = new Set(names.map(([text]) => text)).size === names.length;
      expect(verdictOn(`{${members.join(' , ')}}`)).toBe(distinct ? 'fine' : 'json_forbidden');
    }),
  );
});

// F3
it.each([
  '{"__proto__":{}}',
  '{"__proto__":null}',
  '{"a":[{"\\u005f_proto__":1}]}',
  '{"constructor":{"prototype":{}}}',
  '{"constructor":{"a":1,"prototype":1}}',
  '{"constructor":{"\\u0070rototype":{"x":1}}}',
])('refuses a name that reaches a prototype: %s', (text) => expect(verdictOn(text)).toBe('json_forbidden'));

it.each([
  '{"constructor":"Acme Ltd"}',
  '{"prototype":{"constructor":1}}',
  '{"toString":1,"then":2,"toJSON":3}',
  '["__proto__"]',
  '{"a":"__proto__"}',
  '{"constructor":[{"prototype":1}]}',
])('lets a harmless name pass: %s', (text) => expect(verdictOn(text)).toBe('fine'));

// F4
it.each([
  '9007199254740992',
  '-9007199254740992',
  '12345678901234567890',
  '9007199254740993.0',
  '1e20',
  '1e308',
  '1e400',
  '-1E+400',
  '1e-400',
  '4e-320',
  '0.123456789012345678',
  '1.000000000000000001',
])('refuses a number that changes when read: %s', (number) => {
  expect(verdictOn(`{"a":[${number}]}`)).toBe('json_forbidden');
  expect(verdictOn(number)).toBe('json_forbidden');
});

it.each([
  '0',
  '-0',
  '0.0',
  '0e400',
  '9007199254740991',
  '-9007199254740991',
  '0.1',
  '1450.50',
  '0.30000000000000004',
  '1450.500000000000000000000',
  '0.00000000000000000000012',
  '1e3',
  '1.5E-7',
  '2.2250738585072014e-308',
  '1700000000.123456',
  '100000000000000',
])('lets an ordinary number pass: %s', (number) =>
  expect(verdictOn(`{"a":[${number},${number}]}`)).toBe('fine'),
);

it('refuses numbers of a hundred thousand digits', () => {
  expect(verdictOn('9'.repeat(100_000))).toBe('json_forbidden');
  expect(verdictOn(`0.${'0'.repeat(100_000)}1`)).toBe('json_forbidden');
  expect(verdictOn(`0.${'7'.repeat(100_000)}`)).toBe('json_forbidden');
});

it('lets every whole number pass that a double holds', () =>
  fc.assert(
    fc.property(fc.maxSafeInteger(), (number) => expect(verdictOn(JSON.stringify([number]))).toBe('fine')),
  ));

// E6
it.each([
  '"\\ud800"',
  '"\\udc00"',
  '"\\ud800x"',
  '"\\ud800\\n"',
  '"\\ud800\\ud800"',
  '"\\udc00\\ud800"',
  '{"\\uDFFF":1}',
  '"\\ud83d😀"',
])('refuses half a character: %s', (text) => expect(verdictOn(text)).toBe('json_forbidden'));

it.each(['"\\ud83d\\ude00"', '"😀"', '"\\\\ud800"', '"\\u0000"', '"\\u2028"', '"\\"\\\\"', '"{[\\",]}"'])(
  'lets a whole character pass: %s',
  (text) => expect(verdictOn(text)).toBe('fine'),
);

// F5
it('refuses the 33rd level, and lets the 32nd pass', () => {
  const arrays = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  const objects = (depth: number) => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
  for (const nest of [arrays, objects]) {
    expect(verdictOn(nest(32))).toBe('fine');
    expect(verdictOn(nest(33))).toBe('json_forbidden');
    expect(verdictOn(nest(50_000))).toBe('json_forbidden');
  }
  expect(verdictOn(`[${'[[]],'.repeat(1000)}[]]`)).toBe('fine');
});

// F6
it('takes no longer than a breath for the worst of a megabyte and for a million members', () => {
  const million = Array.from({ length: 1_000_000 }, (_, at) => at);
  const texts = [
    `{${million.map((at) => `"${at}":1`).join(',')}}`,
    `[${million.map(() => '{}').join(',')}]`,
    `"${'\\ud83d\\ude00'.repeat(85_000)}"`,
    `"${'x'.repeat(1_000_000)}"`,
    `{"${'k'.repeat(65_536)}":1,"${'k'.repeat(65_535)}l":1}`,
  ];
  const begin = process.cpuUsage(); // not the time: other programs may take most of it
  for (const text of texts) checkJson(Buffer.from(text));
  const { user } = process.cpuUsage(begin);
  expect(user / 1_000).toBeLessThan(5_000); // a second on a slow machine; a quadratic scan takes hours
});

it('names the place of the problem, never a value', () => {
  expect(messageOn('{"data":{"documents":[{"id":1},{"id":2,"name":"secret","id":3}]}}')).toBe(
    'At /data/documents/1/id: a member that occurs twice.',
  );
  expect(messageOn('{"a":[0,"x",{"b":12345678901234567890}]}')).toBe(
    'At /a/2/b: a number beyond ±9007199254740991.',
  );
  expect(messageOn('1e400')).toBe('At (all of it): a number beyond ±9007199254740991.');
});

it('keeps a place to one short plain line, whatever the names', () => {
  const message = messageOn(
    `{"a\\n\u001b[31m\u2028":{"${'k'.repeat(100_000)}":{"b":1e400}}}`.replace('\u001b', '\\u001b'),
  );
  expect(message.length).toBeLessThan(250);
  expect(message).toMatch(/^[\x20-\x7e±…]*$/);
});

const schema = z.object({
  id: z.string(),
  count: z.number().max(3),
  kind: z.enum(['a', 'b']),
  either: z.union([z.string(), z.number()]),
  date: z.string().regex(/^\d+$/),
  own: z.string().refine((value) => value === '', { error: ({ input }) => `not ${String(input)}` }),
});

it('says what does not fit a schema, and nothing of what came', () => {
  const value = { count: 7, kind: 'private', either: {}, date: 'private', own: 'private' };
  const message = messageOf(() => parse(schema, value, 'payload_invalid'));
  expect(message.split('; ')).toEqual([
    'id: missing, expected string',
    'count: expected number to be <=3',
    'kind: expected one of "a"|"b"',
    'either: fits none of what is allowed here',
    'date: must match pattern /^\\d+$/',
    'own: does not pass the check of its schema',
  ]);
  expect(messageOf(() => parse(schema, [], 'payload_invalid'))).toBe(
    'as a whole: expected object, received array',
  );
});
