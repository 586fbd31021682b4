import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readOptions, runCommand } from '../../src/lab/command.ts';
import { copyProject, whole } from '../support/project-copy.ts';
import { putOwnApp } from './put-in.ts';

const USAGE = `Puts an app of one's own (test/own-app: one product, a source, a setting and a package of its own) in place of
src/app in a copy of the project, and runs all of "npm run check" there: nothing of the kit may depend on what is in
src/app and test/app.

  npm run prove -- own-app

Exit code: that of npm run check.`;

await runCommand(async (args) => {
  readOptions({ args, options: {} });
  const copy = copyProject(whole);
  process.once('exit', () => {
    copy.remove();
  });
  putOwnApp(copy);
  const check = spawn('npm', ['run', 'check'], {
    cwd: copy.root,
    stdio: 'inherit',
    shell: process.platform === 'win32', // npm is a batch file there
  });
  const [code] = (await once(check, 'close')) as [number | null]; // as Node documents the event
  return code ?? 1;
}, USAGE);
