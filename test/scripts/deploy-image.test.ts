import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { chmodSync, chownSync, cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { z } from 'zod';
import { stripInto } from '../../scripts/deploy/strip.ts';
import { sources } from '../../src/kit/sources/index.ts';
import { freePort } from '../../src/lab/rig/ports.ts';
import { projectFile, startProgram } from '../../src/lab/rig/program.ts';
import { secretsFor } from '../../src/lab/rig/secrets.ts';
import { later, newFolder } from '../support/fixtures.ts';
import { putFreshApp } from '../support/fresh-app.ts';
import { copyProject, type ProjectCopy } from '../support/project-copy.ts';
import { senderTo } from '../support/processes.ts';

// What the Dockerfile does, without an image: the same files, packages, user, entry point and health check.

const dockerfile = readFileSync(projectFile('templates/deploy/docker/Dockerfile'), 'utf8');
const UID = Number(/^USER (\d+)/m.exec(dockerfile)?.[1]);

/** The words of an instruction that is written as JSON. */
function wordsOf(instruction: string): readonly string[] {
  const [, words] = new RegExp(`^ *${instruction} (\\[.*\\])$`, 'm').exec(dockerfile) ?? [];
  return z.array(z.string()).parse(JSON.parse(words ?? ''));
}

const HANDLERS = 'src/app/handlers/risr.ts';
const THROWS =
  "profile_updated: (event: { readonly payload: unknown }): never => { throw new Error('on purpose'); }";

let copy: ProjectCopy;
beforeAll(() => {
  copy = copyProject(['src', 'package.json']);
  putFreshApp(copy);
  copy.replace(HANDLERS, 'profile_updated: notWritten', THROWS);
});
afterAll(() => copy.remove());

/** `npm ci --omit=dev --omit=optional`, from what is installed here. */
function copyPackages(folder: string): void {
  const entry = z.object({ dev: z.boolean(), optional: z.boolean(), devOptional: z.boolean() }).partial();
  const { packages } = z
    .object({ packages: z.record(z.string(), entry) })
    .parse(JSON.parse(readFileSync(projectFile('package-lock.json'), 'utf8')));
  for (const [path, { dev, optional, devOptional }] of Object.entries(packages))
    if (/^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && !(dev ?? optional ?? devOptional))
      cpSync(projectFile(path), join(folder, path), { recursive: true });
}

/** The root of an image, with `data` alone for its user; as another user than root where that can be tried. */
function buildImage(): { readonly folder: string; readonly under: readonly string[] } {
  const folder = newFolder();
  stripInto(copy.root, folder);
  copyPackages(folder);
  cpSync(projectFile('package.json'), join(folder, 'package.json'));
  mkdirSync(join(folder, 'data'));
  chmodSync(folder, 0o555);
  later(() => chmodSync(folder, 0o755));
  const as = ['setpriv', `--reuid=${UID}`, `--regid=${UID}`, '--clear-groups'] as const;
  if (spawnSync(as[0], [...as.slice(1), process.execPath, '--version'], { cwd: '/' }).status !== 0) {
    process.stderr.write(
      'NOT TESTED: the image as another user; this one may not become it, or it cannot reach Node.\n',
    );
    return { folder, under: [] };
  }
  chownSync(join(folder, 'data'), UID, UID);
  return { folder, under: as };
}

it('runs without types, as its user, in a root that it cannot write to', async () => {
  const { folder, under } = buildImage();
  expect(readFileSync(join(folder, 'src/main.js'), 'utf8')).toContain("'./kit/index.js'");
  const secretOf = (path: string) => hash('sha256', path);
  const [, main = ''] = wordsOf('ENTRYPOINT');
  const ports = { PORT: '0', ADMIN_PORT: String(await freePort()) };
  const env = { ...secretsFor({ sources }, secretOf), ...ports, NODE_COMPILE_CACHE: '' };
  const program = startProgram({ main, folder, under, env });
  later(() => program.kill());
  const sender = senderTo(await program.url(), secretOf);
  for (const source of sources)
    for (const type of Object.keys(source.events)) {
      const { status } = await sender.fire(source, type);
      expect([type, Math.floor(status / 100)]).toEqual([type, 2]);
    }
  expect(readdirSync(join(folder, 'data'))).toContain('inbox.db');

  // Of the file without types, and of the one beside it: the same line and column.
  const [, line = '', column = ''] =
    /risr\.js:(\d+):(\d+)/.exec(await program.said(/(risr\.js:\d+:\d+)/)) ?? [];
  const written = copy.read(HANDLERS).split('\n')[Number(line) - 1];
  expect(written?.slice(Number(column) - 1)).toMatch(/^new Error\('on purpose'\)/);
  expect(readFileSync(join(folder, HANDLERS), 'utf8')).toBe(copy.read(HANDLERS));

  const [, ...check] = wordsOf('CMD');
  const health = () => spawnSync(process.execPath, check, { env }).status;
  expect(health()).toBe(0);
  program.kill('SIGTERM');
  expect(await program.ended).toEqual({ code: 0, signal: null });
  expect(health()).toBe(1);
});

it('refuses an app that needs what does not come along', () => {
  const before = copy.read('src/app/index.ts');
  copy.write('src/app/index.ts', `import '../lab/usage.ts';\n${before}`);
  expect(() => stripInto(copy.root, newFolder())).toThrow(/src\/app\/index\.ts needs \.\.\/lab\/usage\.ts/);
  copy.write('src/app/index.ts', before);
});
