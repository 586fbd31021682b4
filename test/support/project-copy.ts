import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The project's text in a folder of its own, for tests that change it. */
export interface ProjectCopy {
  readonly root: string;
  read(file: string): string;
  write(file: string, text: string): void;
  /** Changes a part of a file that must be there. */
  replace(file: string, part: string | RegExp, by: string): void;
  /** Runs a program with Node in the copy; never rejects for its exit code. */
  node(...args: string[]): Promise<Ran>;
  /** Compiles the copy as `npm run check` does. */
  tsc(): Promise<Ran>;
  remove(): void;
}

export interface Ran {
  readonly code: number;
  /** Both streams. */
  readonly output: string;
}

const project = join(import.meta.dirname, '..', '..');
const parts = [
  'src',
  'scripts',
  'templates',
  'test/support',
  'test/villains',
  'README.md',
  'package.json',
  'tsconfig.json',
  'jest.config.mjs',
  '.prettierrc.json',
];

export function copyProject(): ProjectCopy {
  const root = mkdtempSync(join(tmpdir(), 'advance-receiver-kit-'));
  for (const part of parts) cpSync(join(project, part), join(root, part), { recursive: true });
  symlinkSync(join(project, 'node_modules'), join(root, 'node_modules'), 'junction');
  const read = (file: string) => readFileSync(join(root, file), 'utf8');
  const write = (file: string, text: string) => writeFileSync(join(root, file), text);
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
    tsc: () => run(root, ['node_modules/typescript/bin/tsc', '--pretty', 'false']),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

function run(cwd: string, args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { cwd, maxBuffer: 16 * 1024 * 1024 }, (_, out, err) => {
      // A number once the program has ended; null when it was killed.
      resolve({ code: child.exitCode ?? -1, output: out + err });
    });
  });
}
