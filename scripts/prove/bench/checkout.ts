import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../../src/lab/usage.ts';
import { projectFile } from '../../../src/lab/rig/program.ts';

/** A version of the project from its git history, with its packages, in a folder that did not exist. @throws UsageError */
export function checkOut(revision: string, folder: string): void {
  const project = projectFile('');
  const git = (...args: readonly string[]) =>
    spawnSync('git', ['-C', project, ...args], { encoding: 'utf8' });
  const commit = git(
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${revision}^{commit}`,
  ).stdout.trim();
  if (!commit)
    throw new UsageError(`--compare: ${revision} is no version in the git history of this folder.`);
  const cloned = spawnSync('git', ['clone', '--quiet', '--no-checkout', project, folder], {
    encoding: 'utf8',
  });
  const checked = spawnSync('git', ['-C', folder, 'checkout', '--quiet', commit], { encoding: 'utf8' });
  if (checked.status !== 0)
    throw new Error(`git could not check out ${revision}:\n${cloned.stderr}${checked.stderr}`);
  // What is measured is the kit, whichever bench it came with.
  const held = 'scripts/prove/bench/contestants/held.ts';
  if (existsSync(join(folder, held))) copyFileSync(join(project, held), join(folder, held));
  const lockfile = (root: string) => readFileSync(join(root, 'package-lock.json'), 'utf8');
  if (lockfile(folder) === lockfile(project)) {
    symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
    return;
  }
  execFileSync('npm', ['ci', '--omit=optional', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'ignore' });
}
