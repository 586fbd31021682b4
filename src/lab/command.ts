import { parseArgs, type ParseArgsConfig } from 'node:util';
import { CallFailed, CallRefused } from '../kit/outgoing/errors.ts';
import { ReplyUnexpected } from '../kit/outgoing/read-reply.ts';
import type { Environment } from '../kit/program/reader.ts';
import { variablesOf } from '../kit/program/text-file.ts';
import { printable } from './printable.ts';
import { pick, UsageError } from './usage.ts';

/** The environment and `.env`, read as the receiver reads them; `file` in place of those that Node was told to read. */
export function commandEnvironment(file?: string): Environment {
  const execArgv = file === undefined ? process.execArgv : [`--env-file-if-exists=${file}`];
  const { env, warnings, doubts } = variablesOf({ execArgv, env: process.env }).read();
  warn([...warnings, ...doubts.map(({ text }) => text)]);
  return env;
}

/** To standard error: what a command prints is for whoever reads it further. */
export function warn(warnings: readonly string[]): void {
  for (const warning of warnings) console.error(`Warning: ${warning}`);
}

/**
 * Runs a command line to its exit code. Where there is `usage`, `--help` prints it. What was asked wrongly ends with 2 and in
 * words, what an API did not do for it with 1; anything else that is thrown is a defect and keeps its stack.
 */
export async function runCommand(main: (args: string[]) => Promise<number>, usage?: string): Promise<void> {
  process.stdout.on('error', ignoreClosedPipe);
  process.on('SIGHUP', endAsOnTerm);
  const args = process.argv.slice(2);
  try {
    if (usage === undefined || !args.includes('--help')) process.exitCode = await main(args);
    else console.log(usage);
  } catch (error) {
    if (!(error instanceof UsageError) && !isOfApi(error)) throw error;
    console.error(printable(error.message));
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

function isOfApi(error: unknown): error is Error {
  return [CallFailed, CallRefused, ReplyUnexpected].some((kind) => error instanceof kind);
}

/** As shells say it of what the end of its terminal has ended. */
const HUNG_UP = 129;

/** Its terminal was closed. Node would end at once, and leave behind what is tidied up when it exits: folders, processes. */
function endAsOnTerm(): void {
  if (!process.emit('SIGTERM', 'SIGTERM')) process.exit(HUNG_UP);
}

/** Whoever reads the output may stop reading, as `head` does. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

/** What every command takes. */
const HELP = { help: { type: 'boolean' } } as const;

type Parsed<Config extends ParseArgsConfig> = ReturnType<typeof parseArgs<Config>>;

/**
 * Reads a command line as `parseArgs` of Node does, and refuses in the words of all commands what it cannot mean.
 * @throws UsageError
 */
export function readOptions<Config extends ParseArgsConfig>(config: Config): Parsed<Config> {
  const lenient = { ...config, strict: false, allowPositionals: true, tokens: true } as const;
  const options = Object.entries({ ...config.options, ...HELP }).map(
    ([name, { type }]) => [`--${name}`, type] as const,
  );
  const given = new Set<string>();
  for (const token of parseArgs(lenient).tokens ?? []) {
    if (token.kind === 'option') {
      checkOption(token, pick('option', token.rawName, options));
      // Of two values one would go unheard.
      if (given.has(token.name) && config.options?.[token.name]?.multiple !== true) {
        throw new UsageError(`${token.rawName} is there twice; it is taken once.`);
      }
      given.add(token.name);
    } else if (token.kind === 'positional' && config.allowPositionals !== true) {
      throw new UsageError(`Expected options only, and got ${JSON.stringify(token.value.slice(0, 80))}.`);
    }
  }
  return parseArgs(config);
}

interface OptionToken {
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function checkOption({ rawName, value, inlineValue }: OptionToken, type: 'string' | 'boolean'): void {
  if (type === 'boolean') {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value.`);
    return;
  }
  if (value === undefined) throw new UsageError(`${rawName} needs a value behind it.`);
  if (inlineValue !== true && /^-./.test(value)) {
    const name = value.split('=')[0]?.slice(0, 80) ?? '';
    throw new UsageError(
      `${rawName} needs a value, and ${name} follows it. A value that begins with a dash is written ${rawName}=-…`,
    );
  }
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

/** Resolves when Ctrl-C is pressed, or the process is asked to end. */
export async function untilStopped(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) {
      process.once(signal, () => resolve());
    }
  });
}
