import { existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, resolve } from 'node:path';

// Run while an image is built, where nothing else of the project is installed: it imports Node's own parts only.
//   node scripts/deploy/strip.ts <folder>

/** What a receiver in production consists of. */
const PARTS = ['src/main.ts', 'src/app', 'src/kit'];

/** A text in quotes that may name a file beside the one it stands in. */
const QUOTED = /(['"])(\.{0,2}[\w./-]*)\.ts\1/g;

/**
 * Writes the receiver into a folder with its types taken out: blanks stand where they stood, and names of files are as long as
 * before, so that `x.js:12:5` in a stack is line 12 of `x.ts`, which is put beside it.
 * @returns how many files lost their types @throws if one imports what does not come along
 */
export function stripInto(root: string, folder: string): number {
  const files = PARTS.flatMap((part) => filesIn(root, part)).filter((file) => !/\.(md|d\.ts)$/.test(file));
  const kept = new Set(files.map((file) => resolve(root, file)));
  for (const file of files) {
    const bytes = readFileSync(join(root, file));
    write(join(folder, file), bytes);
    if (file.endsWith('.ts'))
      write(asJs(join(folder, file)), strip(bytes.toString(), join(root, file), kept));
  }
  return files.filter((file) => file.endsWith('.ts')).length;
}

function filesIn(root: string, part: string): readonly string[] {
  if (!statSync(join(root, part)).isDirectory()) return [part];
  return globSync(`${part}/**/*`, { cwd: root }).filter((file) => statSync(join(root, file)).isFile());
}

function strip(text: string, path: string, kept: ReadonlySet<string>): string {
  return stripTypeScriptTypes(text).replace(QUOTED, (whole, quote: string, name: string) => {
    const target = resolve(dirname(path), `${name}.ts`);
    if (!existsSync(target)) return whole;
    if (!kept.has(target))
      throw new Error(`${path} needs ${name}.ts, and only ${PARTS.join(', ')} run in production.`);
    return `${quote}${name}.js${quote}`;
  });
}

function asJs(file: string): string {
  return file.replace(/\.ts$/, '.js');
}

function write(file: string, content: string | Buffer): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

if (import.meta.main) {
  const folder = process.argv[2] ?? '';
  if (folder === '') throw new Error('node scripts/deploy/strip.ts <folder>');
  console.log(`${stripInto('.', folder)} files without types in ${folder}`);
}
