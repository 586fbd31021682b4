import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Answer } from './exchange.ts';

const htmx = createRequire(import.meta.url).resolve('htmx.org');
const packaged = (name: string) => htmx.replace(/htmx\.js$/, name);
const own = (name: string) => new URL(`assets/${name}`, import.meta.url);

const FILES: ReadonlyMap<string, readonly [file: string | URL, type: string]> = new Map([
  ['htmx.js', [packaged('htmx.min.js'), 'text/javascript; charset=utf-8']],
  ['sse.js', [packaged('ext/hx-sse.min.js'), 'text/javascript; charset=utf-8']],
  ['upsert.js', [packaged('ext/hx-upsert.min.js'), 'text/javascript; charset=utf-8']],
  ['console.js', [own('console.js'), 'text/javascript; charset=utf-8']],
  ['console.css', [own('console.css'), 'text/css; charset=utf-8']],
  ['icon.svg', [own('icon.svg'), 'image/svg+xml']],
]);

const read = new Map<string, Answer>();

/** A file of the pages, those of packages as they are installed; `undefined`: there is none of this name. */
export function assetOf(name: string): Answer | undefined {
  const file = FILES.get(name);
  if (file === undefined) return undefined;
  const headers = { 'Cache-Control': 'private, max-age=300' };
  const answer = read.get(name) ?? { status: 200, type: file[1], body: readFileSync(file[0]), headers };
  read.set(name, answer);
  return answer;
}
