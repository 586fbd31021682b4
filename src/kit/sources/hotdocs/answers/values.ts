import { z } from 'zod';
import {
  AnswersInvalid,
  choice,
  choices,
  date,
  number,
  text,
  trueFalse,
  unanswered,
  type AnswerType,
  type SingleAnswer,
} from './answers.ts';

/** What dialects B and C call the types. */
export const words = { TX: 'Text', NU: 'Number', DA: 'Date', TF: 'TrueFalse', MC: 'MultipleChoice' } as const;

/** @throws AnswersInvalid */
export function typeCalled(name: string, word: unknown): AnswerType {
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

/**
 * One value, however it is spelled; `null` says unanswered.
 * @throws AnswersInvalid
 */
export function readSingle(name: string, value: unknown, type: AnswerType): SingleAnswer {
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
export function dayOf(value: string): string | undefined {
  const [, year, month, day] = ISO_DAY.exec(value) ?? [];
  if (year !== undefined) return realDay(year, month, day);
  const [, dayFirst, thenMonth, lastYear] = DAY_FIRST.exec(value) ?? [];
  return realDay(lastYear, thenMonth, dayFirst);
}

function realDay(year = '', month = '', day = ''): string | undefined {
  const spelled = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  return z.iso.date().safeParse(spelled).success ? spelled : undefined;
}
