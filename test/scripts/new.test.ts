import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { copyProject, type ProjectCopy } from '../support/project-copy.ts';
import type { Trip } from '../support/round-trip.ts';

let copy: ProjectCopy;

beforeAll(() => {
  copy = copyProject();
});
afterAll(() => {
  copy.remove();
});

it.each([
  ['a source that is there', ['source', 'risr'], 'There is a source risr already'],
  ['a name that is no folder name', ['source', '../evil'], 'cannot be a source'],
  ['a name with capitals', ['source', 'Initech'], 'cannot be a source'],
  ['a name that means something in JavaScript', ['source', 'class'], 'means something else'],
  ['a name that the stamped files use', ['source', 'events'], 'means something else'],
  ['a name whose variables look like those of another', ['source', 'phenixid-north'], 'taken for'],
  ['no name', ['source'], 'Expected one name'],
  ['an unknown source', ['event', 'hotdoc', 'Something'], 'Did you mean hotdocs?'],
  ['an event that is there', ['event', 'risr', 'profile_updated'], 'has the event profile_updated already'],
  ['an event with the variables of another', ['event', 'risr', 'profile.updated'], 'the same variables'],
  ['an event type that is no path', ['event', 'risr', 'a/b'], 'cannot be an event type'],
  ["one of Object's own members as a source", ['event', 'constructor', 'x'], 'Unknown source'],
  ['something else', ['sauce', 'acme'], 'Did you mean source?'],
  ['an unknown option', ['source', 'acme', '--replay'], '--replay'],
])('refuses %s and changes nothing', async (_what, args, message) => {
  const before = contents(copy.root);
  const ran = await copy.node('scripts/new.ts', ...args);
  expect(ran).toEqual({ code: 2, output: expect.stringContaining(message) });
  expect(contents(copy.root)).toEqual(before);
});

it('explains itself', async () => {
  const ran = await copy.node('scripts/new.ts', '--help');
  expect(ran).toEqual({ code: 0, output: expect.stringContaining('npm run new -- source <name>') });
});

it('stamps a source and events that compile, pass their own test and travel end to end', async () => {
  const stamps = [
    ['source', 'acme-orders'],
    ['event', 'acme-orders', 'order.shipped'],
    ['event', 'acme-orders', 'price.asked', '--reply'],
    ['event', 'phenixid', 'OrderArchived'],
    ['event', 'hotdocs', 'PriceAskedEvent', '--reply'],
  ];
  for (const args of stamps) {
    expect(await copy.node('scripts/new.ts', ...args)).toMatchObject({ code: 0 });
  }
  const [compiled, tested, travelled] = await Promise.all([copy.tsc(), runStampedTest(), runRoundTrip()]);
  expect(compiled).toEqual({ code: 0, output: '' });
  expect(tested).toMatchObject({ code: 0, output: expect.stringContaining('1 todo') });
  expect(travelled.filter(({ ok, entry }) => !ok || !entry.startsWith('done'))).toEqual([]);
  expect(travelled.map(({ source, type }) => `${source} ${type}`)).toEqual(
    expect.arrayContaining([
      'acme-orders example.created',
      'acme-orders order.shipped',
      'acme-orders price.asked',
      'phenixid OrderArchived',
      'hotdocs PriceAskedEvent',
    ]),
  );
}, 60_000);

it('leaves what it stamps as the formatter would', async () => {
  const stamped = ['src/kit/sources/acme-orders', 'src/example/handlers', 'test/kit/sources'];
  const edited = [
    'src/kit/sources/index.ts',
    'src/kit/sources/phenixid/events.ts',
    'src/kit/sources/hotdocs/events.ts',
  ];
  const check = ['node_modules/prettier/bin/prettier.cjs', '--check', ...stamped, ...edited];
  expect(await copy.node(...check)).toMatchObject({ code: 0 });
});

it('says what to add by hand where a list no longer looks as it did', async () => {
  const before = copy.read('src/kit/sources/index.ts');
  const after = before
    .replace('export const sources = [', 'const all = [')
    .concat('export const sources = all;\n');
  copy.write('src/kit/sources/index.ts', after);
  const ran = await copy.node('scripts/new.ts', 'source', 'initech');
  copy.write('src/kit/sources/index.ts', before);
  expect(ran.code).toBe(1);
  expect(ran.output).toContain("import { initech } from './initech/index.ts';");
  expect(ran.output).not.toContain('written  src/kit/sources/index.ts');
  expect(ran.output).toContain('written  src/example/handlers/index.ts');
});

function runStampedTest() {
  const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--ci'];
  return copy.node(...jest, 'test/kit/sources/acme-orders.test.ts');
}

async function runRoundTrip(): Promise<Trip[]> {
  const program =
    "const { roundTrip } = await import('./test/support/round-trip.ts');" +
    'process.stdout.write(JSON.stringify(await roundTrip()));';
  const { code, output } = await copy.node('--no-warnings', '--input-type=module', '--eval', program);
  expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/^\[/) });
  // Written by `roundTrip`, one line above.
  return JSON.parse(output) as Trip[];
}

/** Every file below a folder with what is in it; not the linked packages. */
function contents(root: string): Record<string, string> {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => !file.startsWith('node_modules'))
    .filter((file) => statSync(join(root, file)).isFile());
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
}
