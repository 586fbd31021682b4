import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const kit = join(import.meta.dirname, '..', '..', 'src', 'kit');

/** So many run for a delivery. */
export const MOST_FILES = 30;

/** The files that the page names in its list of all that a delivery executes. */
export function filesNamed(): ReadonlySet<string> {
  const page = readFileSync(join(kit, 'README.md'), 'utf8');
  const [, way = ''] = /## The way of a delivery\n([^]*?)\n## /.exec(page) ?? [];
  return new Set([...way.matchAll(/\]\(([\w./-]+\.ts)\)/g)].map(([, file = '']) => file));
}

export function unnamed(files: readonly string[]): readonly string[] {
  const named = filesNamed();
  return files.filter((file) => !named.has(file));
}
