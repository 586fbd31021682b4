import { expect, it } from '@jest/globals';
import {
  decimal,
  integer,
  integerOr,
  list,
  matching,
  oneOf,
  someOf,
  text,
} from '../../../src/kit/reading/settings.ts';

it('takes one of a few words, spelled exactly so', () => {
  expect(oneOf('harmless', 'error').parse('error')).toBe('error');
  expect(() => oneOf('harmless', 'error').parse('Error')).toThrow('expected harmless, or error');
});

it.each(['', ' 5', '5.0', '1e3', '0x10', '²', '99999999999999999999', '0', '11', 'ten'])(
  'does not take %j for a whole number from 1 to 10',
  (input) =>
    expect(() => integer({ min: 1, max: 10 }).parse(input)).toThrow('expected a whole number from 1 to 10'),
);

it('reads whole numbers up to both ends', () => {
  expect(integer({ min: -1, max: 10 }).parse('-1')).toBe(-1);
  expect(integer({ min: -1, max: 10 }).parse('10')).toBe(10);
});

it('reads numbers that need not be whole, up to both ends', () => {
  const days = decimal({ min: 0, max: 10 });
  expect(['0', '0.001', '10', '10.0'].map((text) => days.parse(text))).toEqual([0, 0.001, 10, 10]);
  for (const input of ['', '.5', '1.', '1e3', '-0.1', '10.1', ' 1', '1,5']) {
    expect(() => days.parse(input)).toThrow('expected a number from 0 to 10');
  }
});

it('reads a list without its blanks and gaps', () => {
  expect(list().parse(' a, b ,,c')).toEqual(['a', 'b', 'c']);
  expect(list().parse('')).toEqual([]);
});

it('reads a whole number or one word in its place', () => {
  const age = integerOr('usual', { min: 0, max: 10 });
  expect(['usual', '0', '10'].map((text) => age.parse(text))).toEqual(['usual', 0, 10]);
  for (const input of ['', 'Usual', '11', '1.5'])
    expect(() => age.parse(input)).toThrow('expected usual, or a whole number from 0 to 10');
});

it('reads some of a few words', () => {
  expect(someOf('GET', 'POST').parse('POST, GET')).toEqual(['POST', 'GET']);
  for (const input of ['', ',', 'post', 'GET POST', 'GET,HEAD'])
    expect(() => someOf('GET', 'POST').parse(input)).toThrow('expected one or more of GET, POST');
});

it('reads text without the blanks around it', () => expect(text().parse(' a b ')).toBe('a b'));

it('never repeats a value that does not fit', () => {
  for (const schema of [oneOf('a', 'b'), integer({ min: 0, max: 1 }), matching(/^memory:$/, 'memory:')]) {
    const result = schema.safeParse('a-secret-in-the-wrong-place');
    expect(JSON.stringify(result.error?.issues)).not.toContain('a-secret');
  }
});
