import { z } from 'zod';

// From the text of an environment variable to a value. Messages say what is expected, never what came: a secret may
// stand in the wrong variable.

/** One of a few words, spelled exactly so. */
export function oneOf<const Words extends readonly [string, ...string[]]>(
  ...words: Words
): z.ZodType<Words[number], string> {
  return z.enum(words, { error: `expected ${words.join(', or ')}` });
}

/** A whole number in decimal digits. */
export function integer({ min, max }: { min: number; max: number }): z.ZodType<number, string> {
  const error = `expected a whole number from ${min} to ${max}`;
  return z
    .string({ error })
    .regex(/^-?\d{1,15}$/, { error })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error });
}

/** A whole number, or the word that stands for the usual one. */
export function integerOr<const Word extends string>(
  word: Word,
  { min, max }: { min: number; max: number },
): z.ZodType<number | Word, string> {
  const number = integer({ min, max });
  return z.string().transform((value, context) => {
    if (value === word) return word;
    const { data, success } = number.safeParse(value);
    if (success) return data;
    context.addIssue(`expected ${word}, or a whole number from ${min} to ${max}`);
    return z.NEVER;
  });
}

/** A number in decimal digits, with a point where it is not whole. */
export function decimal({ min, max }: { min: number; max: number }): z.ZodType<number, string> {
  const error = `expected a number from ${min} to ${max}`;
  return z
    .string({ error })
    .regex(/^-?\d{1,15}(\.\d{1,15})?$/, { error })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error });
}

/** A TCP port, or the word that opens none. */
export function portOrOff(): z.ZodType<number | undefined, string> {
  const port = integer({ min: 0, max: 65_535 });
  return z.string().transform((value, context) => {
    if (value.trim() === 'off') return undefined;
    const { data, success } = port.safeParse(value);
    if (success) return data;
    context.addIssue({ code: 'custom', message: 'expected a port from 0 to 65535, or off' });
    return z.NEVER;
  });
}

/** Entries separated by commas; blanks around them and empty entries do not count. */
export function list(): z.ZodType<readonly string[], string> {
  return z.string().transform((text) =>
    text
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  );
}

/** One or more of a few words, separated by commas. */
export function someOf<const Words extends readonly [string, ...string[]]>(
  ...words: Words
): z.ZodType<readonly Words[number][], string> {
  const error = `expected one or more of ${words.join(', ')}, separated by commas`;
  return list().pipe(z.array(z.enum(words, { error })).min(1, { error }));
}

/** Any text, without the blanks around it; empty where nothing is set. */
export function text(): z.ZodType<string, string> {
  return z.string().transform((value) => value.trim());
}

/** Text of one shape; `expected` says which in words. */
export function matching(shape: RegExp, expected: string): z.ZodType<string, string> {
  return z.string().regex(shape, { error: `expected ${expected}` });
}

/** An address that others are built below; nothing where nothing is set. */
export function baseUrl(): z.ZodType<URL | undefined, string> {
  const error = 'expected an https: (or http:) address without user name, query or fragment';
  return z.string().transform((value, context) => {
    if (value.trim() === '') return undefined;
    const url = URL.parse(value.trim());
    if (url !== null && /^https?:$/.test(url.protocol) && url.href === url.origin + url.pathname) return url;
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });
}

/** A password or the like: exactly as it is agreed, blanks inside included. */
export function password(): z.ZodType<string, string> {
  return matching(/^(\S(.*\S)?)?$/, 'one line without blanks around it');
}
