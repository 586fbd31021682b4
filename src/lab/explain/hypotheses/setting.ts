import { z } from 'zod';
import { upperSnake } from '../../../kit/endpoint/definition.ts';
import type { SettingDefinition, Settings, Source } from '../../../kit/source.ts';
import { viewOf, type Case, type Change, type Row } from '../case.ts';
import { tokensIn } from '../spots.ts';
import { claimsOf } from './time.ts';

/** One hypothesis for each other choice of every setting that bears on a proof of these sources. */
export function ofSettings(sources: readonly Source[]): readonly Row[] {
  return sources.flatMap((source) => {
    const names = askedByProof(source);
    return Object.entries(source.settings).flatMap(([name, definition]) =>
      names.has(name) ? ofSetting(name, definition, source) : [],
    );
  });
}

/** The settings that proofs, keys and methods ask for: they are found by handing them settings that notice it. */
function askedByProof(source: Source): ReadonlySet<string> {
  const { settings, proof, events } = source;
  const asked = new Set<string>();
  const values = new Proxy(defaultsOf(settings), {
    get: (target, name) => {
      if (typeof name === 'string') asked.add(name);
      return Reflect.get(target, name) as unknown;
    },
  });
  for (const kind of Object.values(proof.kinds)) {
    kind.keyEncodings(values);
    kind.proof(values);
  }
  for (const type of [undefined, ...Object.keys(events)]) source.methods(type, values);
  return asked;
}

function defaultsOf(settings: Source['settings']): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, { schema, default: text }]) => [name, schema.parse(text)]),
  );
}

function ofSetting(name: string, definition: SettingDefinition, source: Source): readonly Row[] {
  const make = (value: string, texts: (of: Case) => readonly string[]): Row => ({
    id: `setting:${name}=${value}`,
    means: `{prefix}_${name} were ${value === '' ? 'empty' : value}`,
    remedy:
      `Set {prefix}_${name}${value === AS_TOKEN ? '' : `=${value}`}, or ${upperSnake(source.name)}_${name} for all its endpoints, if that is what was agreed. ` +
      definition.summary,
    twins: [`setting:${name}`, ...(/^(?:MAX_AGE|CLOCK_TOLERANCE)_S$/.test(name) ? TIMES : [])],
    *variants(of): Generator<Change> {
      const { config, settings } = viewOf(of);
      if (config?.source.name !== source.name) return;
      for (const text of texts(of)) {
        const { data, success } = definition.schema.safeParse(text);
        if (!success || isSame(data, settings[name])) continue;
        const changed: Settings = { ...settings, [name]: data };
        // What would accept anybody is no way of making one delivery verify.
        if (source.proof.without?.(changed) === undefined) yield { settings: changed };
      }
    },
  });
  const choices = choicesOf(definition);
  const free = definition.schema.safeParse(ANY_TEXT).success ? [make(AS_TOKEN, textsInToken)] : [];
  return [...free, ...choices.map((value) => make(value, () => [value]))];
}

const TIMES = [
  'clock-ahead',
  'clock-behind',
  'clock-zone',
  'delivery-late',
  'setting:MAX_AGE_S',
  'setting:CLOCK_TOLERANCE_S',
];
const AS_TOKEN = 'as in the token';
const ANY_TEXT = 'any text, of whatever kind';

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** What a setting can be set to, its default first: words, or the ends of a range of numbers. */
function choicesOf({ schema, default: usual }: SettingDefinition): readonly string[] {
  return [...new Set([usual, ...wordsOf(schema), ...boundsOf(schema, usual)])];
}

/** @returns several words as one text, too, where several can be chosen */
function wordsOf(schema: z.ZodType): readonly string[] {
  if (schema instanceof z.ZodEnum) return schema.options.map(String);
  const items = schema instanceof z.ZodPipe ? schema.out : undefined;
  if (!(items instanceof z.ZodArray) || !(items.element instanceof z.ZodEnum)) return [];
  const words = items.element.options.map(String);
  return [words.join(','), ...words];
}

const LARGEST = 2 ** 52;

/** The least and the most of a number, found by trying: the schema says only whether it takes one. */
function boundsOf(schema: z.ZodType<unknown, string>, usual: string): readonly string[] {
  const takes = (value: number) => typeof schema.safeParse(String(value)).data === 'number';
  const known = [Number(usual), 0, 1, 60, 3_600].find((value) => Number.isSafeInteger(value) && takes(value));
  if (known === undefined) return [];
  return [bound(known, LARGEST, takes), bound(known, -LARGEST, takes)].map(String);
}

/** Between one that is taken and one that may not be, the last that is. */
function bound(taken: number, end: number, takes: (value: number) => boolean): number {
  if (takes(end)) return end;
  let [inside, outside] = [taken, end];
  while (Math.abs(outside - inside) > 1) {
    const middle = Math.trunc((inside + outside) / 2);
    if (takes(middle)) inside = middle;
    else outside = middle;
  }
  return inside;
}

const MOST_TEXT = 256;

/** The texts that a token says of itself: an issuer and an audience are among them. */
function textsInToken(of: Case): readonly string[] {
  const texts = tokensIn(of).flatMap((token) => Object.values(claimsOf(token)).flat());
  return texts.filter(
    (text): text is string => typeof text === 'string' && text !== '' && text.length <= MOST_TEXT,
  );
}
