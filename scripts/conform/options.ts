import type { ParseArgsConfig } from 'node:util';
import { UsageError } from '../../src/lab/usage.ts';
import { readOptions } from '../../src/lab/command.ts';
import { quoted } from '../../src/lab/conformance/resend.ts';

/** What can be said on the command line. */
const options = {
  url: { type: 'string' },
  source: { type: 'string', multiple: true, default: [] },
  endpoint: { type: 'string', multiple: true, default: [] },
  secrets: { type: 'string' },
  switch: { type: 'string', multiple: true, default: [] },
  accepts: { type: 'string', multiple: true, default: [] },
  'max-body': { type: 'string', multiple: true, default: [] },
  level: { type: 'string' },
  grade: { type: 'string' },
  only: { type: 'string', multiple: true, default: [] },
  skip: { type: 'string', multiple: true, default: [] },
  case: { type: 'string', multiple: true, default: [] },
  exhausting: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  parallel: { type: 'string' },
  seed: { type: 'string' },
  rate: { type: 'string' },
  'max-failures': { type: 'string' },
  patience: { type: 'string' },
  waivers: { type: 'string' },
  report: { type: 'string', multiple: true, default: [] },
  keep: { type: 'string' },
  probe: { type: 'string' },
  restart: { type: 'string' },
  terminate: { type: 'string' },
  health: { type: 'string' },
  ca: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
  'i-own-this-target': { type: 'boolean', default: false },
  kit: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const satisfies ParseArgsConfig['options'];

export type Values = ReturnType<typeof read>['values'];

export interface CommandLine {
  readonly values: Values;
  /** The command line that makes a part of this run again. */
  again(part: string, seed: number): string;
}

/** @throws UsageError, or the error of Node's parser that says what is wrong */
export function readCommandLine(args: readonly string[]): CommandLine {
  refuseSecrets(args);
  const { values, tokens } = read(args);
  const kept = tokens.flatMap((token) => {
    if (token.kind !== 'option' || CHOOSING.has(token.name)) return [];
    return [`--${token.name}`, ...(token.value === undefined ? [] : [quoted(token.value)])];
  });
  return {
    values,
    again: (part, seed) => ['npm run conform --', ...kept, `--seed ${seed}`, part].join(' '),
  };
}

function read(args: readonly string[]) {
  return readOptions({ args: [...args], options, tokens: true });
}

/** What chooses among the cases, or concerns the run as a whole. */
const CHOOSING = new Set(['only', 'skip', 'case', 'seed', 'report', 'max-failures', 'keep']);

const SECRET_OPTION = /^(?!--secrets(?:=|$))-[\w-]*(?:secret|token|passw|passphrase|credential|api-?key)/i;
const SECRET_ASSIGNED = /^[A-Z][A-Z0-9_]*_(?:SECRET|TOKEN|PASSWORD|KEY)=/;

/** Other users of a machine see its command lines, and shells keep them. */
export function refuseSecrets(args: readonly string[]): void {
  if (!args.some((arg) => SECRET_OPTION.test(arg) || SECRET_ASSIGNED.test(arg))) return;
  throw new UsageError(
    'A secret does not belong on a command line, where other users of the machine and the history of the shell see it. ' +
      'Set the variable that a receiver would read, such as RISR_USER_REGISTERED_SECRET, in .env or in the environment, ' +
      'or put such lines into a file for --secrets.',
  );
}
