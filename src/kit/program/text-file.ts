import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { textIn } from '../reading/text.ts';
import type { Environment } from './reader.ts';

/** Whether a file is there that every user of this machine may read or write. */
export function isOpenToAll(path: string): boolean {
  if (process.platform === 'win32') return false;
  const { mode = 0 } = statSync(path, { throwIfNoEntry: false }) ?? {};
  return (mode & 0o007) !== 0;
}

/** A text file as editors and shells on Windows write it, too. @throws if it cannot be read */
export function readTextFile(path: string): { readonly text: string; readonly isPlain: boolean } {
  const bytes = readFileSync(path);
  const text = textIn(bytes);
  return { text, isPlain: text === bytes.toString('utf8') && !text.includes('\0') };
}

/** The variables of a process, as they can be read again while it runs. */
export interface Variables {
  /** The files that Node was told to take variables from. */
  readonly files: readonly string[];
  /** @throws Error that names a file which has gone since the process began */
  read(): { readonly env: Environment; readonly warnings: readonly string[] };
}

/**
 * The environment of a process, and the files it was given with `--env-file`, read by ourselves: Node loses the first
 * variable behind a byte order mark, and all of a file in UTF-16. What is set otherwise goes before what stands there; what
 * is set to the very same text counts as coming from there.
 */
export function variablesOf({ execArgv, env }: Pick<NodeJS.Process, 'execArgv' | 'env'>): Variables {
  const files = execArgv.flatMap((argument, index) => {
    if (!/^--env-file(?:-if-exists)?(?:=|$)/.test(argument)) return [];
    const [, path = execArgv[index + 1] ?? ''] = /=(.*)/s.exec(argument) ?? [];
    return path === '' ? [] : [resolve(path)];
  });
  const atStart = files.filter(isFile);
  const inFiles = readEnvFiles(atStart).env;
  const outside = Object.fromEntries(Object.entries(env).filter(([name, value]) => inFiles[name] !== value));
  return {
    files,
    read() {
      const gone = atStart.find((path) => !isFile(path));
      if (gone !== undefined) throw new Error(`${gone} is no longer there.`);
      const { env: found, warnings } = readEnvFiles(files.filter(isFile));
      return { env: { ...found, ...outside }, warnings };
    },
  };
}

function readEnvFiles(paths: readonly string[]): ReturnType<Variables['read']> {
  const read = paths.map((path) => ({ path, ...readTextFile(path) }));
  return {
    env: Object.assign({}, ...read.map(({ text }) => parseEnv(text))) as Environment, // parseEnv gives no other
    warnings: read
      .filter(({ isPlain }) => !isPlain)
      .map(
        ({ path }) => `${path} has a byte order mark or is in UTF-16. It was read; save it as plain UTF-8.`,
      ),
  };
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
