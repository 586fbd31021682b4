import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { upperSnake } from '../../src/kit/endpoints.ts';
import { UsageError } from '../../src/lab/usage.ts';
import type { Source } from '../../src/kit/source.ts';
import { applyEdits, entryBefore, formatted, lineBehind, type Edit } from './edit.ts';
import { checkSourceName, constantOf, titleOf } from './names.ts';
import { fillIn, type Words } from './template.ts';
import type { Stamped } from './stamped.ts';

const SOURCES = 'src/kit/sources/index.ts';
const HANDLERS = 'src/example/handlers/index.ts';

/**
 * A new source: data sheet, catalogue, handlers and test, and its place in the two lists.
 * @throws UsageError, with nothing written
 */
export async function stampSource(root: string, name: string, sources: readonly Source[]): Promise<Stamped> {
  checkSourceName(name, sources, codeAround(root));
  const constant = constantOf(name);
  const words = { name, constant, Title: titleOf(name) };
  const files = filesOf(name);
  refuseExisting(root, Object.keys(files));
  for (const [file, template] of Object.entries(files)) await writeStamped(root, file, template, words);
  const left = await applyEdits(root, [sourcesEdit(name, constant), handlersEdit(name, constant)]);
  return { files: [...Object.keys(files), SOURCES, HANDLERS], left, next: nextSteps(name) };
}

/** Files to write, and the template of each. */
function filesOf(name: string): Record<string, string> {
  return {
    [`src/kit/sources/${name}/index.ts`]: 'source/index.ts',
    [`src/kit/sources/${name}/events.ts`]: 'source/events.ts',
    [`src/example/handlers/${name}.ts`]: 'source/handlers.ts',
    [`test/kit/sources/${name}.test.ts`]: 'source/test.ts',
  };
}

/** All code in which the name will be a constant. */
function codeAround(root: string): string[] {
  const templates = Object.values(filesOf('')).map((template) => `templates/${template}.tpl`);
  return [...templates, SOURCES, HANDLERS].map((file) => readFileSync(join(root, file), 'utf8'));
}

function refuseExisting(root: string, files: readonly string[]): void {
  const existing = files.find((file) => existsSync(join(root, file)));
  if (existing !== undefined) throw new UsageError(`${existing} exists already.`);
}

async function writeStamped(root: string, file: string, template: string, words: Words): Promise<void> {
  const path = join(root, file);
  const text = await formatted(path, fillIn(root, template, words));
  if (text === undefined) throw new Error(`templates/${template}.tpl is not TypeScript.`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function sourcesEdit(name: string, constant: string): Edit {
  const line = `import { ${constant} } from './${name}/index.ts';`;
  const list = /^(export const sources = \[[^\]]*?),?\s*(\] as const;)$/m;
  return {
    file: SOURCES,
    change: (text) =>
      list.test(text)
        ? lineBehind(text, /^import .* from '\.\/[a-z0-9-]+\/index\.ts';$/, line)?.replace(
            list,
            `$1, ${constant}$2`,
          )
        : undefined,
    byHand: `${line}\nand ${constant} in the list \`sources\``,
  };
}

function handlersEdit(name: string, constant: string): Edit {
  const line = `import { ${constant}Handlers } from './${name}.ts';`;
  const entry = `'${name}': ${constant}Handlers(),`;
  const object = { opening: /^ {2}return \{$/, closing: /^ {2}\};$/ };
  return {
    file: HANDLERS,
    change: (text) => {
      const imported = lineBehind(text, /^import \{ \w+Handlers \} from '\.\/.*\.ts';$/, line);
      return imported && entryBefore(imported, object, entry);
    },
    byHand: `${line}\nand ${entry} in what \`createHandlers\` returns`,
  };
}

function nextSteps(name: string): string[] {
  const sheet = `src/kit/sources/${name}/index.ts`;
  return [
    `witness: put a request that the sender itself has made into test/kit/sources/${name}.test.ts`,
    `proof: where its signature stands and how it is written, in ${sheet}; a new scheme is a file in src/kit/proofs`,
    `envelope: where id, type and payload stand, in ${sheet}`,
    `events: src/kit/sources/${name}/events.ts and src/example/handlers/${name}.ts; npm run new -- event ${name} <event.type> adds to both`,
    `reply: what the sender takes for success, in ${sheet}`,
    'npm run docs brings README and templates/env.example up to date; npm run check tells whether all agrees',
    `set ${upperSnake(name)}_SECRET, npm start, and npm run send -- ${name} example.created`,
  ];
}
