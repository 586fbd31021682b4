import { isObject, tryJson } from '../../kit/reading/json.ts';
import { rewriteJson } from '../json-text.ts';
import { randomBelow, type Random } from '../mock/random.ts';
import type { Known } from './known.ts';

/** Puts neutral values in the place of personal ones: of the same shape, and one value always by the same one. */
export interface Neutral {
  /** A value; of JSON text its values. */
  text(original: string): string;
  /** JSON text. */
  json(original: string): string;
  /** What a token says: its times are left, since they are moved. */
  claims(original: string): string;
  /** Of a member, a field of a form. */
  name(original: string): string;
  /** What was replaced, each value once. */
  readonly replaced: ReadonlyMap<string, string>;
  /** Names that neither schema nor mock knows, and that were left because they look like names. */
  readonly namesLeft: ReadonlySet<string>;
}

export interface NeutralOptions {
  readonly known: Known;
  readonly random: Random;
  /** Names that look like some and are none. */
  readonly rename?: ReadonlySet<string>;
}

export function createNeutral({ known, random, rename = new Set() }: NeutralOptions): Neutral {
  const words = createWords(random);
  const replaced = new Map<string, string>();
  const namesLeft = new Set<string>();

  function remember(original: string, neutral: string): string {
    if (neutral !== original) replaced.set(original, neutral);
    return neutral;
  }
  function text(original: string): string {
    if (known.texts.has(original)) return original;
    const inside = /^\s*[{[]/.test(original) ? tryJson(original) : undefined;
    if (isObject(inside) || Array.isArray(inside)) return json(original);
    return remember(original, words(original));
  }
  function number(digits: string): string {
    // Flags and counts; and an exponent says how large it is.
    if (digits.length === 1) return digits;
    const [, mantissa = '', exponent = ''] = /^([^e]*)(.*)$/i.exec(digits) ?? [];
    return remember(digits, words(mantissa) + exponent);
  }
  function name(original: string): string {
    if (known.names.has(original)) return original;
    if (rename.has(original) || !PLAIN_NAME.test(original)) return text(original);
    namesLeft.add(original);
    return original;
  }
  const json = (original: string) => rewriteJson(original, { name, text, number });
  const claims = (original: string) =>
    rewriteJson(original, {
      name,
      text,
      number: (digits, at) => (at.depth === 1 && TIMES.has(at.name ?? '') ? digits : number(digits)),
    });
  return { text, json, claims, name, replaced, namesLeft };
}

/** Neither a sentence nor an address, nor with a number of somebody in it. */
const PLAIN_NAME = /^(?!.*\d{3})[A-Za-z_$][\w$.:-]{0,63}$/;
const TIMES = new Set(['iat', 'exp', 'nbf']);

const UUID = String.raw`[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}(?![\da-f])`;
const MOMENT = String.raw`(?<!\d)\d{4}-(?:0[1-9]|1[0-2])-[0-3]\d(?!\d)(?:[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?`;
const PARTS = new RegExp(String.raw`^[a-z][a-z\d+.-]*:\/\/|${UUID}|${MOMENT}|[\p{L}\p{M}\p{N}]+`, 'giu');

/** Replaces the words of a text, one word always by the same one: an id is found again in an address that has it. */
function createWords(random: Random): (text: string) => string {
  const known = new Map<string, string>();
  const taken = new Set<string>();

  /** In lower case. A short word may find no other of its shape that is free. */
  function anew(word: string): string {
    let neutral = word;
    for (let tries = 0; tries < TRIES; tries += 1) {
      neutral = shapedLike(word, random);
      if (neutral !== word && !taken.has(neutral)) break;
    }
    taken.add(neutral);
    known.set(word, neutral);
    return neutral;
  }
  return (text) =>
    text.replace(PARTS, (part) => {
      if (part.endsWith('://')) return part;
      const word = Array.from(part, (letter) => lowerOf(letter)).join('');
      return casedLike(part, known.get(word) ?? anew(word));
    });
}

const TRIES = 100;

function shapedLike(word: string, random: Random): string {
  if (new RegExp(`^${MOMENT}$`, 'i').test(word)) return moment(word, random);
  const isUuid = new RegExp(`^${UUID}$`).test(word);
  const letters = isUuid || /^(?=.*\d)[\da-f]{8,}$/.test(word) ? 'abcdef' : 'abcdefghijklmnopqrstuvwxyz';
  const isNumber = /^\d+$/.test(word);
  return Array.from(word, (letter, at) => {
    // Version and variant.
    if (isUuid && (at === 14 || at === 19)) return letter;
    if (/\d/.test(letter)) return digitFor(letter, at, isNumber ? word : '', random);
    if (/[a-z]/.test(letter)) return letters.charAt(randomBelow(letters.length, random));
    return neighbourOf(letter, random);
  }).join('');
}

/** A number stays one: with as many digits, and small enough to be read exactly. */
function digitFor(letter: string, at: number, whole: string, random: Random): string {
  if (whole === '') return String(randomBelow(10, random));
  if (/^0*$/.test(whole.slice(0, at + 1))) return letter;
  if (/[1-9]/.test(whole.slice(0, at))) return String(randomBelow(10, random));
  return whole.length > 15 ? '1' : String(1 + randomBelow(9, random));
}

/** A letter of the same script, kind and length in bytes. */
function neighbourOf(letter: string, random: Random): string {
  const code = letter.codePointAt(0) ?? 0;
  const first = code - (code % 32);
  const kind = KINDS.find((pattern) => pattern.test(letter));
  const others = Array.from({ length: 32 }, (_, index) => String.fromCodePoint(first + index)).filter(
    (other) => other !== letter && kind?.test(other),
  );
  return others[randomBelow(others.length, random)] ?? letter;
}

const KINDS = [/^\p{Ll}$/u, /^\p{Lu}$/u, /^\p{Lo}$/u, /^\p{L}$/u, /^\p{N}$/u];

/** Some day of some year and some time of it, as exact as it was, in the same zone. */
function moment(word: string, random: Random): string {
  const two = (least: number, count: number) => String(least + randomBelow(count, random)).padStart(2, '0');
  const [, day = '', hour = '', others = '', fraction = '', zone = ''] =
    /^(.{10})(.\d\d)?((?::\d\d)*)(\.\d+)?(.*)$/.exec(word) ?? [];
  return [
    `20${two(10, 80)}-${two(1, 12)}-${two(1, 28)}`.slice(0, day.length),
    hour && hour.charAt(0) + two(0, 24),
    others.replace(/\d\d/g, () => two(0, 60)),
    fraction.replace(/\d/g, () => String(randomBelow(10, random))),
    zone,
  ].join('');
}

function lowerOf(letter: string): string {
  const lower = letter.toLowerCase();
  return lower.length === letter.length ? lower : letter;
}

/** Letter by letter; what has no other case stays. */
function casedLike(part: string, word: string): string {
  const letters = Array.from(part);
  return Array.from(word, (letter, at) => {
    const original = letters[at] ?? letter;
    if (original === lowerOf(original)) return letter;
    const upper = letter.toUpperCase();
    return upper.length === letter.length ? upper : letter;
  }).join('');
}
