import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { textIn } from '../reading/text.ts';
import type { Environment } from './reader.ts';

/** What every user of this machine may do to a file, if it is there: "read", "write", "read or write". */
export function openToAll(path: string): string | undefined {
  if (process.platform === 'win32') return undefined;
  const { mode = 0 } = statSync(path, { throwIfNoEntry: false }) ?? {};
  const may = [...(mode & 0o004 ? ['read'] : []), ...(mode & 0o002 ? ['write'] : [])];
  return may.length > 0 ? may.join(' or ') : undefined;
}

interface TextFile {
  readonly text: string;
  /** What is wrong with how it was saved, as the rest of a sentence. */
  readonly oddity: string | undefined;
}

/** A text file as editors and shells on Windows write it, too. @throws if it cannot be read, or not a second time */
export function readTextFile(path: string): TextFile {
  const found = statSync(path);
  if (found.isDirectory()) throw new Error('it is a folder: name a file in it');
  // To open a pipe that nobody writes to would wait for ever, and what was read from one is gone at the next look.
  if (found.isFIFO()) throw new Error('it is a pipe: name a regular file');
  const bytes = readFileSync(path);
  const text = textIn(bytes);
  return { text, oddity: oddityOf(text, bytes) };
}

function oddityOf(text: string, bytes: Buffer): string | undefined {
  if (text !== bytes.toString('utf8'))
    return 'has a byte order mark or is in UTF-16. It was read; save it as plain UTF-8.';
  if (text.includes('\0'))
    return 'has NUL bytes in it, as a file has that was not written to its end, or is no text. Write it anew as plain UTF-8.';
  return undefined;
}

/** The variables of a process, as they can be read again while it runs. */
export interface Variables {
  /** The files that Node was told to take variables from. */
  readonly files: readonly string[];
  /** Whether a variable was set for the process itself, and not in one of these files. */
  isOutside(name: string): boolean;
  /** @throws Error that names a file which has gone since the process began */
  read(): {
    readonly env: Environment;
    readonly warnings: readonly string[];
    readonly doubts: readonly Doubt[];
  };
}

/** What was read from a file otherwise than it looks, and the variable that it is about, if it is about one. */
export interface Doubt {
  readonly name?: string | undefined;
  /** A sentence that names the line and what to do about it, never what stands there. */
  readonly text: string;
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
    isOutside: (name) => outside[name] !== undefined,
    read() {
      const gone = atStart.find((path) => !isFile(path));
      if (gone !== undefined) throw new Error(`${gone} is no longer there.`);
      const { env: found, ...said } = readEnvFiles(files.filter(isFile));
      return { env: { ...found, ...outside }, ...said };
    },
  };
}

function readEnvFiles(paths: readonly string[]): ReturnType<Variables['read']> {
  const read = paths.map((path) => ({ path, ...readTextFile(path) }));
  return {
    env: Object.assign({}, ...read.map(({ text }) => parseEnv(text))) as Environment, // parseEnv gives no other
    warnings: read.flatMap(({ path, oddity }) => (oddity === undefined ? [] : [`${path} ${oddity}`])),
    doubts: read.flatMap(({ path, text }) =>
      linesInDoubt(text).map(({ line, name, why }) => ({ name, text: `${path}, line ${line}: ${why}` })),
    ),
  };
}

interface LineInDoubt {
  readonly line: number;
  readonly name?: string;
  readonly why: string;
}

/** The text of a line that sets a variable: its name, and what stands behind the equals sign. */
const SETS = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=(.*)$/s;

/** The same with a colon, as in YAML. */
const SETS_BY_COLON = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*:/;

/** The lines of an env file that Node reads otherwise than they look, or passes over without a word. */
export function linesInDoubt(text: string): readonly LineInDoubt[] {
  const lines = text.split(/\r*\n|\r+/);
  const firstAt = new Map<string, number>();
  const doubts = loneReturns(text);
  for (let index = 0; index < lines.length; index++) {
    const line = index + 1;
    const written = lines[index] ?? '';
    if (/^\s*(#|$)/.test(written)) continue;
    const [, name, value] = SETS.exec(written) ?? [];
    if (name === undefined || value === undefined) {
      doubts.push({ line, ...whyPassedOver(written) });
      continue;
    }
    const before = firstAt.get(name);
    if (before === undefined) firstAt.set(name, line);
    else doubts.push({ line, name, why: `${name} is set in line ${before} already; keep one of the two.` });
    const { last, why } = endOfValue(lines, index, value);
    if (why !== undefined) doubts.push({ line, name, why: `${name} ${why}` });
    index = last;
  }
  return doubts;
}

/** Node leaves a carriage return out wherever it stands, and so makes one line of two. */
function loneReturns(text: string): LineInDoubt[] {
  const at = text.search(/\r(?=[^\r\n])/);
  if (at === -1) return [];
  const before = text.slice(0, at).split('\n');
  const name = SETS.exec(before.at(-1) ?? '')?.[1];
  const why =
    'ends with a carriage return alone, so the next line was read as part of it; save with line feeds.';
  return [{ line: before.length, why, ...(name !== undefined && { name }) }];
}

function whyPassedOver(written: string): Pick<LineInDoubt, 'name' | 'why'> {
  const visible = written.replace(/[^\P{C}\t]|(?! )\p{Zs}/gu, '');
  const name = SETS.exec(visible)?.[1];
  if (name !== undefined)
    return { name, why: `an invisible character stands at ${name}; type the line again by hand.` };
  const colon = SETS_BY_COLON.exec(visible)?.[1];
  if (colon !== undefined)
    return { name: colon, why: `${colon} is followed by a colon; write ${colon}=, and the value behind it.` };
  return { why: 'it is neither empty, nor a comment, nor NAME=value; write it so, or put a # before it.' };
}

/** The line that a value ends in, and what of it Node leaves out. */
function endOfValue(
  lines: readonly string[],
  index: number,
  value: string,
): { readonly last: number; readonly why?: string } {
  const quote = /^\s*(["'`])/.exec(value)?.[1];
  if (quote === undefined) return { last: index, ...(isCutShort(value) && { why: CUT_SHORT }) };
  const behind = value.slice(value.indexOf(quote) + 1);
  const last = behind.includes(quote)
    ? index
    : lines.findIndex((line, at) => at > index && line.includes(quote));
  if (last === -1)
    return { last: index, why: 'has a quotation mark that is not closed; close or remove it.' };
  const swallowed = lines.slice(index + 1, last + 1).some((line) => LOOKS_LIKE_SETTING.test(line));
  if (swallowed)
    return {
      last,
      why: `has a quotation mark that line ${last + 1} closes, and what is set between is lost.`,
    };
  const end = last === index ? behind : (lines[last] ?? '');
  const rest = end.slice(end.indexOf(quote) + 1).trim();
  if (rest === '' || rest.startsWith('#')) return { last };
  return {
    last,
    why: 'goes on behind the closing quotation mark, and that is left out; quote all or nothing.',
  };
}

const CUT_SHORT = 'has a # in it, where Node ends the value; put the value in quotes.';

/** Whether a # is part of what was meant: a comment has a blank before it, or at least behind it where nothing else is. */
function isCutShort(value: string): boolean {
  const at = value.indexOf('#');
  if (at === -1) return false;
  return at === 0 ? /^#\S/.test(value) : !/\s/.test(value.charAt(at - 1));
}

/** How a line begins that sets a variable of several words; no base64 has an underscore before an equals sign. */
export const LOOKS_LIKE_SETTING = /^\s*(?:export\s+)?[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\s*[=:]/;

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
