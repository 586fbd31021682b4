import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { compiled } from '../../src/lab/rig/program.ts';
import { root, type Ended } from './command.ts';

/** A command as `scripts/<script>.ts` gets it. */
export interface CommandLine {
  readonly script: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** Runs a script to its end. */
export type Run = (
  script: string,
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
  cwd?: string,
) => Promise<Ended>;

/**
 * What `runScript` does, in a process that runs one command after the other until the tests of the file are over: most of
 * the time of a short command is its start. Where the process itself is tested, as with signals or pipes that are closed,
 * `runScript` is right.
 */
export const runHere = inOneProcess(() => root, 'scripts');

/** The same of another checkout; `again` is the folder whose text may change meanwhile, all of it unless given. */
export function inOneProcess(project: () => string, again = ''): Run {
  let child: ChildProcess | undefined;
  let last: Promise<unknown> = Promise.resolve();
  afterAll(async () => {
    if (child === undefined) return;
    child.disconnect();
    await once(child, 'exit');
  });

  async function run(line: CommandLine): Promise<Ended> {
    child ??= fork(join(import.meta.dirname, 'child-commands.ts'), [project(), again], { env: compiled });
    const gone = new AbortController();
    child.once('exit', () => gone.abort());
    child.send(line);
    const [ended] = (await once(child, 'message', gone)) as [Ended]; // as child-commands.ts sends it
    return ended;
  }

  return (script, args, env = {}, cwd = project()) => {
    const line = { script, args, env: { KIT_APP: 'src/example', ...env }, cwd };
    const ended = last.then(() => run(line));
    last = ended;
    return ended;
  };
}
