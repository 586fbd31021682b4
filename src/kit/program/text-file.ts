import { readFileSync, statSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { textIn } from '../reading/text.ts';

/** Whether a file is there that every user of this machine may read or write. */
export function isOpenToAll(path: string): boolean {
  if (process.platform === 'win32') return false;
  const { mode = 0 } = statSync(path, { throwIfNoEntry: false }) ?? {};
  return (mode & 0o007) !== 0;
}

/** The files that Node was told to take variables from. */
export function envFilesOf(execArgv: readonly string[]): string[] {
  return execArgv.flatMap((argument) => /^--env-file(?:-if-exists)?=(.+)$/.exec(argument)?.[1] ?? []);
}

/** A text file as editors on Windows write it, too. @throws if it cannot be read */
export function readTextFile(path: string): { readonly text: string; readonly isPlain: boolean } {
  const bytes = readFileSync(path);
  const text = textIn(bytes);
  return { text, isPlain: text === bytes.toString('utf8') && !text.includes('\0') };
}

/**
 * What Node has not understood of such files: the first variable behind a byte order mark, all of one in UTF-16. What is
 * set otherwise goes before.
 */
export function variablesIn(paths: readonly string[]): {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly warnings: readonly string[];
} {
  const strange = paths
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
    .map((path) => ({ path, ...readTextFile(path) }))
    .filter(({ isPlain }) => !isPlain);
  return {
    env: Object.assign({}, ...strange.map(({ text }) => parseEnv(text))) as Record<string, string>, // parseEnv gives no other
    warnings: strange.map(
      ({ path }) => `${path} has a byte order mark or is in UTF-16. It was read; save it as plain UTF-8.`,
    ),
  };
}
