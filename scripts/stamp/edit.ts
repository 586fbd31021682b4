import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';

/** A change of an existing file, at a place that it is known to have. */
export interface Edit {
  readonly file: string;
  /** The changed text, or `undefined` where that place no longer looks as it did. */
  change(text: string): string | undefined;
  /** What to add where it does not. */
  readonly byHand: string;
}

/** Makes what can be made; returns the edits that are left to be made by hand. */
export async function applyEdits(root: string, edits: readonly Edit[]): Promise<Edit[]> {
  const left: Edit[] = [];
  for (const edit of edits) {
    const path = join(root, edit.file);
    const text = existsSync(path)
      ? await formatted(path, edit.change(readFileSync(path, 'utf8')))
      : undefined;
    if (text === undefined) left.push(edit);
    else writeFileSync(path, text);
  }
  return left;
}

/** As `npm run format` leaves it. `undefined` stays; so does what cannot be read: the change went into the wrong place. */
export async function formatted(path: string, text: string | undefined): Promise<string | undefined> {
  if (text === undefined) return undefined;
  try {
    return await format(text, { ...(await resolveConfig(path)), filepath: path });
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Puts a line behind the last one that looks so. */
export function lineBehind(text: string, like: RegExp, line: string): string | undefined {
  const lines = text.split('\n');
  const at = lines.findLastIndex((candidate) => like.test(candidate));
  return at === -1 ? undefined : lines.toSpliced(at + 1, 0, line).join('\n');
}

/** Puts an entry in front of the line that closes an object: the first such line behind the one that opens it. */
export function entryBefore(
  text: string,
  { opening, closing }: { readonly opening: RegExp; readonly closing: RegExp },
  entry: string,
): string | undefined {
  const lines = text.split('\n');
  const open = lines.findIndex((line) => opening.test(line));
  const close = lines.findIndex((line, index) => index > open && closing.test(line));
  if (open === -1 || close === -1) return undefined;
  return [...lines.slice(0, close), entry, ...lines.slice(close)].join('\n');
}
