import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown, type Plugin } from 'rolldown';
import { z } from 'zod';
import { projectFile } from '../../src/lab/rig/program.ts';
import { UsageError } from '../../src/lab/usage.ts';

/** Writes the suite as one file that runs on any Node since 20, with nothing beside it. @throws UsageError */
export async function writeBundle(file: string): Promise<void> {
  if (!file.endsWith('.mjs'))
    throw new UsageError('--bundle: expected a name that ends in .mjs, as conform.mjs.');
  const build = await rolldown({
    cwd: projectFile(''),
    input: join(import.meta.dirname, 'alone.ts'),
    platform: 'node',
    treeshake: { moduleSideEffects: isForOlderNode },
    transform: { target: 'node20' },
    plugins: [forOlderNode, withoutCalls],
    onLog(level, log) {
      // Something that is not in the file would be missed at run time only.
      if (level === 'warn') throw new Error(log.message);
    },
  });
  const { output } = await build.generate({ format: 'esm', codeSplitting: false });
  const [{ code, modules }] = output;
  writeFileSync(file, `#!/usr/bin/env node\n/*\n${licencesOf(Object.keys(modules))}\n*/\n${code}`);
  chmodSync(file, 0o755);
}

/** Has what Node has had only since some 20.x or later, from Node itself where it can. */
const OLDER = join(import.meta.dirname, 'node-20');

function isForOlderNode(file: string): boolean {
  return file.startsWith(OLDER);
}

const forOlderNode: Plugin = {
  name: 'for older Node',
  resolveId(name, importer = '') {
    const [, module = ''] = /^node:(crypto|util)$/.exec(name) ?? [];
    return module === '' || isForOlderNode(importer) ? null : join(OLDER, `${module}.ts`);
  },
};

/** The suite calls no API of a sender: what would is half of all that the sources bring along. */
const withoutCalls: Plugin = {
  name: 'without calls',
  resolveId: (name) => (name === 'undici' ? name : null),
  load: (id) =>
    id === 'undici' ? 'export const Agent = null, ProxyAgent = null, buildConnector = null;' : null,
};

const packageJson = z.object({ name: z.string(), version: z.string() });

/** Of the kit, and of each package that something was taken from. */
function licencesOf(modules: readonly string[]): string {
  const folders = modules.flatMap(
    (id) => /^.*node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id)?.[0] ?? [],
  );
  return [projectFile(''), ...new Set(folders)].map(licenceIn).join('\n\n');
}

function licenceIn(folder: string): string {
  const { name, version } = packageJson.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined) throw new Error(`${name} has no file with its licence.`);
  return `${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}`;
}
