import { execFile } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Environment } from '../../src/kit/program/reader.ts';
import { compiled, startProgram, type ProgramProcess } from '../../src/lab/rig/program.ts';

/** The project's text in a folder of its own, for tests that change it. */
export interface ProjectCopy {
  readonly root: string;
  read(file: string): string;
  write(file: string, text: string): void;
  /** Changes a part of a file that must be there. */
  replace(file: string, part: string | RegExp, by: string): void;
  /** Runs a program with Node in the copy; never rejects for its exit code. */
  node(...args: string[]): Promise<Ran>;
  /** `npm run <name> -- <args>`, without npm. */
  command(name: string, ...args: string[]): Promise<Ran>;
  /** `npm start`, with this as its whole environment. */
  start(env: Environment, ...nodeArguments: string[]): ProgramProcess;
  /** Compiles the copy's app with all that it imports, or what a settings file in it includes. */
  tsc(settings?: string): Promise<Ran>;
  /** Lints files of the copy's app, or of what it imports. */
  lint(...files: string[]): Promise<Ran>;
  remove(): void;
}

export interface Ran {
  readonly code: number;
  /** Both streams. */
  readonly output: string;
}

const project = join(import.meta.dirname, '..', '..');
/** What most tests need; the other tests would only have to be compiled. */
const usual = [
  'src',
  'scripts',
  'templates',
  'test/app',
  'test/support',
  'test/villains',
  'README.md',
  'package.json',
  'tsconfig.json',
  'jest.config.mjs',
  'eslint.config.mjs',
  '.prettierignore',
  '.prettierrc.json',
];
const notOfTheProject = ['node_modules', '.git', 'data', 'coverage', '.env'];

/** Everything that a clone has. */
export const whole: readonly string[] = readdirSync(project).filter(
  (part) => !notOfTheProject.includes(part),
);

/** What an app is compiled with: all that it imports, and not the rest of the project, which takes three times as long. */
const APP_SETTINGS = 'tsconfig.app.json';
const appSettings = {
  extends: './tsconfig.json',
  include: ['src/app', 'src/main.ts', 'src/example', 'test/app', 'src/kit/**/*.d.ts'],
};

/** Types are all that a linter needs of the other files, and these settings know the fewest. */
const LINTER = [
  'node_modules/eslint/bin/eslint.js',
  ...['projectService:false', `project:${APP_SETTINGS}`].flatMap((option) => ['--parser-options', option]),
];

export function copyProject(parts: readonly string[] = usual): ProjectCopy {
  const folder = mkdtempSync(join(tmpdir(), 'advance-receiver-kit-'));
  const root = join(folder, 'project');
  mkdirSync(root);
  linkCompiled(folder);
  for (const part of parts) cpSync(join(project, part), join(root, part), { recursive: true });
  writeFileSync(join(root, APP_SETTINGS), JSON.stringify(appSettings));
  symlinkSync(join(project, 'node_modules'), join(root, 'node_modules'), 'junction');
  const read = (file: string) => readFileSync(join(root, file), 'utf8');
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  /** What a command of package.json gives to Node. */
  const command = (name: string) => {
    // package.json is ours.
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> };
    return scripts[name]?.replace(/^(exec )?node /, '').split(' ') ?? [];
  };
  return {
    root,
    read,
    write,
    replace: (file, part, by) => {
      const changed = read(file).replace(part, by);
      if (changed === read(file)) throw new Error(`${file} has no ${String(part)}`);
      write(file, changed);
    },
    node: (...args) => run(root, args),
    command: (name, ...args) => run(root, [...command(name), ...args]),
    start: (env, ...nodeArguments) => {
      const own = command('start');
      const main = own.pop() ?? '';
      return startProgram({ main, env, folder: root, nodeArguments: [...nodeArguments, ...own] });
    },
    tsc: (settings = APP_SETTINGS) => compile(root, settings),
    lint: (...files) => run(root, [...LINTER, ...files]),
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Beside the copy, as seen from whose folder Node keeps what it has compiled: all copies share it. */
const COMPILED = 'compiled';

function linkCompiled(folder: string): void {
  mkdirSync(compiled.NODE_COMPILE_CACHE, { recursive: true });
  symlinkSync(compiled.NODE_COMPILE_CACHE, join(folder, COMPILED), 'junction');
}

/** Checks again only what is different from what any copy has compiled by these settings without an error. */
async function compile(root: string, settings: string): Promise<Ran> {
  const kept = join(compiled.NODE_COMPILE_CACHE, `${settings}.buildinfo`);
  const own = join(root, '..', `${settings}.buildinfo`);
  if (!existsSync(own) && existsSync(kept)) copyFileSync(kept, own);
  const incremental = ['--incremental', '--tsBuildInfoFile', own];
  const program = 'node_modules/typescript/bin/tsc';
  const ran = await run(root, [program, '--pretty', 'false', '--project', settings, ...incremental]);
  if (ran.code !== 0) return ran;
  // By another name first: others may read it now.
  const whole = `${kept}-${process.pid}`;
  copyFileSync(own, whole);
  renameSync(whole, kept);
  return ran;
}

function run(cwd: string, args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...compiled, NODE_COMPILE_CACHE: join(cwd, '..', COMPILED) };
    const child = execFile(
      process.execPath,
      args,
      { cwd, env, maxBuffer: 16 * 1024 * 1024 },
      (_, out, err) => {
        // A number once the program has ended; null when it was killed.
        resolve({ code: child.exitCode ?? -1, output: out + err });
      },
    );
  });
}
