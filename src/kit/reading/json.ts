import { z } from 'zod';
import { isUtf8 } from 'node:buffer';
import { DeadLetter, type DeadLetterReason } from '../errors.ts';

/** Deeper text parses, but loggers, clones and stores that walk the value by recursion overflow. */
const MAX_DEPTH = 32;
const MAX_SIGNIFICANT_DIGITS = 17; // as many as a double is ever written with; further ones would be lost
const SMALLEST_EXACT = 2 ** -1022; // below it a double loses digits, at last all of them
const MAX_PLACE_LENGTH = 120;

/** A JSON object from outside; its members are only ever listed or tested with `Object.hasOwn`. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** All members of an object as they came, those that its schema does not list included. */
export function allMembers(object: object): JsonObject {
  return { ...object };
}

/**
 * The value of JSON text in UTF-8 without a byte order mark.
 * @throws DeadLetter `json_invalid`
 */
export function readJson(content: Buffer): unknown {
  if (content.length === 0) throw new DeadLetter('json_invalid', 'Expected JSON, the content is empty.');
  if (!isUtf8(content)) {
    throw new DeadLetter('json_invalid', 'Expected JSON in UTF-8, the content is in another encoding.');
  }
  try {
    return JSON.parse(content.toString('utf8'));
  } catch {
    // No `cause`: the parser's message quotes the text.
    throw new DeadLetter('json_invalid', `Expected JSON, ${notJson(content)}`);
  }
}

const BYTE_ORDER_MARK = '\ufeff';

/**
 * JSON text in UTF-8 of what is in UTF-16, or has a byte order mark: as .NET writes it where nobody thought of it. Other
 * bytes are left as they are. JSON begins with two letters of ASCII, so a zero byte among the first two tells UTF-16.
 */
export function inUtf8(content: Buffer): Buffer {
  const [first, second] = content;
  if (first === 0xef && second === 0xbb && content[2] === 0xbf) return content.subarray(3);
  const isLittle = (first === 0xff && second === 0xfe) || second === 0;
  const isBig = (first === 0xfe && second === 0xff) || first === 0;
  if (isLittle === isBig || content.length % 2 !== 0) return content;
  const text = (isLittle ? content : Buffer.from(content).swap16()).toString('utf16le');
  if (!text.isWellFormed()) return content;
  return Buffer.from(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
}

/** The value of JSON text; undefined if it is none, where that is no mistake. */
export function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** For bytes that may be no JSON object. */
export function objectIn(content: Buffer): JsonObject | undefined {
  const value = tryJson(content.toString());
  return isObject(value) ? value : undefined;
}

/** `readJson`, and nothing in it that readers disagree on. @throws DeadLetter `json_invalid` or `json_forbidden` */
export function strictJson(content: Buffer): unknown {
  const value = readJson(content);
  checkJson(content);
  return value;
}

/**
 * Refuses what two readers of the same JSON text would understand differently, or what harms the programs behind:
 * duplicate members, names that reach an object's prototype, more than 32 levels, lone surrogates, and numbers that
 * change when read: beyond ±(2⁵³ − 1), with more than 17 significant digits, or too small for a double.
 *
 * The text must be known to be JSON: see `readJson`, `inUtf8`. One pass, no recursion, so that no input is slow or deep enough.
 * @throws DeadLetter `json_forbidden` that names the place, never a value
 */
export function checkJson(content: Buffer): void {
  const text = inUtf8(content).toString('utf8');
  const levels: Level[] = [];
  let at = 0;
  while (at < text.length) at = step(text, at, levels);
}

/** One object or array that the scan is inside of. */
interface Level {
  /** Members seen so far; an array has none. */
  readonly names: Set<string> | undefined;
  nameNext: boolean;
  /** The member or item that the scan is at. */
  place: string | number;
}

/** Reads one token, returns where the next one starts. */
function step(text: string, at: number, levels: Level[]): number {
  switch (text.charAt(at)) {
    case '{':
      open({ names: new Set(), nameNext: true, place: '' }, levels);
      return at + 1;
    case '[':
      open({ names: undefined, nameNext: false, place: 0 }, levels);
      return at + 1;
    case '}':
    case ']':
      levels.pop();
      return at + 1;
    case ',':
      next(levels.at(-1));
      return at + 1;
    case '"':
      return readString(text, at, levels);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
      return readNumber(text, at, levels);
    default: // blanks, colons, letters of true, false and null
      return at + 1;
  }
}

function open(level: Level, levels: Level[]): void {
  if (levels.length === MAX_DEPTH) throw forbidden(`deeper than ${MAX_DEPTH} levels`, levels);
  levels.push(level);
}

function next(level: Level | undefined): void {
  if (level === undefined) return;
  if (typeof level.place === 'number') level.place += 1;
  else level.nameNext = true;
}

function readString(text: string, at: number, levels: Level[]): number {
  const level = levels.at(-1);
  const end = endOfString(text, at, levels);
  if (level?.nameNext !== true) return end;
  level.nameNext = false;
  level.place = nameIn(text.slice(at, end));
  checkName(level.place, levels);
  return end;
}

/** Just behind the closing quote. A surrogate can only be alone where it is escaped: the text was UTF-8. */
function endOfString(text: string, start: number, levels: Level[]): number {
  let at = start + 1;
  while (at < text.length) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) return at + 1;
    if (unit === BACKSLASH) at = endOfEscape(text, at, levels);
    else at += 1;
  }
  return at;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function endOfEscape(text: string, at: number, levels: Level[]): number {
  const unit = escapedUnit(text, at);
  if (unit === undefined) return at + 2;
  if (unit < 0xd800 || unit > 0xdfff) return at + 6;
  const partner = unit < 0xdc00 ? escapedUnit(text, at + 6) : undefined;
  if (partner === undefined || partner < 0xdc00 || partner > 0xdfff) {
    throw forbidden('a surrogate without its partner, which is no character', levels);
  }
  return at + 12;
}

/** The UTF-16 unit that `\uXXXX` stands for, or `undefined` where there is none. */
function escapedUnit(text: string, at: number): number | undefined {
  if (text[at] !== '\\' || text[at + 1] !== 'u') return undefined;
  return Number.parseInt(text.slice(at + 2, at + 6), 16);
}

function nameIn(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  return JSON.parse(quoted) as string; // a JSON text in quotes is a string
}

function checkName(name: string, levels: Level[]): void {
  const names = levels.at(-1)?.names;
  if (names?.has(name) === true) throw forbidden('a member that occurs twice', levels);
  names?.add(name);
  if (name === '__proto__') throw forbidden('a member named __proto__', levels);
  if (name === 'prototype' && levels.at(-2)?.place === 'constructor') {
    throw forbidden('a constructor with a prototype', levels);
  }
}

function readNumber(text: string, start: number, levels: Level[]): number {
  let at = start;
  let exponent = false;
  let significantDigits = 0;
  let zeros = 0; // they count only when another digit follows
  for (; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (!isOfNumber(character)) break;
    if ((character | 0x20) === LETTER_E) exponent = true;
    if (exponent || character < DIGIT_0) continue;
    if (character === DIGIT_0) {
      if (significantDigits > 0) zeros += 1;
      continue;
    }
    significantDigits += zeros + 1;
    zeros = 0;
  }
  checkNumber(text.slice(start, at), significantDigits, levels);
  return at;
}

const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const LETTER_E = 0x65;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;

function isOfNumber(character: number): boolean {
  if (character >= DIGIT_0 && character <= DIGIT_9) return true;
  return character === POINT || character === MINUS || character === PLUS || (character | 0x20) === LETTER_E;
}

function checkNumber(text: string, significantDigits: number, levels: Level[]): void {
  if (significantDigits === 0) return;
  const size = Math.abs(Number(text));
  if (size > Number.MAX_SAFE_INTEGER) throw forbidden('a number beyond ±9007199254740991', levels);
  if (significantDigits > MAX_SIGNIFICANT_DIGITS) {
    throw forbidden(`a number with more than ${MAX_SIGNIFICANT_DIGITS} significant digits`, levels);
  }
  if (size < SMALLEST_EXACT) throw forbidden('a number too small to be told from 0', levels);
}

function forbidden(problem: string, levels: readonly Level[]): DeadLetter {
  return new DeadLetter('json_forbidden', `At ${placeOf(levels)}: ${problem}.`);
}

/** A JSON pointer for a log line: what is not plain in a name is replaced, and a long one is cut. */
function placeOf(levels: readonly Level[]): string {
  const place = levels.map((level) => `/${String(level.place).slice(0, MAX_PLACE_LENGTH)}`).join('');
  const plain = place.replace(/[^\x20-\x7e]/g, '?') || '(all of it)';
  return plain.length > MAX_PLACE_LENGTH ? `${plain.slice(0, MAX_PLACE_LENGTH)}…` : plain;
}

function notJson(content: Buffer): string {
  if (content[0] === 0xef && content[1] === 0xbb) return 'the content starts with a byte order mark.';
  return `the ${content.length} bytes are not: cut off, or another format.`;
}

/**
 * What comes from outside is `unknown` until this has read it.
 * @throws DeadLetter that names every member that does not fit, never its value
 */
export function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  reason: DeadLetterReason,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new DeadLetter(reason, misfits(result.error));
}

/** What does not fit a schema: each member, what was expected and of which type it is; never its value. */
export function misfits({ issues }: z.ZodError): string {
  return issues.map((issue) => `${issue.path.join('.') || 'as a whole'}: ${whatIsWrong(issue)}`).join('; ');
}

function whatIsWrong({ code, message, ...issue }: z.core.$ZodIssue): string {
  switch (code) {
    case 'invalid_type':
      if (message.endsWith('received undefined') && 'expected' in issue)
        return `missing, expected ${issue.expected}`;
      return afterColon(message);
    case 'invalid_value':
    case 'invalid_format':
    case 'too_big':
    case 'too_small':
      return afterColon(message);
    case 'invalid_union':
      return 'fits none of what is allowed here';
    case 'unrecognized_keys':
      return 'has members that are not allowed';
    case 'custom':
    case 'invalid_element':
    case 'invalid_key':
    case 'not_multiple_of':
      // What a schema's own check says may quote the value.
      return 'does not pass the check of its schema';
  }
}

/** Without Zod's words in front: `expected string, received number`. */
function afterColon(message: string): string {
  return message.slice(message.indexOf(': ') + 1).trim();
}

/** Any JSON object. */
export const jsonObject = z.looseObject({});

/** The JSON object that bytes hold, if it has not been read already. @throws DeadLetter `json_invalid` or `payload_invalid` */
export function parseContent<Schema extends z.ZodType>(
  schema: Schema,
  content: Buffer,
  value: JsonObject = parse(jsonObject, readJson(content), 'json_invalid'),
): z.output<Schema> {
  return parse(schema, value, 'payload_invalid');
}
