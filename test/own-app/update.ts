import { execFileSync } from 'node:child_process';
import { globSync, renameSync, rmSync, statSync } from 'node:fs';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { putFreshApp } from '../support/fresh-app.ts';
import { copyProject, whole, type ProjectCopy } from '../support/project-copy.ts';
import { addPackage, ownFiles, putOwnApp, takePackageOut } from './put-in.ts';

/** An integrator's clone of an older version, and today's at its remote `kit`. */
export interface Clone {
  /** The clone, as he has committed it on the branch `main`. */
  readonly copy: ProjectCopy;
  /** Runs git in it. @throws with what git said */
  git(...args: string[]): string;
  /** `git merge`; the files in conflict. */
  merge(version: string): string[];
  remove(): void;
}

export const OLDER = 'v0.1.9';
export const TODAY = 'v-today';

export function cloneOfOlder(): Clone {
  const kit = copyProject(whole);
  makeFresh(kit);
  makeOlder(kit);
  git(kit, 'init', '--quiet');
  commit(kit, 'The version that was cloned');
  git(kit, 'tag', OLDER);
  const today = copyProject(whole);
  makeFresh(today);
  git(kit, '--work-tree', today.root, 'add', ...ALL);
  git(kit, 'commit', '--quiet', '--message', 'The version of today');
  git(kit, 'tag', TODAY);
  today.remove();

  const copy = copyProject([]);
  git(copy, 'init', '--quiet', '--initial-branch', 'main');
  git(copy, 'remote', 'add', 'kit', kit.root);
  git(copy, 'fetch', '--quiet', '--tags', 'kit');
  git(copy, 'reset', '--quiet', '--hard', OLDER);
  work(copy);
  return {
    copy,
    git: (...args) => git(copy, ...args),
    merge: (version) => merge(copy, version),
    remove: () => {
      for (const each of [copy, kit]) each.remove();
    },
  };
}

/** What the integrator has done since he cloned it. */
function work(copy: ProjectCopy): void {
  addPackage(copy);
  commit(copy, 'Add the package');
  putOwnApp(copy);
  commit(copy, 'Write our app');
  copy.write(
    'src/app/README.md',
    `${ownFiles().get('src/app/README.md') ?? ''}\nAsk the office for secrets.\n`,
  );
  commit(copy, 'Say whom to ask');
}

function merge(copy: ProjectCopy, version: string): string[] {
  try {
    git(copy, 'merge', '--quiet', '--no-edit', version);
  } catch {
    // What is in conflict is told below.
  }
  return git(copy, 'diff', '--name-only', '--diff-filter', 'U').split('\n').filter(Boolean);
}

/** The kit as it is handed out, also where this project is an integrator's clone of it. */
function makeFresh(copy: ProjectCopy): void {
  putFreshApp(copy);
  takePackageOut(copy);
  rmSync(join(copy.root, 'test/app'), { recursive: true });
  copy.write('test/app/handlers.test.ts', "import { it } from '@jest/globals';\n\nit.todo('is yours');\n");
}

const RENAMED = { 'src/kit/step.ts': 'src/kit/steps.ts' };
/** Needed in a newer version today: far enough from the line of the integrator's own. */
const BUMPED = 'express';
const ADDED = ['src/kit/program/mount.ts', 'src/lab/testing.ts'];

/** Every file of the kit as it may have been before: today's has a line more, and one that is different. */
function makeOlder(copy: ProjectCopy): void {
  const files = globSync('**/*', { cwd: copy.root, exclude: ['node_modules', 'src/app', 'test/app'] });
  for (const file of files.filter((name) => statSync(join(copy.root, name)).isFile())) {
    if (!file.startsWith('package')) copy.write(file, older(copy.read(file)));
  }
  for (const [file, before] of Object.entries(RENAMED))
    renameSync(join(copy.root, file), join(copy.root, before));
  for (const file of ADDED) rmSync(join(copy.root, file));
  const before = (text: string) =>
    text
      .replaceAll(/("name": "advance-receiver-kit",\s+"version": )"[^"]+"/g, `$1"${OLDER.slice(1)}"`)
      .replaceAll(new RegExp(`("${BUMPED}": )"[^"]+"`, 'g'), '$1"0.9.0"')
      .replace(new RegExp(`("node_modules/${BUMPED}": \\{\\s+"version": )"[^"]+"`), '$1"0.9.0"');
  for (const file of ['package.json', 'package-lock.json']) copy.write(file, before(copy.read(file)));
  copy.replace('package.json', /\n {4}"prove": .*/, '');
  copy.replace('package.json', /,(\n {2}\},\n {2}"dependencies")/, '$1');
}

function older(text: string): string {
  const lines = text.split('\n');
  const third = Math.floor(lines.length / 3);
  return lines
    .map((line, index) => (index === third ? `${line} // before` : line))
    .filter((_, index) => index === 0 || index !== 2 * third)
    .join('\n');
}

/** A link to the packages is no folder of them, which is what git is told to ignore. */
const ALL = ['--all', '.', ':!node_modules'];

function commit(copy: ProjectCopy, message: string): void {
  git(copy, 'add', ...ALL);
  git(copy, 'commit', '--quiet', '--message', message);
}

function git({ root }: ProjectCopy, ...args: readonly string[]): string {
  // Whatever this machine's git is set to.
  const settings = { 'user.name': 'test', 'user.email': 'test@example.org', 'core.excludesFile': devNull };
  const given = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return execFileSync('git', [...given, ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, GIT_CONFIG_GLOBAL: devNull, GIT_CONFIG_NOSYSTEM: '1' },
  });
}
