import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../src/lab/usage.ts';
import { sources } from '../src/kit/sources/index.ts';
import { readOptions, runCommand } from '../src/lab/command.ts';
import { commands } from './docs/commands.ts';
import { envExample } from './docs/env-example.ts';
import { staleSections, withSections, type Page } from './docs/pages.ts';
import { sectionsFor } from './docs/sections.ts';

const USAGE = `Writes what can be computed: in every README.md what stands between <!-- generated:… --> and <!-- /generated -->, and
templates/env.example.

  npm run docs -- [--check]

  --check  writes nothing; exit code 1 when something is out of date, and says what
`;

const root = join(import.meta.dirname, '..');
const ENV_EXAMPLE = join(root, 'templates', 'env.example');

const packageJson = z.object({ scripts: z.record(z.string(), z.string()) });

await runCommand(async (args) => {
  const { values } = readOptions({
    args,
    options: { check: { type: 'boolean', default: false } },
  });
  checkCommands();
  const pages = readPages();
  const fresh = { pages: withSections(pages, sectionsFor(sources)), env: envExample(sources) };
  if (values.check) return check(pages, fresh);
  for (const { file, text } of fresh.pages) writeFileSync(join(root, file), text);
  writeFileSync(ENV_EXAMPLE, fresh.env);
  return 0;
}, USAGE);

function readPages(): Page[] {
  const files = globSync(['README.md', '{src,scripts,templates,test}/**/README.md'], { cwd: root }).sort();
  return files.map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
}

function check(
  pages: readonly Page[],
  fresh: { readonly pages: readonly Page[]; readonly env: string },
): number {
  const stale = staleSections(pages, fresh.pages);
  if (readOrEmpty(ENV_EXAMPLE) !== fresh.env) stale.push('templates/env.example');
  if (stale.length === 0) return 0;
  console.error(`Out of date: ${stale.join('; ')}. Run "npm run docs".`);
  return 1;
}

/** Every command is described, and nothing else is. */
function checkCommands(): void {
  const { scripts } = packageJson.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  const existing = new Set(Object.keys(scripts).filter((name) => name !== 'postinstall'));
  const described = new Set(Object.values(commands).flatMap((group) => Object.keys(group)));
  const wrong = [...existing.symmetricDifference(described)];
  if (wrong.length > 0)
    throw new UsageError(`scripts/docs/commands.ts and package.json differ: ${wrong.join(', ')}.`);
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
