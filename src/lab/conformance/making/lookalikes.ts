/** A text or bytes that resemble the right ones, and how: the rest of `a proof that …`. */
export interface Lookalike<Form> {
  readonly says: string;
  readonly form: Form;
}

/** What makes a byte another one. */
export interface Wrong {
  /** Those of a part at a time: their sum changes as well. */
  readonly next: (byte: number) => number;
  /** That of a single one: as little as can be. */
  readonly least: (byte: number) => number;
}

/** Other bytes of the same length, each right in a part of them. */
export function lookalikesOf(
  bytes: Buffer,
  { next, least }: Wrong,
): Readonly<Record<string, readonly Lookalike<Buffer>[]>> {
  const { length } = bytes;
  const rightWhere = (isRight: (at: number) => boolean, wrong = next) =>
    Buffer.from(bytes.map((byte, at) => (isRight(at) ? byte : wrong(byte))));
  const parts = [1, 4, 8, 16, 24, length - 1].filter((count) => count > 0 && count < length);
  return {
    'right at its beginning': parts.map((count) => ({
      says: `is right in its first ${count} of ${length} bytes only`,
      form: rightWhere((at) => at < count),
    })),
    'right at its end': parts.map((count) => ({
      says: `is right in its last ${count} of ${length} bytes only`,
      form: rightWhere((at) => at >= length - count),
    })),
    'wrong in one place': [0, length >> 1, length - 1].map((wrongAt) => ({
      says: `differs in byte ${wrongAt + 1} of ${length}`,
      form: rightWhere((at) => at !== wrongAt, least),
    })),
    'wrong throughout': [0, 1, 2].map((rest) => ({
      says: rest === 2 ? 'is wrong in every byte' : 'is right in every second byte only',
      form: rightWhere((at) => at % 2 === rest),
    })),
    'its bytes in another order': [
      { says: 'has the right bytes, sorted', form: Buffer.from(bytes.toSorted((one, other) => one - other)) },
      { says: 'has the right bytes, turned round', form: Buffer.from(bytes.toReversed()) },
      {
        says: 'has the right bytes, moved by one',
        form: Buffer.concat([bytes.subarray(1), bytes.subarray(0, 1)]),
      },
    ],
  };
}

export const otherBytes: Wrong = { next: (byte) => (byte + 1) % 256, least: (byte) => byte ^ 0x01 };

/** Others than letters and digits may not stand in a header. */
export const otherLetters: Wrong = { next: letterBeside, least: letterBeside };

function letterBeside(byte: number): number {
  const [x = 0, y = 0] = Buffer.from('xy');
  return byte === x ? y : x;
}

/** Letters that some comparison, in some language or database, takes for these. */
const FOLDED: ReadonlyMap<string, string> = new Map([
  ['the Kelvin sign for k', 'k\u212A'],
  ['a long s for s', 's\u017F'],
  ['a dotless i for i', 'i\u0131'],
  ['an accent on a', 'a\u00E1'],
  ['an accent on e', 'e\u00E9'],
]);

/** Texts that are the same where letter case, width or accents do not count. */
export function foldedOf(text: string): readonly Lookalike<string>[] {
  const cased = Array.from(text, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  ).join('');
  const wide = text.replace(/[!-~]/g, (letter) =>
    String.fromCodePoint((letter.codePointAt(0) ?? 0) + 0xfee0),
  );
  const folded = [...FOLDED].map(([says, [plain = '', like = '']]) => ({
    says: `has ${says}`,
    form: text.replace(new RegExp(plain, 'i'), like),
  }));
  return [
    { says: 'is right but for letter case', form: cased },
    { says: 'is written in wide letters', form: wide },
    ...folded,
  ].filter(({ form }) => form !== text);
}

/** Texts that fit everything where they are taken for patterns, or for what only has to be there. */
export function patternsFor(text: string): readonly Lookalike<string>[] {
  const start = text.slice(0, text.length >> 1);
  const patterns = ['*', '%', '.*', '^', '.', '[^]*', '_'.repeat(text.length), '.'.repeat(text.length)];
  return [...patterns, `${start}%`, `${start}*`, `${start}.*`].map((form) => ({
    says: `is a pattern, ${form.replace(start, '<half of the right one>')}`,
    form,
  }));
}

/** What loose comparisons take for the right one: of other types, or for no text at all. */
export const LOOSE: readonly Lookalike<string>[] = [
  ...['0', '1', 'true', 'NaN', '0e0', '[]', '{}', '[object Object]'].map((form) => ({
    says: `is ${form}`,
    form,
  })),
  { says: 'is 0e and zeros, which is the number 0', form: `0e${'0'.repeat(62)}` },
];
