import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { writeFirstHandler } from '../support/first-handler.ts';
import { copyProject, type ProjectCopy } from '../support/project-copy.ts';

let copy: ProjectCopy;
let output: string;

// Each mistake is in a file of its own, so one run of the compiler has to find them all.
beforeAll(async () => {
  copy = copyProject();
  copy.replace('src/example/handlers/risr.ts', 'profile_updated:', 'profile_updatd:');
  copy.replace('src/example/handlers/phenixid.ts', /^ *OrderExpired: .*\n/m, '');
  copy.replace('src/kit/sources/risr/events.ts', "user: 'usr-4471',", 'user: 4471,');
  copy.replace('src/example/handlers/hotdocs.ts', 'payload.user?.email', 'payload.user?.emial');
  putInExampleLine();
  writeFirstHandler(copy);
  const compiled = await copy.tsc();
  expect(compiled.code).not.toBe(0);
  output = compiled.output;
});
afterAll(() => copy.remove());

/** The line that a fresh app has in a comment, as the comment says: one that is written over long ago has it no more. */
function putInExampleLine(): void {
  const app = readFileSync(join(copy.root, 'src/app/index.ts'), 'utf8');
  const line = /^ *\/\/ (endpoints: .*)$/m.exec(app)?.[1];
  if (line === undefined) return;
  copy.replace('src/app/index.ts', 'endpoints: [],', line);
  copy.replace('src/app/index.ts', 'import { defineApp,', 'import { defineApp, endpoint,');
}

it.each([
  ['the endpoint that src/app gives as an example', /^src\/app\/index\.ts/m],
  ["the handler of the README's first hour", /^src\/app\/handlers\//m],
])('compiles %s', (_what, complaint) => expect(output).not.toMatch(complaint));

it.each([
  [
    'a misspelt event name in a handler file',
    /^src\/example\/handlers\/risr\.ts.*'profile_updatd' does not exist/m,
  ],
  ['a missing handler', /^src\/example\/handlers\/phenixid\.ts.*'OrderExpired' is missing/m],
  [
    'a misspelt member of a payload whose schema lets others through',
    /^src\/example\/handlers\/hotdocs\.ts.*'emial' does not exist.*Did you mean 'email'\?/m,
  ],
  [
    'an example that contradicts its schema',
    /^src\/kit\/sources\/risr\/events\.ts.*\n.*\n *Type 'number' is not assignable to type 'string'/m,
  ],
])('does not compile with %s', (_what, message) => expect(output).toMatch(message));
