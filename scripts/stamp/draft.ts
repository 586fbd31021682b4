import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { UsageError } from '../../src/lab/usage.ts';

/** What was written, and what is still to be done. */
export interface Stamped {
  readonly files: readonly string[];
  readonly left: readonly Left[];
  readonly next: readonly string[];
}

/** A change whose place in the file was not found. */
interface Left {
  readonly file: string;
  /** What to add there. */
  readonly byHand: string;
}

/** Files as they are going to be. Nothing is written before all is known to fit. */
export interface Draft {
  read(file: string): string | undefined;
  write(file: string, text: string): void;
  /** `change` returns `undefined` where the file does not look as expected: then it is left to be done by hand. */
  edit(file: string, change: (text: string) => string | undefined, byHand: string): void;
  /** @throws UsageError, with nothing written, when a file cannot be read as TypeScript */
  save(next: readonly string[]): Promise<Stamped>;
}

export function openDraft(root: string): Draft {
  const texts = new Map<string, string>();
  const left: Left[] = [];
  const read = (file: string) => texts.get(file) ?? textOf(join(root, file));
  return {
    read,
    write: (file, text) => void texts.set(file, text),
    edit(file, change, byHand) {
      const before = read(file);
      const after = before === undefined ? undefined : change(before);
      if (after === undefined) left.push({ file, byHand });
      else texts.set(file, after);
    },
    async save(next) {
      const formatted = [...texts].map(async ([file, text]) => [file, await asFormatted(root, file, text)]);
      for (const [file = '', text = ''] of await Promise.all(formatted)) {
        mkdirSync(dirname(join(root, file)), { recursive: true });
        writeFileSync(join(root, file), text);
      }
      return { files: [...texts.keys()], left, next };
    },
  };
}

function textOf(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** As `prettier --write` leaves it. */
async function asFormatted(root: string, file: string, text: string): Promise<string> {
  const path = join(root, file);
  try {
    return await format(text, { ...(await resolveConfig(path)), filepath: path });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(`${file} cannot be read: ${error.message}\nNothing was written.`);
  }
}
