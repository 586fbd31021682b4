import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { z } from 'zod';
import { UsageError } from '../src/lab/usage.ts';
import { sources } from '../src/kit/sources/index.ts';
import { runCommand } from '../src/lab/command.ts';
import { commands } from './docs/commands.ts';
import { envExample } from './docs/env-example.ts';
import { staleSections, withSections } from './docs/readme.ts';
import { sectionsFor } from './docs/sections.ts';

const USAGE = `Writes what can be computed: the tables of README.md between <!-- generated:… --> and <!-- /generated -->, and
templates/env.example.

  npm run docs -- [--check]

  --check  writes nothing; exit code 1 when something is out of date, and says what
`;

const root = join(import.meta.dirname, '..');
const README = join(root, 'README.md');
const ENV_EXAMPLE = join(root, 'templates', 'env.example');

const packageJson = z.object({ scripts: z.record(z.string(), z.string()) });

await runCommand(async (args) => {
  const { values } = parseArgs({
    args,
    options: { check: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  checkCommands();
  const page = readFileSync(README, 'utf8');
  const fresh = { page: await freshReadme(page), env: envExample(sources) };
  if (values.check) return check(page, fresh);
  writeFileSync(README, fresh.page);
  writeFileSync(ENV_EXAMPLE, fresh.env);
  return 0;
});

async function freshReadme(page: string): Promise<string> {
  const filled = withSections(page, sectionsFor(sources));
  return format(filled, { ...(await resolveConfig(README)), filepath: README });
}

function check(page: string, fresh: { readonly page: string; readonly env: string }): number {
  const stale = staleSections(page, fresh.page).map((name) => `README.md, section ${name}`);
  if (readOrEmpty(ENV_EXAMPLE) !== fresh.env) stale.push('templates/env.example');
  if (stale.length === 0) return 0;
  console.error(`Out of date: ${stale.join('; ')}. Run "npm run docs".`);
  return 1;
}

/** Every command is described, and nothing else is. */
function checkCommands(): void {
  const { scripts } = packageJson.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  const existing = Object.keys(scripts).filter((name) => name !== 'postinstall');
  const described = Object.keys(commands);
  const wrong = [
    ...existing.filter((name) => !(name in commands)),
    ...described.filter((name) => !(name in scripts)),
  ];
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
