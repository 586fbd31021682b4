import { readFileSync } from 'node:fs';
import { projectFile, startProgram, type ProgramProcess } from '../../src/lab/rig/program.ts';

export type { ProgramProcess as ReceiverProcess } from '../../src/lab/rig/program.ts';

export interface ProcessOptions {
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Where it runs: its `.env` and `data` are there. */
  readonly folder: string;
  /** A program in place of the reference receiver. */
  readonly main?: string | undefined;
}

const EXAMPLE = projectFile('src/example/main.ts');

/** The receiver as the process that `npm start` makes of it. */
export function startProcess({ env, folder, main = EXAMPLE }: ProcessOptions): ProgramProcess {
  return startProgram({
    main,
    folder,
    nodeArguments: argumentsOfStart(),
    env: { ADMIN_PORT: 'off', ...env },
  });
}

/** What `npm start` gives to Node before the program. */
function argumentsOfStart(): string[] {
  // package.json is ours.
  const { scripts } = JSON.parse(readFileSync(projectFile('package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  return scripts.start
    .replace(/^exec node /, '')
    .split(' ')
    .slice(0, -1);
}
