import type { Environment } from '../kit/program/reader.ts';
import { variablesOf } from '../kit/program/text-file.ts';
import { UsageError } from './usage.ts';

/** The environment and `.env`, read as the receiver reads them. */
export function commandEnvironment(): Environment {
  const { env, warnings } = variablesOf(process).read();
  warn(warnings);
  return env;
}

/** To standard error: what a command prints is for whoever reads it further. */
export function warn(warnings: readonly string[]): void {
  for (const warning of warnings) console.error(`Warning: ${warning}`);
}

/**
 * Runs a command line to its exit code. What was asked wrongly ends with 2 and in words; anything else that is thrown is a
 * defect and keeps its stack.
 */
export async function runCommand(main: (args: string[]) => Promise<number>): Promise<void> {
  process.stdout.on('error', ignoreClosedPipe);
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    if (!isUsage(error)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}

/** Whoever reads the output may stop reading, as `head` does. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

function isUsage(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

/** The receiver to send to. @throws UsageError */
export function receiverUrl(text: string | undefined, port: string | undefined): URL {
  const url = URL.parse(text ?? `http://127.0.0.1:${port ?? '3000'}`);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError('--url: expected an address as http://127.0.0.1:3000');
  }
  if (url.search !== '') throw new UsageError('--url: expected no query; what belongs there is a --switch.');
  return url;
}

/** A whole number from a command line. @throws UsageError */
export function wholeNumber(name: string, text: string, { min, max }: { min: number; max: number }): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`${name}: expected a whole number from ${min} to ${max}.`);
}

/** Some of several words, with commas between them. @throws UsageError */
export function someOf<Word extends string>(name: string, text: string, words: readonly Word[]): Word[] {
  return text.split(',').map((part) => oneOf(name, part, words, 'some'));
}

/** One of several words. @throws UsageError */
export function oneOf<Word extends string>(
  name: string,
  text: string,
  words: readonly Word[],
  howMany: 'one' | 'some' = 'one',
): Word {
  const word = words.find((candidate) => candidate === text);
  if (word === undefined) throw new UsageError(`${name}: expected ${howMany} of ${words.join(', ')}.`);
  return word;
}

/** Resolves when Ctrl-C is pressed, or the process is asked to end. */
export async function untilStopped(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) {
      process.once(signal, () => resolve());
    }
  });
}
